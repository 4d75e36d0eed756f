import { buildVariant } from '../support/variant.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { Customers } from '../support/customers.js'
import { Relay } from '../support/relay.js'

const CHUNK = 'shared/dist/queue/chunk.js'

/** The relay of tomorrow: writes another chunk format, and reads today's as well. */
const NEXT = {
  name: 'next-chunk-format',
  changes: [
    {
      file: CHUNK,
      search: 'export const CHUNK_FORMAT = WITH_PROJECTS;',
      replace: 'export const CHUNK_FORMAT = 3;',
    },
    {
      file: CHUNK,
      search: '? WITH_PROJECTS : WITHOUT_PROJECTS;',
      replace: '? WITH_PROJECTS : CHUNK_FORMAT;',
    },
    {
      file: CHUNK,
      search: 'chunk.readUInt8(0) >= WITH_PROJECTS',
      replace: 'chunk.readUInt8(0) === WITH_PROJECTS',
    },
  ],
}

test('two versions side by side lose nothing and reorder nothing, whichever is upgraded first', async () => {
  const next = await buildVariant(NEXT)
  const relay = await Relay.start({ workers: 2 })
  const customers = new Customers(relay, 20)
  const says = (pattern: RegExp) =>
    relay.workers.map((worker) =>
      worker.logs().filter(({ message }) => pattern.test(String(message))),
    )
  try {
    customers.start()
    await relay.simulator.until((record) => record.totals.elements > 100, 20_000)
    // An api before the workers: the wrong way round.
    customers.apiUrls.push(await relay.addApi({}, next))
    const newer = /^chunks of a newer format/
    await waitFor(() => says(newer).some((lines) => lines.length > 0), {
      what: 'a worker to say that it cannot continue',
      timeoutMs: 15_000,
    })
    const waiting = customers.total
    await relay.addWorker({}, next)
    await waitFor(() => customers.total > waiting + 100, { what: 'posts to continue' })
    await relay.workers[0]?.stop()
    await relay.addWorker({}, next)
    await relay.workers[1]?.stop()
    await customers.stop()
    await customers.delivered(30_000)
    for (const name of customers.names) {
      const count = customers.accepted.get(name) ?? 0
      const first = customers.firstDeliveries(name)
      expect(first.slice(0, count)).toEqual(Array.from({ length: count }, (_, i) => i))
    }
    expect(relay.simulator.record.overlap.overlaps).toBe(0)
    expect(relay.simulator.record.totals.duplicates).toBe(0)
    // Once per process, however long it lasted.
    for (const lines of says(newer)) expect(lines.length).toBeLessThanOrEqual(1)
  } finally {
    await customers.stop()
    await relay.stop()
  }
})
