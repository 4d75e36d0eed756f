import { PartitionWindow } from '../../src/fetch/window.js'
import { Settler } from '../../src/settle/settler.js'
import { itemsOf } from '../support/elements.js'
import { FakeQueue, FakeRedis, pass, turn } from '../support/fakes.js'
import { windowsOf } from '../support/windows.js'

const element = { customer: 1, kind: 'event', bytes: 20, cost: 1 } as const

let redis: FakeRedis
let fenced: string[]
let queues: Map<string, FakeQueue>
let successors: Map<string, PartitionWindow>
let settler: Settler

beforeEach(() => {
  jest.useFakeTimers()
  redis = new FakeRedis()
  fenced = []
  queues = new Map()
  successors = new Map()
  settler = new Settler({
    queueOf: ({ tag }) => queues.get(tag)?.asQueue,
    present: ({ tag }) => successors.get(tag),
    lateMs: () => 7,
    sleep: pause,
    onFenced: (window) => {
      fenced.push(window.tag)
      window.lost = true
    },
  })
})

afterEach(() => jest.useRealTimers())

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Two partitions of two chunks with two elements each, owned by their windows. */
function partitions(): [PartitionWindow, PartitionWindow] {
  const chunk = [element, element]
  const [a, b] = windowsOf([
    [chunk, chunk],
    [chunk, chunk],
  ])
  for (const window of [a!, b!]) {
    const queue = new FakeQueue(redis, window.tag)
    queue.claimed = window.claim
    queue.chunks = window.chunks.map(({ id, elements }) => {
      return { id, elements, bytes: 1, done: Buffer.alloc(0) }
    })
    queues.set(window.tag, queue)
  }
  return [a!, b!]
}

const settlesOf = ({ tag }: PartitionWindow) => queues.get(tag)?.settles ?? []

it('returns what Redis confirmed', async () => {
  const [a, b] = partitions()
  const [a1] = itemsOf(a)
  const [b1] = itemsOf(b)
  expect(await settler.settle([a1!, b1!])).toEqual([a1, b1])
  const [, a2] = itemsOf(a)
  const [, b2] = itemsOf(b)
  b.lost = true
  expect(await settler.settle([a2!, b2!])).toEqual([a2])
})

describe('elements of several partitions', () => {
  it('are settled with one command for each partition, however they are mixed', async () => {
    const [a, b] = partitions()
    const [a1, a2, a3] = itemsOf(a)
    const [b1] = itemsOf(b)
    await settler.settle([a1!, b1!, a2!, a3!])
    expect(settlesOf(a)).toMatchObject([{ finished: ['0'], partly: [{ id: '1' }] }])
    expect(settlesOf(b)).toMatchObject([{ finished: [], partly: [{ id: '0' }] }])
    expect([a.waiting, b.waiting]).toEqual([1, 2])
  })

  it('that another worker owns by now are reported once, and do not hold up the others', async () => {
    const [a, b] = partitions()
    queues.get(a.tag)!.claimed = 'another:1'
    await settler.settle([...itemsOf(a), ...itemsOf(b)])
    expect(fenced).toEqual([a.tag])
    expect(settlesOf(b)).toHaveLength(1)
  })
})

describe('without an answer from Redis', () => {
  it('settling is repeated until Redis confirms it, and changes nothing twice', async () => {
    const [a] = partitions()
    redis.losesReplies = true
    const settled = settler.settle(itemsOf(a))
    await pass(450)
    redis.losesReplies = false
    await pass(200)
    await settled
    expect(settlesOf(a).length).toBeGreaterThan(2)
    expect(queues.get(a.tag)?.chunks).toEqual([])
    expect(a.waiting).toBe(0)
  })

  it('settling ends when the partition is lost: it belongs to another worker', async () => {
    const [a] = partitions()
    redis.isAway = true
    const settled = settler.settle(itemsOf(a))
    await pass(300)
    a.lost = true
    await pass(200)
    await settled
    expect(settlesOf(a)).toEqual([])
  })

  it('settling ends when the worker stops: the process exits, and another worker sends the elements again', async () => {
    const [a] = partitions()
    redis.isAway = true
    const settled = settler.settle(itemsOf(a))
    await pass(300)
    settler.stop()
    await pass(200)
    await settled
    await settler.settle(itemsOf(partitions()[1]))
    expect(settlesOf(a)).toEqual([])
  })
})

