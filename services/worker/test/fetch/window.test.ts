import fc from 'fast-check'
import { PartitionWindow, type Item } from '../../src/fetch/window.js'
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
