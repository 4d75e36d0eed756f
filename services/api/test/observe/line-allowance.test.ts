import fc from 'fast-check'
import { LineAllowance } from '../../src/observe/reporter.js'

/** What happens at each of these moments: the line's count of withheld ones, or null. */
function taken(gapsMs: readonly number[]): (number | null)[] {
  let nowMs = 0
  const allowance = new LineAllowance({ nowMs: () => 0, monotonicMs: () => nowMs })
  return gapsMs.map((gapMs) => {
    nowMs += gapMs
    return allowance.take()
  })
}

test('few lines are all written, each saying that none was withheld', () => {
  expect(taken(Array.from({ length: 50 }, () => 1))).toEqual(Array.from({ length: 50 }, () => 0))
})

test('at most 100 lines in any 10 s, and every withheld one is told of by a later line', () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 2_000 })
  fc.assert(
    fc.property(gaps, (gapsMs) => {
      const all = taken(gapsMs)
      let atMs = 0
      const writtenMs = gapsMs.flatMap((gapMs, i) => {
        atMs += gapMs
        return all[i] === null ? [] : [atMs]
      })
      writtenMs.forEach((ms, i) =>
        expect((writtenMs[i + 100] ?? Infinity) - ms).toBeGreaterThanOrEqual(10_000),
      )
      const lastWritten = all.findLastIndex((told) => told !== null)
      const told = all.reduce<number>((sum, withheld) => sum + (withheld ?? 0), 0)
      const withheld = all.slice(0, lastWritten + 1).filter((one) => one === null).length
      expect(told).toBe(withheld)
    }),
  )
})
