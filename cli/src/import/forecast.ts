import { BUDGETS, NO_COST, type Budget } from '@relay/shared/budget/cost.js'
import { drainSeconds } from '@relay/shared/budget/drain.js'
import { KINDS, LANES, type Kind } from '@relay/shared/element.js'
import type { WorkspaceView } from '../render/status.js'

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
  const perBudget = (of: (budget: Budget) => number) =>
    ({ users: of('users'), events: of('events'), devices: of('devices') }) as const
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
