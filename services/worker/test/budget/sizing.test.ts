import fc from 'fast-check'
import { evenShare } from '../../src/budget/budget-planner.js'

describe('the even share of a saturated budget', () => {
  test('never exceeds a body by more than rounding, nor the limit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.integer({ min: 1, max: 2_000 }),
        (limit, body) => {
          const share = evenShare(limit, body)
          expect(share).toBeGreaterThanOrEqual(1)
          expect(share).toBeLessThanOrEqual(Math.max(1, limit))
          expect(share).toBeLessThanOrEqual(body + 1)
        },
      ),
    )
  })

  test('uses a window up but for a negligible rest', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1_000, max: 100_000 }),
        fc.integer({ min: 50, max: 500 }),
        (limit, body) => {
          const share = evenShare(limit, body)
          const unused = limit - Math.floor(limit / share) * share
          // A tenth of a body, or what rounding up each of the requests takes.
          expect(unused).toBeLessThanOrEqual(Math.max(0.1 * body + 1, share))
          const requests = Math.ceil(limit / share)
          expect(requests).toBeLessThanOrEqual(Math.ceil(limit / body))
        },
      ),
    )
  })

  test.each([
    [5_000, 400, 385],
    [20_000, 435, 435],
    [1_500, 435, 375],
    [300, 435, 300],
    [4_020, 400, 400],
    [4_080, 400, 371],
    [5_000, 0, 5_000],
  ])('of a limit of %i with bodies of %i is %i', (limit, body, share) =>
    expect(evenShare(limit, body)).toBe(share),
  )
})
