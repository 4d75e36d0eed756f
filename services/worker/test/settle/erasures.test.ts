import type { Erasure } from '@relay/shared/erasure/erasure.js'
import { Erasures } from '../../src/settle/erasures.js'
import { PartitionWindow, type Item } from '../../src/fetch/window.js'
import { plainElement } from '../support/plain-element.js'

const TAG = 'APP/realtime/0/0'

class Redis {
  records: Erasure[] = []
  readonly confirmed = new Set<string>()
  isAway = false
  reads = 0

  enforced(): Promise<Erasure[]> {
    this.reads += 1
    return this.isAway ? Promise.reject(new Error('away')) : Promise.resolve([...this.records])
  }

  confirm(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.confirmed.add(id)
    return Promise.resolve()
  }

  add(customer: string, upTo: number): Erasure {
    const id = `e${this.records.length}`
    const hex = Buffer.from(customer, 'latin1').toString('hex')
    const erasure = { id, appId: 'APP', customer: hex, boundary: { [TAG]: upTo }, doneAtMs: null }
    this.records.push(erasure)
    return erasure
  }
}

function loadedChunk(id: string, customers: readonly string[]) {
  const elements = customers.map((customer) =>
    plainElement({
      ...{ kind: 'event' as const, cost: 1, customer, posted: 1 },
      json: Buffer.from(`{"${customer}":${id}}`),
      provenance: { requestId: 'r', acceptedAtMs: 1 },
    }),
  )
  return { id, bytes: 10, elements, done: Buffer.alloc(0) }
}

function windowOf(...chunks: (readonly [id: string, ...customers: string[]])[]): PartitionWindow {
  const partition = { appId: 'APP', lane: 'realtime' as const, generation: 0, index: 0 }
  const window = new PartitionWindow(TAG, partition, 'me.1:1')
  window.load(
    chunks.map(([id, ...customers]) => loadedChunk(id, customers)),
    chunks.length,
  )
  return window
}

function itemsOf(window: PartitionWindow): Item[] {
  return window.chunks.flatMap((chunk) =>
    chunk.elements.map((element, index) => ({ window, chunk, index, element })),
  )
}

function open() {
  const redis = new Redis()
  const clock = { ms: 0, nowMs: () => 0, monotonicMs: () => clock.ms }
  let news = 0
  const erasures = new Erasures({ store: redis, worker: 'me', clock, onNew: () => (news += 1) })
  return { redis, clock, erasures, news: () => news }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('a worker that learns of an erasure', () => {
  test('confirms it only when nothing of the customer is in its hand any more', async () => {
    const { redis, erasures } = open()
    const window = windowOf(['1', 'ann', 'bob'])
    const [ann, bob] = itemsOf(window) as [Item, Item]
    const first = erasures.take([ann, bob])
    const other = erasures.take([bob])
    const { id } = redis.add('ann', 1)
    await erasures.look()
    expect(redis.confirmed).toEqual(new Set())
    other.end()
    await settled()
    expect(redis.confirmed).toEqual(new Set())
    first.end()
    await settled()
    expect(redis.confirmed).toEqual(new Set([id]))
  })

  test('sends nothing of it from then on, whenever and from wherever it is loaded', async () => {
    const { redis, erasures, news } = open()
    const before = windowOf(['1', 'ann', 'bob'], ['2', 'ann'], ['3', 'ann'])
    redis.add('ann', 2)
    await erasures.look()
    expect(news()).toBe(1)
    expect(itemsOf(before).map((item) => erasures.covers(item))).toEqual([true, false, true, false])
    // A read that was in flight, after the worker had confirmed.
    const late = windowOf(['2', 'ann', 'bob'])
    expect(itemsOf(late).map((item) => erasures.covers(item))).toEqual([true, false])
    for (const window of [before, late]) erasures.apply(window)
    expect(before.takeErased()).toEqual(['2'])
    expect(late.chunks[0]?.remaining).toBe(1)
    expect(before.chunks.map(({ id, remaining }) => [id, remaining])).toEqual([['1', 1], ['3', 1]]) // prettier-ignore
  })

  test('keeps elements accepted after the request, and other workspaces', async () => {
    const { redis, erasures } = open()
    redis.add('ann', 7)
    await erasures.look()
    const window = windowOf(['7', 'ann'], ['8', 'ann'])
    expect(itemsOf(window).map((item) => erasures.covers(item))).toEqual([true, false])
    const partition = { appId: 'OTHER', lane: 'realtime' as const, generation: 0, index: 0 }
    const other = new PartitionWindow('OTHER/realtime/0/0', partition, 'me.1:1')
    other.load([loadedChunk('1', ['ann'])], 1)
    expect(itemsOf(other).map((item) => erasures.covers(item))).toEqual([false])
  })

  test('confirms again at every look while it is pending: Redis may have forgotten', async () => {
    const { redis, erasures } = open()
    const { id } = redis.add('ann', 1)
    await erasures.look()
    redis.confirmed.clear()
    await erasures.look()
    expect(redis.confirmed).toEqual(new Set([id]))
    redis.records = redis.records.map((record) => ({ ...record, doneAtMs: 1 }))
    redis.confirmed.clear()
    await erasures.look()
    expect(redis.confirmed).toEqual(new Set())
  })

  test('enforces it longer than any read takes after Redis dropped it, then forgets it', async () => {
    const { redis, erasures, clock } = open()
    redis.add('ann', 1)
    await erasures.look()
    redis.records = []
    const [item] = itemsOf(windowOf(['1', 'ann'])) as [Item]
    clock.ms = 60_000
    await erasures.look()
    expect(erasures.covers(item)).toBe(true)
    clock.ms = 60_001
    await erasures.look()
    expect(erasures.covers(item)).toBe(false)
  })

  test('confirms nothing while Redis does not answer, and looks once for calls that overlap', async () => {
    const { redis, erasures } = open()
    redis.add('ann', 1)
    redis.isAway = true
    await erasures.look()
    expect(redis.confirmed.size).toBe(0)
    redis.isAway = false
    redis.reads = 0
    await Promise.all([erasures.look(), erasures.look(), erasures.look()])
    expect(redis.reads).toBe(2)
    expect(redis.confirmed.size).toBe(1)
  })
})
