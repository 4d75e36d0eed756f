import fc from 'fast-check'
import { systemClock } from '@relay/shared/clock.js'
import { assess } from '../../src/accept/assess.js'
import { FairSlices } from '../../src/accept/fairness.js'
import { runAll } from '../../src/accept/fairness.js'
import { judgingBatch, type BatchContext } from '../../src/import/batch.js'
import { Importer, type Chunk } from '../../src/import/importer.js'
import type { Line } from '../../src/import/ndjson.js'
import { vocabularyOf } from '../../src/validate/vocabulary.js'
import { InMemoryPostStore, RecordingObserver, ScriptedQuota } from '../support/doubles.js'
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
        const context: BatchContext = {
          ...{ endpoint: 'line', workspaceLimits, maxLineBytes: 1_000, names, nowMs: NOW_MS },
          limits: { maxElements: 1, maxFindings },
        }
        const judged = new Map(
          lines
            .filter((_, i) => drawn[i]?.[1])
            .map((line) => [line, assess(line.bytes!, context)] as const),
        )
        const { assessment: all, ...batch } = runAll(judgingBatch(lines, context, new Map()))
        const { assessment: some, ...mixed } = runAll(judgingBatch(lines, context, judged))
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

it('lets the event loop serve others while it refuses thousands of lines, of which nothing is stored', async () => {
  const chunks: Chunk[] = [{ kind: 'data', bytes: Buffer.from('0\n'.repeat(60_000)) }]
  const importer = new Importer({
    ...{ store: new InMemoryPostStore(), quota: new ScriptedQuota(), clock: systemClock },
    ...{ observer: new RecordingObserver(), slices: new FairSlices(systemClock) },
    ...{ largeBodies: null, maxLineBytes: 1_000 },
  })
  const asked = {
    ...{ workspace: workspace(APP), producer: 'shop', requestId: 'R', idempotencyKey: null },
    ...{ projectCode: null, firstLine: 1, listed: 100 },
  }
  let turns = 0
  let isOver = false
  const count = () => {
    turns++
    if (!isOver) setImmediate(count)
  }
  count()
  const next = () => Promise.resolve(chunks.shift() ?? ({ kind: 'end' } as const))
  const { tally } = await importer.run(asked, { next })
  isOver = true
  expect(tally.lastLine).toBe(60_000)
  expect(turns).toBeGreaterThan(5)
})