describe('a partition that was let go of', () => {
  it('is not settled: neither lost windows nor those without a queue reach Redis', async () => {
    const [a, b] = partitions()
    a.lost = true
    const queue = queues.get(b.tag)!
    queues.delete(b.tag)
    await settler.settle([...itemsOf(a), ...itemsOf(b)])
    expect([...settlesOf(a), ...queue.settles]).toEqual([])
  })
})

describe('after a restart of Redis', () => {
  /** The worker has claimed the partition of `before` again, and loaded it as it is in Redis. */
  function claimAgain(before: PartitionWindow): PartitionWindow {
    const queue = queues.get(before.tag)!
    const again = new PartitionWindow(before.tag, before.partition, 'me:2')
    again.load(queue.chunks, queue.chunks.length)
    queue.claimed = again.claim
    successors.set(before.tag, again)
    return again
  }

  it('it settles under the new claim, and what was loaded again is done', async () => {
    const [a] = partitions()
    const [a1, a2, a3] = itemsOf(a)
    Object.assign(a, { lost: true, mayReturn: true })
    const settled = settler.settle([a1!, a2!, a3!])
    await pass(450)
    expect(settlesOf(a)).toEqual([])
    const again = claimAgain(a)
    await pass(200)
    expect(await settled).toEqual([a1, a2, a3])
    expect(settlesOf(a)).toMatchObject([{ finished: ['0'], partly: [{ id: '1' }] }])
    expect(again.chunks.map(({ id, remaining }) => [id, remaining])).toEqual([['1', 1]])
    expect(again.chunks[0]?.isDone(0)).toBe(true)
    expect(again.waiting).toBe(1)
  })

  it('it settles nothing if Redis lost an earlier settle, so that all is sent again in order', async () => {
    const [a] = partitions()
    const [a1, a2, a3] = itemsOf(a)
    const { chunks } = queues.get(a.tag)!
    await settler.settle([a1!, a2!])
    Object.assign(queues.get(a.tag)!, { chunks, lastSettle: '' })
    Object.assign(a, { lost: true, mayReturn: true })
    const again = claimAgain(a)
    expect(await settler.settle([a3!])).toEqual([])
    expect(settlesOf(a)).toHaveLength(1)
    expect(again.chunks.map(({ id, remaining }) => [id, remaining])).toEqual([
      ['0', 2],
      ['1', 2],
    ])
  })

  it('it settles no dead letters, which Redis may have lost', async () => {
    const [a] = partitions()
    Object.assign(a, { lost: true, mayReturn: true })
    claimAgain(a)
    expect(await settler.settle(itemsOf(a), { areBuried: true })).toEqual([])
    expect(settlesOf(a)).toEqual([])
  })

  it('its own new claim fences no window', async () => {
    const [a] = partitions()
    const settled = settler.settle(itemsOf(a))
    Object.assign(a, { lost: true, mayReturn: true })
    claimAgain(a)
    await pass(200)
    expect(await settled).toHaveLength(4)
    expect(fenced).toEqual([])
  })

  it('it gives up when the partition does not return', async () => {
    const [a] = partitions()
    Object.assign(a, { lost: true, mayReturn: true })
    const settled = settler.settle(itemsOf(a))
    await pass(6_000)
    expect(await settled).toEqual([])
    expect(settlesOf(a)).toEqual([])
  })
})

describe('an erased chunk', () => {
  it('is removed as a whole, and a window without one is left alone', async () => {
    const [a, b] = partitions()
    a.chunks[0]?.markWhere(() => true)
    await Promise.all([settler.sweep(a), settler.sweep(b)])
    await turn()
    expect(settlesOf(a)).toMatchObject([{ finished: ['0'], partly: [] }])
    expect(settlesOf(b)).toEqual([])
  })
})
