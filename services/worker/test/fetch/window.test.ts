import fc from 'fast-check'
import { PartitionWindow, type Item } from '../../src/fetch/window.js'
import { plainElement } from '../support/plain-element.js'
import { partitions, windowsOf } from '../support/windows.js'

function itemsOf(window: PartitionWindow): Item[] {
  return window.chunks.flatMap((chunk) =>
    chunk.elements.map((element, index) => ({ window, chunk, index, element })),
  )
}

describe("an owner's window", () => {
  test('another owner, who reads what Redis was told, sees exactly what is not settled', () => {
    fc.assert(
      fc.property(partitions, fc.infiniteStream(fc.boolean()), (specs, coin) => {
        const [window] = windowsOf(specs.slice(0, 1))
        if (window === undefined) return
        const all = itemsOf(window)
        const chosen = all.filter(() => coin.next().value)
        // Redis, as the settle script leaves it.
        const redis = new Map(window.chunks.map((chunk) => [chunk.id, chunk]))
        const marks = new Map<string, Buffer>()
        const { finished, partly } = window.settle(chosen)
        for (const id of finished) redis.delete(id)
        for (const { id, done } of partly) marks.set(id, done)
        const heir = new PartitionWindow(window.tag, window.partition, 'heir:1')
        heir.load(
          [...redis.values()].map(({ id, elements }) => ({
            id,
            elements,
            bytes: 1,
            done: marks.get(id) ?? Buffer.alloc(0),
          })),
          redis.size,
        )
        const settled = new Set(chosen.map(({ element }) => element))
        const seen = heir.chunks.flatMap((chunk) =>
          chunk.elements.filter((_, index) => !chunk.isDone(index)),
        )
        expect(seen).toEqual(all.map(({ element }) => element).filter((e) => !settled.has(e)))
      }),
    )
  })

  test('counts what remains of a partly settled chunk by kind, as posted', () => {
    fc.assert(
      fc.property(partitions, (specs) => {
        const [window] = windowsOf(specs.slice(0, 1))
        if (window === undefined) return
        const [first, ...rest] = itemsOf(window)
        if (first === undefined) return
        const { partly } = window.settle([first])
        for (const { counts } of partly) {
          const left = rest.filter(({ chunk }) => chunk === first.chunk)
          for (const kind of ['user', 'event', 'device'] as const) {
            expect(counts[kind]).toBe(left.filter(({ element }) => element.kind === kind).length)
          }
        }
      }),
    )
  })
})

describe('what a window says of itself', () => {
  const partition = { appId: 'APP', lane: 'realtime' as const, generation: 0, index: 0 }
  const fresh = () => new PartitionWindow('APP/realtime/0/0', partition, 'me:1')
  const element = (change: object = {}) =>
    plainElement({
      kind: 'user',
      cost: 1,
      customer: 'ann',
      posted: 1,
      json: Buffer.from('{"a":1}'),
      provenance: { requestId: 'r', acceptedAtMs: 7 },
      ...change,
    })
  const chunk = (id: string, elements: ReturnType<typeof element>[], change: object = {}) => {
    return { id, bytes: 10, elements, done: Buffer.alloc(0), ...change }
  }

  test('there is work until it is read, and while something waits', () => {
    const window = fresh()
    expect([window.hasWork, window.hasUnloaded, window.isUnreadable]).toEqual([true, true, false])
    window.stale = false
    expect([window.hasWork, window.hasUnloaded]).toEqual([false, false])
    window.load([chunk('1', [element()])], 3)
    expect([window.waiting, window.hasWork, window.hasUnloaded]).toEqual([3, true, true])
    window.load([chunk('2', [element()]), chunk('3', [element()])], 0)
    expect([window.waiting, window.hasWork, window.hasUnloaded]).toEqual([3, true, false])
  })

  test('what it cannot read is no work, but what is before it is', () => {
    const window = fresh()
    window.load([chunk('1', [element()])], 5)
    window.unreadable = 2
    expect([window.hasWork, window.hasUnloaded, window.isUnreadable]).toEqual([true, false, false])
    window.settle(itemsOf(window))
    expect([window.hasWork, window.hasUnloaded, window.isUnreadable]).toEqual([false, false, true])
  })

  test('its memory is that of the text of what is loaded', () => {
    const window = fresh()
    const long = element({ json: Buffer.alloc(25) })
    window.load([chunk('1', [long, element()]), chunk('2', [element()])], 2)
    expect(window.loadedBytes).toBe(25 + 7 + 7)
    expect(window.expansion).toBe(1)
    window.load([chunk('3', [long, long])], 3)
    expect(window.expansion).toBe(5)
    window.load([chunk('4', [long], { bytes: 0 })], 4)
    expect(window.expansion).toBe(5)
    window.settle(itemsOf(window).filter(({ chunk: { id } }) => id === '1' || id === '3'))
    expect([window.loadedBytes, window.waiting]).toEqual([7 + 25, 2])
  })

  test('it tells whether all are updates', () => {
    const window = fresh()
    expect(window.hasOnlyUpdates).toBe(true)
    window.load([chunk('1', [element()]), chunk('2', [element({ kind: 'event' })])], 2)
    expect(window.hasOnlyUpdates).toBe(false)
    window.settle(itemsOf(window).slice(1))
    expect(window.hasOnlyUpdates).toBe(true)
  })

  test('what is erased is done, and lets its chunk go', () => {
    const window = fresh()
    const bob = element({ customer: 'bob' })
    window.load([chunk('1', [element(), bob]), chunk('2', [element(), element()])], 2)
    const [first, second] = window.chunks
    const erase = () => {
      for (const one of window.chunks) one.markWhere(({ customer }) => customer === 'ann')
    }
    erase()
    expect([0, 1].map((i) => first?.isDone(i))).toEqual([true, false])
    expect([first?.remaining, second?.remaining]).toEqual([1, 0])
    expect(window.takeErased()).toEqual(['2'])
    expect([window.chunks.length, window.waiting, window.loadedBytes]).toEqual([1, 1, 14])
    expect(window.takeErased()).toEqual([])
    erase()
    expect(first?.remaining).toBe(1)
  })

  test('what has no text is done, as is what Redis has marked', () => {
    const window = fresh()
    const gone = element({ json: Buffer.alloc(0) })
    const many = [gone, ...Array.from({ length: 9 }, () => element())]
    window.load([chunk('1', many, { done: Buffer.from([0b100, 0b10]) })], 1)
    const [only] = window.chunks
    expect(many.map((_, i) => only?.isDone(i))).toEqual(many.map((_, i) => [0, 2, 9].includes(i)))
    expect(only?.remaining).toBe(7)
    const { partly, finished } = window.settle(itemsOf(window).slice(1, 2))
    expect(finished).toEqual([])
    expect(partly).toEqual([
      {
        id: '1',
        done: Buffer.from([0b111, 0b10]),
        counts: { bytes: 10, user: 6, event: 0, device: 0 },
      },
    ])
    expect(window.settle(itemsOf(window).slice(1, 2)).partly[0]?.counts.user).toBe(6)
  })
})
