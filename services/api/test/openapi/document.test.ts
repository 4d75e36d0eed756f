import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from '@relay/tools/folders.js'
import { assess } from '../../src/accept/assess.js'
import { RULES } from '../../src/validate/rules.js'
import { openApiDocument } from '../../src/openapi/document.js'
import * as elements from '../../src/openapi/elements.js'
import { anchorOf, ERROR_TYPES, errorsPage } from '../../src/openapi/errors.js'
import { APP, NOW_MS, TestIntake, workspace } from '../support/intake.js'

interface Example {
  readonly body: { elements?: { type: string }[]; type: string }
}

const examples = async () =>
  JSON.parse(
    await readFile(join(__dirname, '../fixtures/vendor-examples.json'), 'utf8'),
  ) as Example[]

describe('the OpenAPI document', () => {
  it('is valid and whole, as a linter sees it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'openapi-'))
    const file = join(folder, 'openapi.json')
    await writeFile(file, JSON.stringify(openApiDocument()))
    const cli = join(ROOT, 'node_modules/@redocly/cli/bin/cli.js')
    const args = [cli, 'lint', file, '--extends=recommended', '--format=json']
    const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
    const { stdout } = await promisify(execFile)(process.execPath, args, { env, cwd: folder })
    const { totals } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as { totals: object }
    expect(totals).toMatchObject({ errors: 0, warnings: 0 })
    await rm(folder, { recursive: true })
  })

  it('admits every element that intake accepts of the vendor’s examples', async () => {
    const context = {
      workspaceLimits: workspace(APP).limits,
      limits: { maxElements: 100, maxFindings: 100 },
      nowMs: NOW_MS,
    }
    for (const { body } of await examples()) {
      const outcome = assess(Buffer.from(JSON.stringify(body)), { ...context, endpoint: body.type as 'event' }) // prettier-ignore
      if (!outcome.ok) throw new Error(outcome.fault.message)
      for (const { json } of outcome.assessment.queued) {
        elements.element.parse(JSON.parse(json.toString()))
      }
    }
  })

  it('has a page for every type that a rule answers with', () => {
    const types = Object.values(RULES).filter(({ severity }) => severity === 'refuse').map(({ type }) => type) // prettier-ignore
    expect(types.filter((type) => !Object.hasOwn(ERROR_TYPES, type))).toEqual([])
  })

  it('and docs/reference/errors.md are made of the same', async () => {
    expect(await readFile(join(ROOT, 'docs/reference/errors.md'), 'utf8')).toBe(errorsPage())
    const anchors = Object.keys(ERROR_TYPES).map(anchorOf)
    expect(new Set(anchors).size).toBe(anchors.length)
    for (const anchor of anchors) {
      expect(errorsPage()).toContain(`<a id="${anchor}"></a>`)
      expect(JSON.stringify(openApiDocument())).toContain(`/docs/errors.md#${anchor})`)
    }
  })
})

describe('the documentation page', () => {
  const intake = new TestIntake([workspace(APP)])
  beforeAll(() => intake.start())
  afterAll(() => intake.stop())

  it.each([
    ['/openapi.json', 'application/json'],
    ['/docs', 'text/html'],
    ['/docs/start.js', 'text/javascript'],
    ['/docs/errors.md', 'text/plain'],
    ['/docs/swagger-ui.css', 'text/css'],
    ['/docs/swagger-ui-bundle.js', 'text/javascript'],
  ])('%s is served without credentials', async (path, type) => {
    const response = await fetch(`http://127.0.0.1:${intake.port}${path}`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toContain(type)
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9A-Z]{26}$/)
    const text = await response.text()
    // Nothing of the page comes from another host.
    if (path === '/docs') expect(text).not.toMatch(/(src|href)="(?!\/docs\/)/)
  })
})
