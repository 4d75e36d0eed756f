import { count, duration, table, counted, printable } from './table.js'

interface ShadowBudget {
  readonly limit: number
  readonly units: number
  readonly busiest_minute: number
  readonly busiest_minute_share: number
  readonly longest_wait_seconds: number
}

/** `GET /admin/workspaces/{app_id}/shadow`. */
export interface ShadowView {
  readonly app_id: string
  readonly mode: 'live' | 'shadow'
  readonly shadowed: 'drop' | 'send'
  readonly since: string | null
  readonly requests: Readonly<Record<'accepted' | 'refused' | 'failed', number>>
  readonly accepted: Readonly<Record<'user' | 'event' | 'device' | 'total', number>>
  readonly rejected: number
  readonly refused_by_rule: Readonly<Record<string, number>>
  readonly warned_by_rule: Readonly<Record<string, number>>
  readonly waiting: number
  readonly dropped: Readonly<Record<'elements' | 'requests' | 'bytes' | 'mean_body_bytes', number>>
  readonly budgets: Readonly<Record<string, ShadowBudget>>
}

const HEAD = ['BUDGET', 'PER WINDOW', 'UNITS', 'BUSIEST MINUTE', 'SHARE', 'LONGEST WAIT']

/** What a workspace in shadow would have done, and what to do next. */
export function shadowLines(view: ShadowView): string[] {
  const { app_id, mode, since, requests, accepted, rejected, dropped, waiting } = view
  if (since === null) {
    return [
      `No posts to ${app_id} in shadow yet; it is ${mode}.`,
      ...(mode === 'live' ? ['  Next: "mode": "shadow" in the workspaces file.'] : []),
    ]
  }
  return [
    `${app_id} is ${mode}; in shadow since ${since}.`,
    `Requests: ${count(requests.accepted)} accepted, ${count(requests.refused)} refused, ${count(requests.failed)} failed.`,
    `Elements: ${count(accepted.total)} accepted (${counted(accepted.user, 'user')}, ${counted(accepted.event, 'event')}, ${counted(accepted.device, 'device')}), ${count(rejected)} refused.`,
    ...rules('refused', view.refused_by_rule),
    ...rules('warned of', view.warned_by_rule),
    `Dropped instead of sent: ${counted(dropped.elements, 'element')} in ${counted(dropped.requests, 'request')}, ${counted(dropped.mean_body_bytes, 'byte')} each.`,
    `Waiting: ${count(waiting)}.`,
    '',
    ...table(HEAD, Object.entries(view.budgets).map(budgetRow), [1, 2, 3, 4, 5]),
    '',
    ...next(view),
  ]
}

function rules(what: string, byRule: Readonly<Record<string, number>>): string[] {
  const most = Object.entries(byRule).sort(([, a], [, b]) => b - a)
  return most.map(([rule, n]) => `  ${what}: ${rule} ${count(n)}`)
}

function budgetRow([name, need]: [string, ShadowBudget]): string[] {
  return [
    name,
    count(need.limit),
    count(need.units),
    count(need.busiest_minute),
    `${Math.round(need.busiest_minute_share * 100)} %`,
    duration(need.longest_wait_seconds),
  ]
}

function next({ mode, shadowed }: ShadowView): string[] {
  if (mode === 'live') return []
  const fate = shadowed === 'send' ? 'relay then sends kept elements.' : 'Elements posted before are not sent.' // prettier-ignore
  return [`Next: "mode": "live" in the workspaces file. ${fate}`]
}

/** The answer of `GET /admin/requests/{id}`. */
export interface TraceView {
  readonly request_id: string
  readonly app_id: string | null
  readonly accepted_at: string
  readonly state: string
  readonly counts: Readonly<Record<string, number | null>>
  readonly sent: readonly {
    at: string
    bulk_request_id: string
    /** MoEngage's name for it; absent from an api of an earlier version. */
    vendor_request_id?: string | null
    elements: number
  }[]
  readonly dead_lettered: readonly {
    id: string
    reason: string
    answer: { status: number; message: string; attribute: string | null }
  }[]
}

