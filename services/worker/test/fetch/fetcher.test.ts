import type { PartitionQueue } from '@relay/shared/queue/partition-queue.js'
import { systemClock } from '@relay/shared/clock.js'
import { Fetcher } from '../../src/fetch/fetcher.js'
import { WindowMemory } from '../../src/fetch/loader.js'
import { PartitionWindow } from '../../src/fetch/window.js'
import { InFlight } from '../../src/ownership/in-flight.js'
import { plainElement } from '../support/plain-element.js'

const JSON_BYTES = 100
const TARGET = { enoughBytes: 250, wantBytes: 250, leastBytes: 0, watch: false }

/** A queue with so many chunks of one element. */
function queueOf(chunks: number): PartitionQueue {
  const all = Array.from({ length: chunks }, (_, i) => ({
    id: String(i),
    bytes: JSON_BYTES,
    elements: [
      plainElement({
        ...{ kind: 'event', posted: 1, cost: 1, customer: 'c' },
        json: Buffer.alloc(JSON_BYTES),
        provenance: { requestId: 'R', acceptedAtMs: 0 },
      }),
    ],
    done: Buffer.alloc(0),
  }))
  const peek = (skip: number, _: number, bytes: number) =>
    Promise.resolve({
      waiting: chunks,
      chunks: all.slice(skip, skip + Math.max(1, Math.floor(bytes / JSON_BYTES))),
      unreadable: null,
    })
  return { peek } as unknown as PartitionQueue
}

function fetcherOf(...chunks: readonly number[]): { fetcher: Fetcher; windows: PartitionWindow[] } {
  const fetcher = new Fetcher({
    memory: new WindowMemory(1e6),
    inFlight: new InFlight(systemClock, 0),
    mayServe: () => true,
  })
  const windows = chunks.map((count, index) => {
    const partition = { appId: 'APP', lane: 'realtime' as const, generation: 0, index }
    const window = new PartitionWindow(`p${index}`, partition, 'w:1')
    fetcher.serve(window, queueOf(count))
    return window
  })
  return { fetcher, windows }
}

describe('the partitions of a lane', () => {
  test('are read one after the other until they hold enough together', async () => {
    const { fetcher, windows } = fetcherOf(0, 1, 9, 9)
    expect(await fetcher.load(fetcher.free(), TARGET, 250)).toBe(true)
    expect(windows.map(({ loadedBytes }) => loadedBytes)).toEqual([0, 100, 300, 0])
  })

  test('come in the order of their last requests, so that each is read in its turn', async () => {
    const { fetcher } = fetcherOf(9, 9, 9)
    const read: string[] = []
    for (let round = 0; round < 6; round += 1) {
      const free = fetcher.free()
      await fetcher.load(free, TARGET, 200)
      const { window } = free.find(({ window: { chunks } }) => chunks.length > 0)!
      read.push(window.tag)
      fetcher.begun(window)
      window.settle(
        window.chunks.map((chunk) => ({ window, chunk, index: 0, element: chunk.elements[0]! })),
      )
    }
    expect(read).toEqual(['p0', 'p1', 'p2', 'p0', 'p1', 'p2'])
  })
})
