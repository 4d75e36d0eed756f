import type { Kind, Lane } from '@relay/shared/element.js'
import { count, counted, duration, table } from './table.js'

export interface BudgetView {
  readonly limit: number
  readonly effective: number
  readonly used: number
  readonly left: number
}

interface Closure {
  readonly reason: string
  readonly since: string
  readonly next_probe_at: string
  /** Absent from an api of a version before 0.2. */
  readonly probe_is_due?: boolean
  /** Absent from an api of a version before 0.2. */
  readonly meaning?: string
}

/** A workspace of `GET /admin/workspaces`. */
export interface WorkspaceView {
  readonly app_id: string
  readonly state: 'running' | 'held' | 'paused'
  readonly mode: 'live' | 'shadow'
  readonly hold: (Closure & { readonly next?: string }) | null
  readonly slowed: (Closure & { readonly state: string; readonly next?: string }) | null
  readonly backlog: Readonly<Record<Lane, Readonly<Record<Kind | 'total', number>>>>
  readonly oldest_age_seconds: Readonly<Record<'realtime' | 'backfill', number | null>>
  readonly budgets: Readonly<Record<string, BudgetView>>
  readonly budget_window_seconds: number
  /** Absent from an api of a version before 0.2. */
  readonly budgets_recovering?: boolean
  /** Absent from an api of a version before 0.2. */
  readonly learned?: {
    readonly budget: Readonly<{ share: number; since: string; full_at: string }> | null
    readonly body: Readonly<{ bytes: number; larger_at: string }> | null
  }
  readonly drain_eta_seconds: number | null
  readonly dead_letters: Readonly<Record<string, number>>
  /** Absent from an api of a version before 0.2. */
  readonly customers_held?: {
    readonly count: number
    readonly longest: readonly Readonly<Record<'customer' | 'since' | 'until', string>>[]
  }
}

interface Problem {
  readonly meaning: string
  readonly next: string
}

/** `GET /admin/workspaces`. */
export interface StatusView {
  readonly workspaces: readonly WorkspaceView[]
  /** Why the api refuses posts; absent from an api of a version before 0.2. */
  readonly intake_problem?: Problem | null
  /** How Redis could lose accepted elements; absent from an api of a version before 0.2. */
  readonly loss_risk?: Problem | null
  /** Absent from an api of a version before 0.2. */
  readonly workspaces_file_problem?: Problem | null
  /** The backlog of workspaces that are not configured; absent from an api of a version before 0.2. */
  readonly orphaned?: { readonly elements: number; readonly app_ids: readonly string[] } | null
  /** Absent from an api of a version before 0.2. */
  readonly workers_alive?: number
  readonly workers?: {
    readonly alive: number
    readonly partitions_served: number
    readonly partitions_unserved: number
    /** Null: unknown. */
    readonly none_since: string | null
  }
}

const HEAD = [
  ...['WORKSPACE', 'STATE', 'REALTIME', 'BACKFILL', 'OLDEST', 'ETA', 'BUDGETS', 'DEAD LETTERS'],
]
const NUMBERS = [2, 3, 4, 5, 7]

/** The workers, a table of workspaces, and below it problems and remedies. */
export function statusLines(view: StatusView): string[] {
  const { workspaces } = view
  const problems = [
    ...intakeLines(view),
    ...riskLines(view),
    ...fileLines(view),
    ...orphanedLines(view),
  ]
  if (workspaces.length === 0) {
    const none = 'No workspace is configured.'
    return [...problems, none, '  Next: set MOENGAGE_APP_ID or RELAY_WORKSPACES_FILE.']
  }
  return [
    ...problems,
    ...workersLines(view),
    ...table(
      HEAD,
      workspaces.map((workspace) => row(workspace, isWithoutWorkers(view))),
      NUMBERS,
    ),
    ...workspaces.flatMap((workspace) => remarks(workspace, isWithoutWorkers(view))),
  ]
}

/** Whether something needs attention. */
export function isTrouble(view: StatusView): boolean {
  const isHeld = view.workspaces.some(({ state }) => state === 'held')
  const { intake_problem, loss_risk, workspaces_file_problem, orphaned } = view
  const problems = [intake_problem, loss_risk, workspaces_file_problem, orphaned]
  return isHeld || isWithoutWorkers(view) || problems.some((one) => (one ?? null) !== null)
}