function unknownText(accepted: number | null | undefined): string {
  return typeof accepted === 'number'
    ? '  it neither waits nor is noted in a configured workspace: Redis lost data, or its workspace was removed from the file (relay status)'
    : '  the import response contains the element count; relay does not store it'
}

export function traceLines(trace: TraceView): string[] {
  const { accepted, queued, sent, dead_lettered, purged, shadowed } = trace.counts
  const some = (n: number | null | undefined): string => (n === null ? '?' : String(n ?? 0))
  return [
    `${trace.request_id}: ${trace.state.replace('_', '-')}`,
    `  accepted ${trace.accepted_at}${trace.app_id ? ` for ${trace.app_id}` : ''}`,
    `  ${typeof accepted === 'number' ? counted(accepted, 'element') : '? elements'}: ${some(sent)} sent, ${some(queued)} queued, ${some(dead_lettered)} dead, ${some(purged)} purged${shadowed ? `, ${some(shadowed)} accepted in shadow and not sent` : ''}`,
    ...(trace.state === 'unknown' ? [unknownText(accepted)] : []),
    ...trace.sent.map(
      ({ at, bulk_request_id, vendor_request_id, elements }) =>
        `  sent ${at}: ${elements} in bulk request ${bulk_request_id}${vendor_request_id ? `, MoEngage's request_id ${vendor_request_id}` : ''}`,
    ),
    ...trace.dead_lettered.map(
      ({ id, reason, answer }) =>
        `  dead (${reason}): ${answer.status} ${answer.message} → relay dead-letters show ${id}`,
    ),
  ].map(printable)
}

/** `GET /admin/workspaces/{app_id}/names`. */
export interface NamesView {
  readonly app_id: string
  readonly bounds: readonly {
    readonly of: string
    readonly event?: string
    readonly known: number
    readonly limit: number
    readonly portfolio_limit?: number
  }[]
  readonly names: readonly {
    readonly kind: string
    readonly event?: string
    readonly name: string
    readonly types: readonly string[]
    readonly since: string
    readonly producer: string
    readonly doubt: string | null
  }[]
}

const FRESHNESS = 'Apis report names within 10 s of a post.'

/** Names that a workspace was sent, doubtful ones first, and how near they are to MoEngage's bounds. */
export function namesLines({ app_id, bounds, names }: NamesView, all: boolean): string[] {
  if (names.length === 0) return [`No names of ${app_id} are known. ${FRESHNESS}`]
  const doubtful = names.filter(({ doubt }) => doubt !== null)
  const shown = all ? names : doubtful
  const rows = shown.map(({ kind, event, name, types, since, producer, doubt }) => [
    kind,
    printable(event === undefined ? name : `${event} / ${name}`),
    types.join(', '),
    since,
    producer,
    printable(doubt ?? ''),
  ])
  return [
    ...table(['KNOWN', 'OF', 'NAMES'], bounds.map(boundRow), [0, 1]),
    '',
    `${counted(names.length, 'name')}, ${doubtWords(names.length, doubtful.length)}. ${FRESHNESS}`,
    ...(rows.length === 0
      ? []
      : ['', ...table(['KIND', 'NAME', 'TYPES', 'SINCE', 'PRODUCER', 'DOUBT'], rows)]),
  ]
}

function doubtWords(known: number, doubtful: number): string {
  if (known === 1) return doubtful === 0 ? 'not doubtful' : 'doubtful'
  return `${doubtful === 0 ? 'none' : count(doubtful)} of them doubtful`
}

function boundRow({ of, event, known, limit, portfolio_limit }: NamesView['bounds'][number]) {
  const portfolio = portfolio_limit === undefined ? '' : ` (${count(portfolio_limit)} in a Portfolio)` // prettier-ignore
  const which = event === undefined || event === '' ? '' : `: ${printable(event)}`
  return [count(known), count(limit), `${of}${which}${portfolio}`]
}
