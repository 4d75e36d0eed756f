import fc from 'fast-check'
import { assess } from '../../src/accept/assess.js'
import { judgeBatch } from '../../src/import/batch.js'
import type { Line } from '../../src/import/ndjson.js'
import { vocabularyOf } from '../../src/validate/vocabulary.js'
import { APP, NOW_MS, workspace } from '../support/workspace.js'

const LINES = fc.constantFrom(
  '{"type":"customer","customer_id":"a","attributes":{"name":"x"}}',
  '{"type":"customer","customer_id":"a","customer_id":"b"}',
  '{"type":"event","customer_id":"a","actions":[{"action":"x","platform":"web"},{"action":"y"}]}',
  '{"type":"event","customer_id":"a","actions":[{"action":" "}]}',
  '{"type":"customer","customer_id":"undefined","attributes":{"u_em":"no address"}}',
  '{"type":"customer","customer_id":"a","attribute":{},"props":{}}',
  '{"type":"device","customer_id":"a"}',
  '{"type":"nothing"}',
  '{"type":',
  '[]',
  '',
)

it('judges a line that was judged beside the event loop like all others', () => {
  const { limits: workspaceLimits } = workspace(APP)
  const names = vocabularyOf(workspace(APP))
  fc.assert(
    fc.property(
      fc.array(fc.tuple(LINES, fc.boolean()), { maxLength: 20 }),
      fc.integer({ min: 1, max: 5 }),
      (drawn, maxFindings) => {
        const lines: Line[] = drawn.map(([text], i) => ({
          number: i + 7,
          bytes: Buffer.from(text),
        }))
        const context = { workspaceLimits, maxLineBytes: 1_000, maxFindings, names, nowMs: NOW_MS }
        const judged = new Map(
          lines
            .filter((_, i) => drawn[i]?.[1])
            .map((line) => {
              const asked = { ...context, limits: { maxElements: 1, maxFindings } }
              return [line, assess(line.bytes!, { ...asked, endpoint: 'line' })] as const
            }),
        )
        const { assessment: all, ...batch } = judgeBatch(lines, context)
        const { assessment: some, ...mixed } = judgeBatch(lines, context, judged)
        expect({ ...mixed, warnings: mixed.warnings }).toEqual({
          ...batch,
          warnings: batch.warnings,
        })
        expect(some.findings).toEqual(all.findings)
        expect([some.accepted, some.posted]).toEqual([all.accepted, all.posted])
        expect(some.rejectedKinds).toEqual(all.rejectedKinds)
      },
    ),
    { numRuns: 300 },
  )
})
