import type { WorkspaceLimits } from '../config/workspace.js'
import { KINDS, type Kind } from '../element.js'
import { budgetOf, BUDGETS, NO_COST, REALTIME_HEADROOM, type Cost } from './cost.js'

/** Backlog of some lanes by the budget that pays for it: an element is one unit, an event one per action. */
export function waitingByBudget(lanes: readonly Waiting[], limits: WorkspaceLimits): Cost {
  const sums = { ...NO_COST }
  for (const { elements, furtherActions } of lanes) {
    for (const kind of KINDS) sums[budgetOf(kind, limits)] += elements[kind]
    sums.events += furtherActions
  }
  return sums
}

interface Waiting {
  readonly elements: Readonly<Record<Kind, number>>
  readonly furtherActions: number
}

export interface Drain {
  /** Backlog, by the budget that it is charged to. */
  readonly waiting: Cost
  /** Limits that MoEngage takes at present. */
  readonly effective: Cost
  /** Units of them in use. */
  readonly used: Cost
  readonly windowMs: number
  /** Whether anything of it is in the realtime lane. */
  readonly realtime: boolean
}

/**
 * Seconds until the backlog is sent if nothing more arrives and MoEngage accepts as much as the
 * budgets allow. The slower budget decides.
 * Backfill alone is paced over the window and leaves realtime's headroom free, so it does not gain
 * from currently unused budget.
 */
export function drainSeconds({ waiting, effective, used, windowMs, realtime }: Drain): number {
  const windows = BUDGETS.map((budget) => {
    const limit = Math.max(1, effective[budget] * (realtime ? 1 : 1 - REALTIME_HEADROOM))
    const free = realtime ? Math.max(0, effective[budget] - used[budget]) : 0
    return Math.max(0, waiting[budget] - free) / limit
  })
  return (Math.max(...windows) * windowMs) / 1000
}

/** Whether anything of a workspace is sent now. */
export interface Sending {
  /** `sendsInMs` of the gate: null while held, paused or retrying. */
  readonly sendsInMs: number | null
  /** The ledger grants nothing yet, after a restart of Redis. */
  readonly recovers: boolean
  readonly workersAlive: number
}

/** The same as an estimate for people: null while nothing can be sent, since nothing can be estimated. */
export function drainEtaSeconds(
  drain: Drain,
  { sendsInMs, recovers, workersAlive }: Sending,
): number | null {
  if (sendsInMs === null || recovers || workersAlive === 0) return null
  const isEmpty = BUDGETS.every((budget) => drain.waiting[budget] === 0)
  const seconds = drainSeconds(drain) + (isEmpty ? 0 : sendsInMs / 1000)
  return Math.round(seconds * 10) / 10
}
