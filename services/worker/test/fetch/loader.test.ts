import fc from 'fast-check'
import type { WaitingChunk } from '@relay/shared/queue/partition-queue.js'
import { loadWindow, WindowMemory } from '../../src/fetch/loader.js'
import { PartitionWindow } from '../../src/fetch/window.js'
import { plainElement } from '../support/plain-element.js'

const PARTITION = { appId: 'APP', lane: 'realtime', generation: 0, index: 0 } as const
const PROVENANCE = { requestId: 'R', acceptedAtMs: 0 }

/** A chunk of one element, `compression` times smaller in Redis. */
function chunkOf(id: number, jsonBytes: number, compression: number): WaitingChunk {
  const json = Buffer.alloc(jsonBytes)
  const element = { kind: 'event' as const, posted: 1 as const, cost: 1, customer: 'c', json }
  return {
    id: String(id),
    bytes: Math.ceil(jsonBytes / compression),
    elements: [plainElement({ ...element, provenance: PROVENANCE })],
    done: Buffer.alloc(0),
  }
}

/** A partition as `peek` reads it, and how often it was asked. */
class Waiting {
  readonly chunks: readonly WaitingChunk[]
  asked = 0

  constructor(sizes: readonly number[], compression: number) {
    this.chunks = sizes.map((size, i) => chunkOf(i, size, compression))
  }

  peek(skip: number, most: number, bytes: number) {
    this.asked += 1
    const chunks: WaitingChunk[] = []
    let total = 0
    for (const chunk of this.chunks.slice(skip, skip + most)) {
      total += chunk.bytes
      if (total > bytes && chunks.length > 0) break
      chunks.push(chunk)
    }
    return Promise.resolve({ waiting: this.chunks.length, chunks, unreadable: null })
  }
}

const MIN_CHUNK = 500
const MAX_CHUNK = 1_000
/** Of a chunk with one element, beside its JSON. */
const OVERHEAD = 600
const partitions = fc.array(
  fc.array(fc.integer({ min: MIN_CHUNK, max: MAX_CHUNK }), { minLength: 1, maxLength: 30 }),
  { minLength: 1, maxLength: 8 },
)

describe('loading windows', () => {
  test('gives every partition its oldest, and no more memory than is left', async () => {
    const sizes = fc.integer({ min: 0, max: 20_000 })
    await fc.assert(
      fc.asyncProperty(
        partitions,
        sizes,
        fc.integer({ min: 1, max: 4 }),
        async (specs, limit, compression) => {
          const memory = new WindowMemory(limit)
          const windows = specs.map((_, i) => new PartitionWindow(`p${i}`, PARTITION, 'w:1'))
          for (const window of windows) memory.add(window)
          const target = { enoughBytes: 1e9, wantBytes: 8_000, leastBytes: 500, watch: false }
          for (const [i, window] of windows.entries()) {
            const waiting = new Waiting(specs[i] ?? [], compression)
            expect(await loadWindow(window, waiting, target, memory)).toBe(true)
            const ids = window.chunks.map(({ id }) => id)
            expect(ids).toEqual(waiting.chunks.slice(0, ids.length).map(({ id }) => id))
            expect(ids.length).toBeGreaterThan(0)
          }
          const loaded = windows.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0)
          // Until its first chunk is here, no one knows how much larger it is than in Redis.
          const growth = (compression * (MIN_CHUNK + OVERHEAD)) / MIN_CHUNK
          const surprise = MAX_CHUNK + OVERHEAD + 8_000 * (growth - 1)
          expect(loaded).toBeLessThanOrEqual(limit + windows.length * (500 + surprise))
          for (const { loadedBytes } of windows) {
            expect(loadedBytes).toBeLessThanOrEqual(8_000 + surprise)
          }
        },
      ),
    )
  })

  test('asks nothing while enough is available', async () => {
    const memory = new WindowMemory(1e6)
    const window = new PartitionWindow('p', PARTITION, 'w:1')
    const waiting = new Waiting(
      Array.from({ length: 30 }, () => 100),
      1,
    )
    const target = { enoughBytes: 500, wantBytes: 1_000, leastBytes: 0, watch: false }
    await loadWindow(window, waiting, target, memory)
    expect(window.loadedBytes).toBe(1_000)
    const before = waiting.asked
    await loadWindow(window, waiting, target, memory)
    expect(waiting.asked).toBe(before)
  })

  test('without memory a partition that holds nothing still gets one chunk', async () => {
    const window = new PartitionWindow('p', PARTITION, 'w:1')
    const waiting = new Waiting([900, 900], 1)
    const target = { enoughBytes: 1, wantBytes: 5_000, leastBytes: 0, watch: false }
    await loadWindow(window, waiting, target, new WindowMemory(0))
    expect(window.chunks).toHaveLength(1)
  })

  test('nothing is loaded ahead once a quarter of the memory is in use', () => {
    const memory = new WindowMemory(4 * 2 * (900 + OVERHEAD))
    const [first, second] = ['p', 'q'].map((tag) => new PartitionWindow(tag, PARTITION, 'w:1'))
    if (first === undefined || second === undefined) throw new Error('there are two')
    memory.add(first)
    memory.add(second)
    first.load([chunkOf(0, 900, 1), chunkOf(1, 900, 1)], 2)
    expect(memory.isScarce()).toBe(false)
    second.load([chunkOf(2, 1, 1)], 1)
    expect(memory.isScarce()).toBe(true)
    memory.remove(first)
    expect(memory.isScarce()).toBe(false)
  })
})
