import type { WorkspaceLimits } from '../config/workspace.js'
import { KINDS, type Kind } from '../element.js'
import { budgetOf, BUDGETS, NO_COST, type Cost } from './cost.js'

/** Waiting elements by the budget that pays for them, each as one unit. */
export function waitingByBudget(
  waiting: Readonly<Record<Kind, number>>,
  limits: WorkspaceLimits,
): Cost {
  const sums = { ...NO_COST }
  for (const kind of KINDS) sums[budgetOf(kind, limits)] += waiting[kind]
  return sums
}

/**
 * Seconds until what waits is sent if nothing more arrives and MoEngage takes it from now on at the
 * effective limits. The slower budget decides. An event with several actions counts as one here.
 */
export function drainSeconds(waiting: Cost, effective: Cost, windowMs: number): number {
  const windows = BUDGETS.map((budget) =>
    waiting[budget] === 0 ? 0 : waiting[budget] / Math.max(1, effective[budget]),
  )
  return (Math.max(...windows) * windowMs) / 1000
}