function intakeLines({ intake_problem: problem = null }: StatusView): string[] {
  if (problem === null) return []
  const { meaning, next } = problem
  return [`! Intake: ${meaning}. Nothing accepted is lost.`, `  Next: ${next}.`, '']
}

function riskLines({ loss_risk: risk = null }: StatusView): string[] {
  if (risk === null) return []
  return [`! ${risk.meaning}.`, `  Next: ${risk.next}.`, '']
}

function fileLines({ workspaces_file_problem: problem = null }: StatusView): string[] {
  if (problem === null) return []
  return [`! Configuration: ${problem.meaning}.`, `  Next: ${problem.next}.`, '']
}

function orphanedLines({ orphaned = null }: StatusView): string[] {
  if (orphaned === null) return []
  const { elements, app_ids } = orphaned
  const wait = `${counted(elements, 'element')} ${elements === 1 ? 'waits' : 'wait'}`
  return [
    `! ${wait} for workspaces that are not configured (${app_ids.join(', ')}). Next: put them back into the workspaces file.`,
    '',
  ]
}

function isWithoutWorkers({ workers_alive }: StatusView): boolean {
  return workers_alive === 0
}

function workersLines(view: StatusView): string[] {
  const { workers } = view
  if (workers === undefined) return ['Workers: unknown (the api does not report them)', '']
  const { alive, partitions_served: served, partitions_unserved: unserved, none_since } = workers
  const partitions = `partitions with a backlog: ${count(served)} served, ${count(unserved)} unserved`
  if (alive > 0) return [`Workers: ${count(alive)} alive; ${partitions}`, '']
  const since = none_since === null ? 'since when is unknown' : `since ${none_since}`
  return [
    `! Workers: NONE ALIVE, ${since}; ${partitions}`,
    '  Nothing is sent or lost. Next: start a worker, and read the log of the last one.',
    '',
  ]
}

function row(workspace: WorkspaceView, isWithoutWorkers: boolean): string[] {
  const { app_id, backlog, oldest_age_seconds } = workspace
  const ages = Object.values(oldest_age_seconds).filter((age) => age !== null)
  return [
    app_id,
    stateText(workspace, isWithoutWorkers),
    count(backlog.realtime.total),
    count(backlog.backfill.total),
    ages.length === 0 ? '-' : duration(Math.max(...ages)),
    etaText(workspace),
    Object.entries(workspace.budgets).map(budgetText).join(', '),
    count(deadCount(workspace)),
  ]
}

function etaText({ drain_eta_seconds: eta, customers_held: held }: WorkspaceView): string {
  if (eta === null) return 'unknown'
  return `${duration(eta)}${(held?.count ?? 0) > 0 ? ' + held' : ''}`
}

function stateText({ state, mode, slowed }: WorkspaceView, isWithoutWorkers: boolean): string {
  if (state === 'running' && isWithoutWorkers) return 'not sending (no worker)'
  if (mode === 'shadow') return `shadow, ${state}`
  return slowed === null ? state : `${state} (${slowed.state.replace('_', ' ')})`
}

function budgetText([name, { used, limit, effective }]: [string, BudgetView]): string {
  const of = effective < limit ? `${count(effective)} (of ${count(limit)})` : count(limit)
  return `${name} ${count(used)}/${of}`
}

function deadCount({ dead_letters }: WorkspaceView): number {
  return Object.values(dead_letters).reduce((sum, n) => sum + n, 0)
}

