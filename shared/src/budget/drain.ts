import type { WorkspaceLimits } from '../config/workspace.js'
import { KINDS, totalOf, type Kind } from '../element.js'
import { sendsInMs, type Gate } from '../gate/gate-state.js'
import type { LaneBacklog } from '../queue/backlog.js'
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

/** What is known of a workspace and its backlog at one moment. */
export interface DrainFacts {
  readonly limits: WorkspaceLimits
  readonly lanes: readonly (Waiting & Pick<LaneBacklog, 'lane' | 'oldestMs'>)[]
  readonly effective: Cost
  readonly used: Cost
  readonly windowMs: number
  readonly gate: Gate
  /** The ledger grants nothing yet, after a restart of Redis. */
  readonly recovers: boolean
  readonly workersAlive: number
  readonly customersHeld: { readonly count: number }
  /** Wall clock, ms since 1970 UTC. */
  readonly nowMs: number
}

/** An element of the realtime lane waits no longer than this when the budgets have room, ms. */
const SLOW_MS = 10_000
/** Share of a budget from which it may be what the backlog waits for. */
const BINDING_SHARE = 0.5

/**
 * The same as an estimate for people. Null while it cannot be estimated: nothing can be sent, or elements
 * wait although the budgets have room, since something is slow of which no rate is known.
 */
export function drainEtaSeconds(facts: DrainFacts): number | null {
  const { limits, lanes, effective, used, windowMs, gate, nowMs } = facts
  const closedMs = sendsInMs(gate, nowMs)
  if (closedMs === null || facts.recovers || facts.workersAlive === 0) return null
  const waiting = waitingByBudget(lanes, limits)
  if (BUDGETS.every((budget) => waiting[budget] === 0)) return 0
  if (closedMs === 0 && isSlow(facts, waiting)) return null
  const realtime = lanes.some(({ lane, elements }) => lane === 'realtime' && totalOf(elements) > 0)
  const allowed = drainSeconds({ waiting, effective, used, windowMs, realtime })
  const seconds = Math.max(allowed, recentWaitMs(facts) / 1000) + closedMs / 1000
  return Math.round(seconds * 10) / 10
}

/**
 * How long the oldest realtime element has waited, ms: the rest takes about as long (Little's law). 0 above
 * `SLOW_MS`, where an outage that is over may be the cause.
 */
function recentWaitMs({ lanes, nowMs }: DrainFacts): number {
  const waits = lanes.map(({ lane, oldestMs }) =>
    lane === 'realtime' && oldestMs !== null ? Math.max(0, nowMs - oldestMs) : 0,
  )
  const waitMs = Math.max(0, ...waits)
  return waitMs > SLOW_MS ? 0 : waitMs
}

function isSlow(facts: DrainFacts, waiting: Cost): boolean {
  const { lanes, effective, used, windowMs, customersHeld, nowMs } = facts
  if (customersHeld.count > 0) return false
  const isLate = lanes.some(
    // Backfill alone is paced over the window.
    ({ lane, oldestMs }) =>
      oldestMs !== null && nowMs - oldestMs > SLOW_MS + (lane === 'backfill' ? windowMs : 0),
  )
  return (
    isLate &&
    BUDGETS.every(
      (budget) => waiting[budget] === 0 || used[budget] < BINDING_SHARE * effective[budget],
    )
  )
}
