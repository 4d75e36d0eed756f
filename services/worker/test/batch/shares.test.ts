import fc from 'fast-check'
import { sharesOf, type Batch } from '../../src/batch/body.js'

/** What of a batch its shares are made of: from which request each element came, and what it counts. */
function batchFrom(elements: readonly { from: number; posted: 0 | 1 }[]): Batch {
  const provenances = Array.from({ length: 5 }, (_, i) => ({
    requestId: `request-${i}`,
    acceptedAtMs: i,
  }))
  const items = elements.map(({ from, posted }) => {
    return { element: { provenance: provenances[from], posted } }
  })
  return { items } as unknown as Batch
}

describe('the shares of a batch', () => {
  test('name the request of every run of elements, in order, with what it posted', () => {
    const element = fc.record({
      from: fc.integer({ min: 0, max: 4 }),
      posted: fc.constantFrom(0 as const, 1 as const),
    })
    fc.assert(
      fc.property(fc.array(element, { maxLength: 40 }), (elements) => {
        const runs: { requestId: string; elements: number }[] = []
        elements.forEach(({ from, posted }, i) => {
          const last = runs.at(-1)
          if (last !== undefined && elements[i - 1]?.from === from) last.elements += posted
          else runs.push({ requestId: `request-${from}`, elements: posted })
        })
        expect([...sharesOf(batchFrom(elements))]).toEqual(runs)
      }),
    )
  })
})
