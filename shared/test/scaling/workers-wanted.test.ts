import fc from 'fast-check'
import {
  decideScale,
  FIRST_SCALE,
  mostUseful,
  type BudgetLoad,
  type Load,
  type Scale,
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

test('a held workspace asks for no worker', () => {
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

/** Workers send 1,000 units a second each: 60,000 in a window. */
const known = (change: Partial<Scale> = {}): Scale => ({
  ...FIRST_SCALE,
  perWorker: 1_000,
  workers: 1,
  ...change,
})

describe('the number of workers is what', () => {
  it.each<[string, number, Partial<BudgetLoad>, number]>([
    ['nothing needs', 1, {}, 1],
    ['the last window used', 1, { used: 180_000 }, 3],
    ['drains the backlog in a minute', 1, { waiting: 180_000 }, 3],
    ['does both', 1, { used: 120_000, waiting: 120_000 }, 4],
    ['the budget allows', 1, { used: 120_000, waiting: 900_000, allowed: 240_000 }, 4],
    ['the configured budget can feed', 1, { waiting: 900_000, limit: 240_000 }, 4],
    ['is there, if that is a tenth too few', 2, { waiting: 132_000 }, 2],
    ['is one more, if that is over a tenth too few', 2, { waiting: 132_060 }, 3],
  ])('%s', (_, wanted, budget, expected) => {
    expect(decideScale(known({ wanted }), load(budget, 4), 1_000).wanted).toBe(expected)
  })

  it('all budgets ask for together, each within its own', () => {
    const one = { waiting: 0, used: 60_000, limit: 600_000, allowed: 600_000 }
    const dear = { ...one, used: 900_000, allowed: 120_000 }
    const both = { windowMs: 60_000, workers: 20, budgets: [one, dear] }
    expect(decideScale(known(), both, 1_000)).toMatchObject({ wanted: 3, decidedAtMs: 1_000 })
    expect(mostUseful(both, 1_000)).toBe(20)
    expect(mostUseful({ ...both, windowMs: 120_000 }, 1_000)).toBe(10)
    expect(mostUseful({ ...both, budgets: [] }, 1_000)).toBe(1)
  })
})

describe('fewer are asked for', () => {
  const four = known({ wanted: 4, fewerMost: 4, workers: 4 })

  it('at once when the budgets cannot feed so many any more', () => {
    const shrunk = load({ used: 100_000, limit: 120_000, allowed: 120_000 }, 4)
    const scale = decideScale({ ...four, fewerSinceMs: 500, fewerMost: 3 }, shrunk, 1_000)
    expect(scale).toMatchObject({ wanted: 2, fewerSinceMs: null, fewerMost: 2 })
  })

  it('but not when they can feed just so many', () => {
    const just = load({ limit: 240_000, allowed: 240_000 }, 4)
    expect(decideScale(four, just, 1_000)).toMatchObject({ wanted: 4, fewerSinceMs: 1_000 })
  })

  it('after five minutes in which the most that was needed was less: as many as that', () => {
    const needs = (workers: number) => load({ used: workers * 60_000 }, 4)
    const first = decideScale(four, needs(2), 0)
    expect(first).toMatchObject({ wanted: 4, fewerSinceMs: 0, fewerMost: 2 })
    const second = decideScale(first, needs(3), 100_000)
    expect(second).toMatchObject({ wanted: 4, fewerSinceMs: 0, fewerMost: 3 })
    const third = decideScale(second, needs(1), 299_999)
    expect(third).toMatchObject({ wanted: 4, fewerSinceMs: 0, fewerMost: 3 })
    const last = decideScale(third, needs(1), 300_000)
    expect(last).toMatchObject({ wanted: 3, fewerSinceMs: null, fewerMost: 3 })
  })

  it('counted again from when all were needed', () => {
    const calm = decideScale(four, load({ used: 60_000 }, 4), 0)
    const busy = decideScale(calm, load({ used: 240_000 }, 4), 200_000)
    expect(busy).toMatchObject({ wanted: 4, fewerSinceMs: null, fewerMost: 4 })
    const again = decideScale(busy, load({ used: 60_000 }, 4), 400_000)
    expect(again).toMatchObject({ wanted: 4, fewerSinceMs: 400_000, fewerMost: 1 })
  })
})

describe('a worker is believed to send', () => {
  const learnt = (before: Scale, given: Load, nowMs: number) =>
    decideScale(before, given, nowMs).perWorker

  it('more at once when it did', () => {
    expect(learnt(known(), load({ used: 90_000 }), 1_000)).toBe(1_500)
    expect(learnt(known(), load({ used: 240_000 }, 2), 1_000)).toBe(2_000)
    expect(learnt(known(), load({ used: 60_000_000 }), 1_000)).toBe(20_000)
  })

  it('no less while it had no more to send, or when there is none', () => {
    expect(learnt(known(), load({ used: 6_000 }), 900_000)).toBe(1_000)
    expect(learnt(known(), load({ used: 90_000 }, 0), 1_000)).toBe(1_000)
  })

  /** Work waits, and the budget idles. */
  const short = { waiting: 900_000, used: 30_000 }

  it('less, a tenth of the way, once work waited on the same workers for a whole window', () => {
    const since = decideScale(known(), load(short), 0)
    expect(since).toMatchObject({ perWorker: 1_000, shortSinceMs: 0 })
    const before = decideScale(since, load(short), 59_999)
    expect(before).toMatchObject({ perWorker: 1_000, shortSinceMs: 0 })
    expect(learnt(before, load(short), 60_000)).toBe(950)
    expect(learnt(before, load({ ...short, used: 0 }), 60_000)).toBe(900)
    const least = { ...before, perWorker: 50 }
    expect(learnt(least, load({ ...short, used: 0 }), 60_000)).toBe(50)
  })

  it('as before while their number changes: the window shows others', () => {
    const since = decideScale(known(), load(short), 0)
    const more = decideScale(since, load(short, 2), 60_000)
    expect(more).toMatchObject({ perWorker: 1_000, shortSinceMs: 60_000, workers: 2 })
  })

  it.each<[string, Partial<BudgetLoad>]>([
    ['is paused', { ...short, allowed: 0 }],
    ['has no more waiting than it allows', { ...short, waiting: 600_000 }],
    ['is nine tenths used', { ...short, used: 540_000 }],
  ])('as before while no budget idles because it %s', (_, budget) => {
    const scale = decideScale(known({ shortSinceMs: 0 }), load(budget), 60_000)
    expect(scale.shortSinceMs).toBeNull()
    expect(scale.perWorker).toBe(Math.max(1_000, (budget.used ?? 0) / 60))
  })

  it('less also when one budget of several idles', () => {
    const idle = { limit: 600_000, allowed: 600_000, ...short }
    const full = { waiting: 0, used: 6_000, limit: 600_000, allowed: 600_000 }
    const both = { windowMs: 60_000, workers: 1, budgets: [full, idle] }
    expect(learnt(known({ shortSinceMs: 0 }), both, 60_000)).toBe(960)
  })
})
