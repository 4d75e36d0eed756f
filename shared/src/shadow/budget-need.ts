import type { Budget, Cost } from '../budget/cost.js'

/** Use of one budget that a workspace in shadow would have had. */
export interface BudgetNeed {
  readonly units: number
  readonly busiestMinuteUnits: number
  /** The same as a share of the budget per minute. */
  readonly busiestMinuteShare: number
  /** The longest that an element would have waited for this budget, seconds. */
  readonly longestWaitSeconds: number
}

const MINUTE_MS = 60_000

/**
 * Use of a budget of `limit` per window by the units accepted per minute. Units that exceed one minute
 * wait for the next. Pure.
 */
export function budgetNeed(
  budget: Budget,
  minutes: readonly (readonly [minute: number, units: Cost])[],
  limit: number,
  windowMs: number,
): BudgetNeed {
  const perMinute = Math.max(1, (limit * MINUTE_MS) / windowMs)
  let units = 0
  let busiest = 0
  let waiting = 0
  let mostWaiting = 0
  let before: number | null = null
  for (const [minute, costs] of minutes) {
    if (before !== null) waiting = Math.max(0, waiting - (minute - before) * perMinute)
    before = minute
    units += costs[budget]
    waiting += costs[budget]
    busiest = Math.max(busiest, costs[budget])
    mostWaiting = Math.max(mostWaiting, waiting)
  }
  const late = Math.max(0, mostWaiting - perMinute)
  return {
    units,
    busiestMinuteUnits: busiest,
    busiestMinuteShare: busiest / perMinute,
    longestWaitSeconds: (late / perMinute) * 60,
  }
}
