import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnvironment } from '@relay/shared/config/environment.js'
import { SETTINGS } from '@relay/shared/config/settings.js'
import { envExample, withSettings } from '../../src/docs/settings.js'

const ROOT = join(__dirname, '..', '..', '..')
const text = (...path: string[]) => readFileSync(join(ROOT, ...path), 'utf8')

/** Uncommented, as an operator would have it who changes nothing. */
function exampleEnvironment(): Record<string, string> {
  const lines = text('.env.example').matchAll(/^#([A-Z_]+)=(.*)$/gm)
  return Object.fromEntries([...lines].map(([, name = '', value = '']) => [name, value]))
}

describe('what the documents say of the settings', () => {
  it('docs/reference/configuration.md is as npm run docs:settings writes it', () => {
    const document = text('docs', 'reference', 'configuration.md')
    expect(withSettings(document)).toBe(document)
  })

  it('.env.example is as npm run docs:settings writes it', () =>
    expect(text('.env.example')).toBe(envExample()))

  it('.env.example names every setting once and changes none', () => {
    const workspace = { MOENGAGE_APP_ID: 'A', MOENGAGE_API_KEY: 'key', MOENGAGE_DC: '02' }
    const example = exampleEnvironment()
    expect(Object.keys(example)).toEqual(Object.keys(SETTINGS))
    expect(parseEnvironment({ ...example, ...workspace }, 9464)).toEqual(
      parseEnvironment(workspace, 9464),
    )
  })

  it('refuses a document without a place for the table', () =>
    expect(() => withSettings('# Configuration\n')).toThrow('settings: begin'))
})
