import fc from 'fast-check'
import {
  decideScale,
  FIRST_SCALE,
  type BudgetLoad,
  type Load,
} from '@relay/shared/scaling/workers-wanted.js'

const load = (budget: Partial<BudgetLoad>, workers = 1): Load => ({
  windowMs: 60_000,
  workers,
  budgets: [{ waiting: 0, used: 0, limit: 600_000, allowed: 600_000, ...budget }],
})

test('a burst is answered at once, and a gap only after five calm minutes', () => {
  const up = decideScale(FIRST_SCALE, load({ waiting: 500_000 }), 1_000)
  expect(up.wanted).toBeGreaterThan(3)
  const gap = decideScale(up, load({}), 6_000)
  expect(gap.wanted).toBe(up.wanted)
  const still = decideScale(gap, load({}), 305_000)
  expect(still.wanted).toBe(up.wanted)
  expect(decideScale(still, load({}), 306_000).wanted).toBe(1)
})

test('a held workspace asks for nobody', () => {
  expect(decideScale(FIRST_SCALE, load({ waiting: 5_000_000, allowed: 0 }), 1_000).wanted).toBe(1)
})

test('workers that are the bottleneck are believed to be as slow as they are', () => {
  let scale = FIRST_SCALE
  const slow = load({ waiting: 900_000, used: 30_000, allowed: 600_000 })
  for (let nowMs = 0; nowMs < 300_000; nowMs += 5_000) scale = decideScale(scale, slow, nowMs)
  expect(scale.perWorker).toBeLessThan(700)
  expect(scale.wanted).toBeGreaterThan(10)
})

test('never fewer than one, never more than the budgets can use', () => {
  const units = fc.nat({ max: 10_000_000 })
  const budgetLoads = fc
    .record({
      waiting: units,
      used: units,
      limit: units,
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    .map(({ share, ...budget }) => ({ ...budget, allowed: Math.floor(budget.limit * share) }))
  fc.assert(
    fc.property(
      fc.array(budgetLoads, { maxLength: 8 }),
      fc.nat({ max: 50 }),
      (budgets, workers) => {
        let scale = FIRST_SCALE
        for (let nowMs = 5_000; nowMs < 60_000; nowMs += 5_000) {
          scale = decideScale(scale, { windowMs: 60_000, workers, budgets }, nowMs)
          const rate = budgets.reduce((sum, { limit }) => sum + limit, 0) / 60
          expect(scale.wanted).toBeGreaterThanOrEqual(1)
          expect(scale.wanted).toBeLessThanOrEqual(Math.max(1, Math.ceil(rate / scale.perWorker)))
        }
      },
    ),
  )
})
