import fc from 'fast-check'
import { assess } from '../../src/accept/assess.js'
import { pack, unpack } from '../../src/accept/packed.js'
import { workspace, APP, NOW_MS } from '../support/workspace.js'
import { NameTable, USER } from '../../src/census/name-table.js'

const context = {
  ...{ endpoint: 'transition' as const, workspaceLimits: workspace(APP).limits, nowMs: NOW_MS },
  limits: { maxElements: 100, maxFindings: 5 },
}

/** Valid, unstamped, spaced, doubled and faulty ones, so that texts lie in the body and beside it. */
const element = fc.oneof(
  fc.nat(99).map((i) => `{"type":"customer","customer_id":"c${i}","attributes":{"a":"é${i}"}}`),
  fc.constant('{ "type" : "customer", "customer_id":"ann" }'),
  fc.constant('{"type":"customer","customer_id":"ann","attributes":{"a":1,"a":2}}'),
  fc.nat(3).map((n) => `{"type":"event","customer_id":"bob","actions":[${Array.from({ length: n }, () => '{"action":"A"}').join()}]}`),
  fc.constant('{"type":"device","customer_id":"ann","device_id":"d"}'),
  fc.constant('{"type":"x"}'),
  fc.constant('1'),
) // prettier-ignore

describe('an assessment that passes between threads', () => {
  it('is the same on the other side', () => {
    const known = new NameTable()
    for (const name of ['a', 'color']) known.add(name, USER)
    const copy = NameTable.from(structuredClone(known.data))
    fc.assert(
      fc.property(fc.array(element, { maxLength: 40 }), (elements) => {
        const body = Buffer.from(`{"type":"transition","elements":[${elements.join()}]}`)
        const here = assess(body, { ...context, known })
        const there = Buffer.from(Uint8Array.from(body).buffer)
        const packed = structuredClone(pack(assess(there, { ...context, known: copy }), there))
        const unpacked = unpack(packed, body, context.limits.maxFindings)
        expect(plain(unpacked)).toEqual(plain(here))
      }),
      { numRuns: 300 },
    )
  })
})

/** Without the gatherer's own state. */
function plain(outcome: ReturnType<typeof assess>) {
  if (!outcome.ok) return outcome
  const { findings, seen, posted, accepted, queued, rejectedKinds } = outcome.assessment
  const { problems, warnings, problemCount, warningCount } = findings
  const texts = queued.map(({ json, ...rest }) => ({ ...rest, json: json.toString() }))
  const found = { problems, warnings, problemCount, warningCount }
  return { ...found, seen, posted, accepted, texts, rejectedKinds }
}
