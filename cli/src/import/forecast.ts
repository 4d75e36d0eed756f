import { BUDGETS, NO_COST, perBudget, type Budget } from '@relay/shared/budget/cost.js'
import { drainSeconds } from '@relay/shared/budget/drain.js'
import { KINDS, LANES, type Kind } from '@relay/shared/element.js'
import type { WorkspaceView } from '../render/status.js'
import { Recent } from './progress.js'

/**
 * Seconds until MoEngage has the backlog and `linesLeft` more of the same kinds, within the budgets;
 * null while sending is stopped. `perSecond` is the recent rate, which decides if it is lower than the
 * budgets allow.
 */
export function deliverySeconds(
  view: WorkspaceView,
  linesLeft: number,
  perSecond: number | null = null,
): number | null {
  if (view.state !== 'running') return null
  const { backfill } = view.backlog
  const budgetOf = (kind: Kind): Budget =>
    kind === 'event' ? 'events' : kind === 'device' && view.budgets.devices ? 'devices' : 'users'
  const waiting = { ...NO_COST }
  for (const kind of KINDS) {
    const share = backfill.total === 0 ? Number(kind === 'user') : backfill[kind] / backfill.total
    const waits = LANES.reduce((sum, lane) => sum + view.backlog[lane][kind], 0)
    waiting[budgetOf(kind)] += waits + linesLeft * share
  }
  const realtime = view.backlog.realtime.total > 0
  const effective = perBudget((budget) => view.budgets[budget]?.effective ?? 0)
  const used = perBudget((budget) => view.budgets[budget]?.used ?? 0)
  const isEmpty = BUDGETS.every((budget) => waiting[budget] === 0)
  const windowMs = view.budget_window_seconds * 1000
  if (isEmpty) return 0
  const allowed = drainSeconds({ waiting, effective, used, windowMs, realtime })
  const total = BUDGETS.reduce((sum, budget) => sum + waiting[budget], 0)
  return perSecond === null ? allowed : Math.max(allowed, total / perSecond)
}

/** The workspace at one moment. */
export interface Look {
  readonly atMs: number
  /** Lines that the import had sent then. */
  readonly sent: number
  /** Pending elements at that time. */
  readonly waiting: number
  /** Length of the budget window. */
  readonly windowMs: number
}

/** The rate covers this time, or a budget window. */
const RATE_MS = 60_000
/** A rate over less than this is unreliable. */
const MIN_MS = 30_000

/**
 * MoEngage's recent delivery rate, as seen by an import: lines sent less pending elements. Known only
 * while elements are pending all the time; otherwise the import is the bottleneck.
 */
export class DeliveryRate {
  readonly #samples = new Recent<{ readonly nowMs: number; readonly delivered: number }>()
  #leastMs = MIN_MS

  add({ atMs, sent, waiting, windowMs }: Look): void {
    if (waiting === 0) {
      this.#samples.clear()
      return
    }
    this.#samples.add({ nowMs: atMs, delivered: sent - waiting }, Math.max(RATE_MS, windowMs))
    this.#leastMs = Math.max(MIN_MS, windowMs)
  }

  /** null if it is not known yet. */
  get perSecond(): number | null {
    const rate = this.#samples.perSecond(({ delivered }) => delivered, this.#leastMs)
    return rate !== null && rate > 0 ? rate : null
  }
}
