import { BUDGETS, effectiveLimits, type Budget, type Cost } from '@relay/shared/budget/cost.js'
import {
  dayText,
  NAME_LIMITS,
  type NameDoubt,
  type NameRecord,
} from '@relay/shared/census/name-record.js'
import type { Workspace } from '@relay/shared/config/workspace.js'
import { LANES, totalOf } from '@relay/shared/element.js'
import type { LaneBacklog } from '@relay/shared/queue/backlog.js'
import type { PartitionList } from '@relay/shared/queue/workers.js'
import type { ShadowRecord } from '@relay/shared/shadow/shadow-report.js'
import { isStandardAttribute } from '@relay/shared/vendor/user-attributes.js'

const NAME_KINDS = { events: 'event', user: 'user attribute', event: 'event attribute' } as const

/** The census of a workspace, as the operator API shows it: doubtful names first. */
export function namesView(appId: string, records: readonly NameRecord[]) {
  const names = records.map((record) => ({
    kind: NAME_KINDS[record.scope.of],
    ...(record.scope.of === 'event' ? { event: record.scope.event } : {}),
    name: record.name,
    types: record.types,
    since: dayText(record.firstDay),
    producer: record.producer,
    doubt: doubtText(record),
  }))
  return {
    app_id: appId,
    bounds: boundsOf(records),
    names: names.sort(
      (a, b) =>
        Number(a.doubt === null) - Number(b.doubt === null) ||
        compare(a.kind, b.kind) ||
        compare(a.event ?? '', b.event ?? '') ||
        compare(a.name, b.name),
    ),
  }
}

/** How near to what MoEngage takes of a workspace; standard attributes do not count. */
function boundsOf(records: readonly NameRecord[]) {
  const { events, userAttributes, ofPortfolio, eventAttributes, userObjects, eventObjects } =
    NAME_LIMITS
  const own = records.filter(({ scope, name }) => scope.of !== 'user' || !isStandardAttribute(name))
  const count = (of: NameRecord['scope']['of']) => own.filter(({ scope }) => scope.of === of)
  const objects = (of: NameRecord['scope']['of']) =>
    count(of).filter(({ types }) => types.includes('object')).length
  const perEvent = new Map<string, number>()
  for (const { scope } of own) {
    if (scope.of === 'event') perEvent.set(scope.event, (perEvent.get(scope.event) ?? 0) + 1)
  }
  const [widest = ['', 0] as const] = [...perEvent].sort(([, a], [, b]) => b - a)
  return [
    { of: 'events', known: count('events').length, limit: events, portfolio_limit: ofPortfolio },
    {
      of: 'user attributes',
      known: count('user').length,
      limit: userAttributes,
      portfolio_limit: ofPortfolio,
    },
    { of: 'attributes of one event', event: widest[0], known: widest[1], limit: eventAttributes },
    { of: 'user attributes of type object', known: objects('user'), limit: userObjects },
    { of: 'event attributes of type object', known: objects('event'), limit: eventObjects },
  ]
}

function doubtText({ doubt, types }: NameRecord): string | null {
  const [first, ...others] = types
  if (doubt !== null) return DOUBTS[doubt.why](doubt)
  return others.length === 0 ? null : `was ${first} first, is ${others.join(', ')} too`
}

const DOUBTS: Readonly<Record<NameDoubt['why'], (doubt: NameDoubt) => string>> = {
  beyond: () => 'beyond what MoEngage takes',
  objects: () => 'beyond the objects that MoEngage takes',
  lookalike: (doubt) => (doubt.why === 'lookalike' ? `one letter from ${doubt.of}` : ''),
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Maximum number of partitions shown: the fullest ones. A relay may have thousands. */
export const MAX_PARTITIONS = 64

/** The partitions that contain elements, for `GET /admin/partitions`. Null means unknown. */
export function partitionsView({ partitions, total }: PartitionList, nowMs: number) {
  return {
    total,
    partitions: partitions.map(({ appId, lane, generation, index, ...state }) => ({
      app_id: appId,
      lane,
      generation,
      partition: index,
      chunks: state.chunks,
      elements: {
        ...state.elements,
        total: totalOf(state.elements),
      },
      bytes: state.bytes,
      oldest_age_seconds:
        state.oldestMs === null ? null : Math.max(0, (nowMs - state.oldestMs) / 1000),
      /** Session of the live worker that claims it; null: no live worker does. */
      owner: state.owner,
    })),
  }
}

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

/** Use of one budget that a workspace in shadow would have had. */
interface BudgetNeed {
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
