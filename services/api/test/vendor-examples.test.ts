import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { APP, NOW_MS, TestIntake, workspace } from './support/intake.js'

interface Example {
  readonly endpoint: string
  readonly name: string
  readonly body: { readonly elements?: readonly unknown[] }
}

const EXAMPLES = JSON.parse(
  readFileSync(join(__dirname, 'fixtures', 'vendor-examples.json'), 'utf8'),
) as Example[]

describe('every example of the vendor is accepted and travels as sent', () => {
  const intake = new TestIntake([workspace(APP)])
  beforeAll(() => intake.start())
  afterAll(() => intake.stop())

  it.each(EXAMPLES.map((e) => [e.endpoint, e.name, e] as const))('%s: %s', async (...row) => {
    const [endpoint, , { body }] = row
    const path = `/v1/${endpoint}/${APP}`
    const pretty = await intake.send({ path, body: JSON.stringify(body, null, 2) })
    expect(pretty.body.error).toBeUndefined()
    expect(pretty.status).toBe(200)
    const stamp = `,"current_time":"${new Date(NOW_MS).toISOString()}"}`
    // The one example without a time is stamped; nothing else may differ.
    const texts = (body.elements ?? [body]).map((e) => JSON.stringify(e))
    expect(intake.store.take().map((text) => text.replace(stamp, '}'))).toEqual(texts)
  })
})
