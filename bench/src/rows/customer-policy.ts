import { systemClock } from '@relay/shared/clock.js'
import { parseCustomerLimits } from '@relay/shared/config/customer-limits.js'
import { customerKey } from '@relay/shared/identity.js'
import { CustomerCounts } from '@relay/shared/policy/customer-counts.js'
import { decodeChunk, encodeChunk } from '@relay/shared/queue/chunk.js'
import { CUSTOMER_LIMITS } from '@relay/shared/vendor/limits.js'
import { CustomerPolicy } from '@relay/worker/policy/customer-policy.js'
import { Stage } from '../contenders/start.js'
import { usedMemory } from '../measure.js'
import { at, atMost, columns, target, type BenchOptions, type Row, type Sample } from './row.js'

type Batch = Parameters<CustomerPolicy['admit']>[1]

const BATCH_ELEMENTS = 400
const OPEN_MS = 15_000
const COST = 'µs/element'
const BYTES = 'Redis bytes/element'
const ORDINARY = 'a million ordinary customers'

/** Batches as a worker packs them: an event of each of `BATCH_ELEMENTS` customers. */
function batches(elements: number): Batch[] {
  return Array.from({ length: Math.ceil(elements / BATCH_ELEMENTS) }, (_, batch) => {
    const posted = Array.from({ length: BATCH_ELEMENTS }, (_, i) => ({
      ...{ kind: 'event' as const, cost: 1, posted: 1 as const },
      customer: customerKey(`customer-${batch * BATCH_ELEMENTS + i}`),
      json: Buffer.from('{}'),
    }))
    const provenance = { requestId: 'R', acceptedAtMs: 1 }
    const decoded = decodeChunk(encodeChunk([{ provenance, elements: posted }], false))
    const runs = decoded.map((element) => ({ items: [{ element }], cost: element.cost }))
    // Only the runs are looked at.
    return { runs } as unknown as Batch
  })
}

async function ordinary({ quick }: BenchOptions): Promise<Sample> {
  return Stage.run(async (stage) => {
    const { client, probe } = await stage.connected()
    const policy = new CustomerPolicy({
      counts: new CustomerCounts({
        client,
        prefix: 'bench',
        appId: 'APP',
        clock: systemClock,
        openMs: OPEN_MS,
      }),
      limits: () => parseCustomerLimits(CUSTOMER_LIMITS) ?? [],
      clock: systemClock,
      runId: () => 'run',
      workers: () => 1,
      openMs: OPEN_MS,
      newId: () => String(systemClock.monotonicMs()),
      onHeld: () => undefined,
    })
    const elements = quick ? 20_000 : 1_000_000
    const prepared = batches(elements)
    const before = await usedMemory(probe)
    // Processor time: the machine may be shared.
    const started = process.cpuUsage()
    for (const [i, batch] of prepared.entries()) await policy.admit(String(i), batch)
    const { user, system } = process.cpuUsage(started)
    const bytes = Math.max(0, (await usedMemory(probe)) - before)
    const values = { [COST]: (user + system) / elements, [BYTES]: bytes / elements }
    return { contender: ORDINARY, values }
  })
}

export const CUSTOMER_POLICY: Row = {
  name: 'customer-policy',
  title: "MoEngage's per-customer policy: what it costs where no customer comes near it",
  columns: columns({ [COST]: 3, [BYTES]: 3 }),
  targets: [
    target('time per ordinary element', '≤ 0.3 µs', 3, at(ORDINARY, COST), atMost(0.3)),
    target('Redis bytes per ordinary element', '≤ 1', 3, at(ORDINARY, BYTES), atMost(1)),
  ],
  measure: async (options) => [await ordinary(options)],
}
