import { BUDGETS, effectiveLimits } from '@relay/shared/budget/cost.js'
import type { Workspace } from '@relay/shared/config/workspace.js'
import { LANES, totalOf } from '@relay/shared/element.js'
import type { LaneBacklog } from '@relay/shared/queue/backlog.js'
import { budgetNeed } from '@relay/shared/shadow/budget-need.js'
import type { ShadowRecord } from '@relay/shared/shadow/shadow-report.js'

/** The report of a workspace in shadow, as the operator API shows it. */
export function shadowView(
  { appId, mode, shadowed, limits }: Workspace,
  record: ShadowRecord,
  lanes: readonly LaneBacklog[],
  windowMs: number,
) {
  const { sinceMs, accepted, rejected, requests, refused, warned, packed, minutes } = record
  const configured = effectiveLimits(limits, 1)
  const budgets = BUDGETS.filter((b) => b !== 'devices' || limits.devicesPerWindow !== null)
  const own = lanes.filter((lane) => lane.appId === appId)
  const waiting = LANES.flatMap((name) => own.filter(({ lane }) => lane === name))
  return {
    app_id: appId,
    mode,
    shadowed,
    since: sinceMs === null ? null : new Date(sinceMs).toISOString(),
    requests,
    accepted: { ...accepted, total: totalOf(accepted) },
    rejected,
    refused_by_rule: refused,
    warned_by_rule: warned,
    waiting: waiting.reduce((sum, { elements }) => sum + totalOf(elements), 0),
    /** Requests that would have been sent with the dropped elements. */
    dropped: {
      elements: packed.elements,
      requests: packed.requests,
      bytes: packed.bytes,
      mean_body_bytes: packed.requests === 0 ? 0 : Math.round(packed.bytes / packed.requests),
    },
    budgets: Object.fromEntries(
      budgets.map((budget) => {
        const need = budgetNeed(budget, minutes, configured[budget], windowMs)
        return [
          budget,
          {
            limit: configured[budget],
            units: need.units,
            busiest_minute: need.busiestMinuteUnits,
            busiest_minute_share: rounded(need.busiestMinuteShare),
            longest_wait_seconds: rounded(need.longestWaitSeconds),
          },
        ]
      }),
    ),
  }
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}