function remarks(workspace: WorkspaceView, isWithoutWorkers: boolean): string[] {
  const { app_id, state, mode, hold, slowed } = workspace
  const lines: string[] = []
  if (hold !== null) {
    const { meaning = hold.reason, next = 'See the log of the worker' } = hold
    lines.push(`! ${app_id} is held since ${hold.since}: ${meaning}. Nothing is lost.`)
    lines.push(`  ${probeText(workspace, hold, isWithoutWorkers)} Next: ${next}.`)
  }
  if (slowed !== null) {
    const { meaning = slowed.reason, next = 'Nothing' } = slowed
    const mark = isLong(slowed) ? '!' : '~'
    const probe = probeText(workspace, slowed, isWithoutWorkers)
    lines.push(`${mark} ${app_id}: ${meaning}. ${probe} Next: ${next}.`)
  }
  if (workspace.budgets_recovering === true && !isWithoutWorkers) {
    lines.push(
      `~ ${app_id}: Redis restarted: nothing is sent until requests that it may have forgotten no longer count (a budget window and some seconds at most). Next: nothing.`,
    )
  }
  if (isSlow(workspace) && !isWithoutWorkers) {
    lines.push(
      `~ ${app_id}: elements wait although the budgets have room, so the ETA is unknown: MoEngage, Redis or the workers are slow. Next: runbook RelayDeliveryLate.`,
    )
  }
  lines.push(...learnedLines(workspace))
  if (mode === 'shadow') {
    lines.push(`~ ${app_id} is in shadow: nothing is sent. See: relay shadow ${app_id}`)
  }
  lines.push(...customersHeldLines(workspace))
  if (state === 'paused') lines.push(`! ${app_id} is paused. Next: relay resume ${app_id}`)
  if (deadCount(workspace) > 0) {
    lines.push(`! ${app_id} has dead letters. Next: relay dead-letters list --app-id ${app_id}`)
  }
  return lines.length === 0 ? [] : ['', ...lines]
}

/** The estimate is unknown for no reason that is said elsewhere. */
function isSlow(workspace: WorkspaceView): boolean {
  const { state, mode, slowed, budgets_recovering, drain_eta_seconds: eta } = workspace
  const isSending = state === 'running' && mode !== 'shadow'
  return isSending && slowed === null && budgets_recovering !== true && eta === null
}

/** A longer pause than relay itself makes is worth a look. */
const LONG_PAUSE_MS = 300_000

function isLong({ since, next_probe_at }: Closure): boolean {
  return Date.parse(next_probe_at) - Date.parse(since) > LONG_PAUSE_MS
}

function probeText(
  { app_id, state }: WorkspaceView,
  { next_probe_at, probe_is_due = false }: Closure,
  isWithoutWorkers: boolean,
): string {
  if (state === 'paused') return `relay is paused, and tries again after relay resume ${app_id}.`
  if (isWithoutWorkers) return 'relay tries again once a worker is alive.'
  return probe_is_due
    ? 'relay tries again with the next element that may be sent.'
    : `relay tries again by itself at ${next_probe_at}.`
}

function learnedLines({ app_id, learned, slowed }: WorkspaceView): string[] {
  const { budget = null, body = null } = learned ?? {}
  const lines: string[] = []
  if (budget !== null && !isPausedBeyond(slowed, budget.full_at)) {
    const percent = Math.max(1, Math.round(budget.share * 100))
    lines.push(
      `~ ${app_id}: MoEngage answered 429 at ${budget.since}: relay uses ${percent} % of its budgets, 100 % by ${budget.full_at}.`,
      '  Next: nothing. If it repeats, another sender uses the account, or the configured limits are too high.',
    )
  }
  if (body !== null) {
    lines.push(
      `~ ${app_id}: MoEngage refuses large bodies (413): relay sends at most ${count(body.bytes)} bytes, and tries more after ${body.larger_at}.`,
    )
  }
  return lines
}

/** MoEngage asked for a pause that outlasts what its 429 taught. */
function isPausedBeyond(slowed: WorkspaceView['slowed'], at: string): boolean {
  return slowed?.state === 'rate_limited' && Date.parse(slowed.next_probe_at) > Date.parse(at)
}

/** One producer that uses one id for many people, mostly; no other customer waits. */
function customersHeldLines({ app_id, customers_held: held }: WorkspaceView): string[] {
  if (held === undefined || held.count === 0) return []
  const [longest] = held.longest
  const first = longest === undefined ? '' : `, the first since ${longest.since} until ${longest.until} at least (hash ${longest.customer})` // prettier-ignore
  return [
    `~ ${app_id}: ${counted(held.count, 'customer')} held back${first}: MoEngage blocks end users with this many requests. Other customers do not wait; nothing is lost.`,
    '  The ETA ignores the hold; these customers take longer. Next: look for a test, shared or default id at the producer.',
  ]
}
