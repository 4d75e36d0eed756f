import type { Budget, Cost } from '@relay/shared/budget/cost.js'
import type { Batch } from '../../src/batch/body.js'
import { BudgetPlanner } from '../../src/budget/budget-planner.js'

const LIMITS: Cost = { users: 1_000, events: 5_000, devices: 0 }
const AMPLE: Cost = { users: 1e9, events: 1e9, devices: 1e9 }
const WINDOW_MS = 60_000

function planner(perRequest = AMPLE) {
  const clock = { now: 1_000_000, nowMs: () => 0, monotonicMs: () => clock.now }
  const options = { clock, windowMs: WINDOW_MS, limits: () => LIMITS, perRequest: () => perRequest }
  return { clock, of: new BudgetPlanner(options) }
}

/** A granted request of `bytes` bytes of each of these budgets' elements. */
function batch(cost: Partial<Cost>, budgetBytes: Partial<Cost>): Batch {
  const none = { users: 0, events: 0, devices: 0 }
  return { cost: { ...none, ...cost }, budgetBytes: { ...none, ...budgetBytes } } as Batch
}

describe('the next request', () => {
  it('may take all of a budget that was never denied, but no more than one request should', () => {
    const { of } = planner()
    of.granted(batch({ users: 300 }, { users: 1_000 }), 1_000)
    expect(of.next()).toEqual(LIMITS)
    expect(planner({ users: 70, events: 9_999, devices: 5 }).of.next()).toEqual({
      users: 70,
      events: 5_000,
      devices: 0,
    })
  })

  it('takes an even share of a budget for one window after it was denied', () => {
    const { clock, of } = planner()
    // 300 units fill a body: four requests of 250 use up 1,000.
    of.granted(batch({ users: 300 }, { users: 1_000 }), 1_000)
    of.denied(['users'])
    expect(of.next()).toEqual({ ...LIMITS, users: 250 })
    clock.now += WINDOW_MS - 1
    expect(of.next().users).toBe(250)
    clock.now += 1
    expect(of.next().users).toBe(1_000)
  })

  it('knows how much fills a body only from what was granted', () => {
    const { of } = planner()
    of.denied(['users', 'events'])
    expect(of.next()).toEqual(LIMITS)
    // Half of the body is users': a body full of them would have twice as many.
    of.granted(batch({ users: 150 }, { users: 500 }), 1_000)
    expect(of.next()).toEqual({ ...LIMITS, users: 250 })
    // A fifth of the way from 300 to 800: 400 fill a body, three requests of 334 use up 1,000.
    of.granted(batch({ users: 800 }, { users: 1_000 }), 1_000)
    expect(of.next()).toEqual({ ...LIMITS, users: 334 })
  })

  it('takes nothing of a budget that it does without', () => {
    const { clock, of } = planner()
    of.renounce(['events'], 500)
    expect(of.next()).toEqual({ ...LIMITS, events: 0 })
    clock.now += 499
    expect(of.next().events).toBe(0)
    clock.now += 1
    expect(of.next().events).toBe(5_000)
  })
})

describe('a shortage', () => {
  it.each<[readonly (readonly [Budget, number])[], number]>([
    [[], Infinity],
    [[['users', 300]], 300],
    [
      [
        ['users', 300],
        ['events', 200],
      ],
      200,
    ],
    [
      [
        ['users', 300],
        ['events', 0],
      ],
      300,
    ],
    [
      [
        ['users', 300],
        ['users', 100],
      ],
      100,
    ],
  ])('of %j lasts %d ms', (renounced, waitMs) => {
    const { of } = planner()
    for (const [budget, forMs] of renounced) of.renounce([budget], forMs)
    expect(of.shortForMs()).toBe(waitMs)
    expect(of.isShort()).toBe(waitMs < Infinity)
  })

  it('is over when its time is', () => {
    const { clock, of } = planner()
    of.renounce(['users'], 300)
    clock.now += 299
    expect(of.shortForMs()).toBe(1)
    clock.now += 1
    expect(of.isShort()).toBe(false)
  })

  it('that ended while one looked elsewhere leaves nothing to wait for', () => {
    const { clock, of } = planner()
    const sinceMs = clock.now
    of.renounce(['users'], 3)
    clock.now += 5
    expect(of.shortForMs(sinceMs)).toBe(0)
    expect(of.shortForMs()).toBe(Infinity)
    of.renounce(['events'], 40)
    expect(of.shortForMs(sinceMs)).toBe(0)
    expect(of.shortForMs()).toBe(40)
  })
})
