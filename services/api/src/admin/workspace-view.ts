import { BUDGETS, effectiveLimits, type Budget, type Cost } from '@relay/shared/budget/cost.js'
import { drainEtaSeconds } from '@relay/shared/budget/drain.js'
import type { Clock } from '@relay/shared/clock.js'
import type { Workspace, WorkspaceLimits, WorkspaceMode } from '@relay/shared/config/workspace.js'
import type { DeadLetterStore } from '@relay/shared/dead-letters/dead-letter-store.js'
import type { DeadLetterReason } from '@relay/shared/dead-letters/dead-letter.js'
import { LANES, totalOf, type Lane } from '@relay/shared/element.js'
import { effectiveShare, fullBudgetAtMs, type Adaptation } from '@relay/shared/gate/adaptation.js'
import type { Ceiling } from '@relay/shared/gate/ceiling.js'
import { holdAdvice, slowedAdvice } from '@relay/shared/gate/advice.js'
import type { Gate, Mode } from '@relay/shared/gate/gate-state.js'
import { readControls } from '@relay/shared/observability/shared-state.js'
import type { HeldCustomers } from '@relay/shared/policy/customer-counts.js'
import { readBacklog, workspacesWithData, type LaneBacklog } from '@relay/shared/queue/backlog.js'
import { Deployment } from '@relay/shared/queue/deployment.js'
import { readWorkers, type WorkersState } from '@relay/shared/queue/workers.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'

interface WorkspaceReaderParts {
  readonly client: RedisClient
  readonly prefix: string
  readonly windowMs: number
  readonly letters: DeadLetterStore
  readonly clock: Clock
}

/** Reads the present state of workspaces from Redis. Rejects when it does not answer. */
export async function readWorkspaces(
  parts: WorkspaceReaderParts,
  workspaces: readonly Workspace[],
) {
  const { client, prefix } = parts
  const appIds = workspaces.map(({ appId }) => appId)
  const [backlog, workers] = await Promise.all([
    readBacklog(client, prefix, appIds),
    readWorkers(client, prefix, appIds),
  ])
  const shared = { backlog, workersAlive: workers.alive }
  return {
    workers_alive: workers.alive,
    workers: workersView(workers),
    workspaces: await Promise.all(workspaces.map((one) => readWorkspace(parts, one, shared))),
  }
}

/** Elements of workspaces that are not configured any more, which nothing sends. Null: there are none. */
export async function readOrphaned(
  { client, prefix }: Pick<WorkspaceReaderParts, 'client' | 'prefix'>,
  configured: readonly string[],
) {
  const known = new Set(configured)
  const all = await workspacesWithData(new Deployment(client, prefix), known)
  const removed = [...all].filter((appId) => !known.has(appId))
  const backlog = (await readBacklog(client, prefix, removed)).filter(
    ({ elements }) => totalOf(elements) > 0,
  )
  if (backlog.length === 0) return null
  return {
    elements: backlog.reduce((sum, { elements }) => sum + totalOf(elements), 0),
    app_ids: [...new Set(backlog.map(({ appId }) => appId))].sort(),
  }
}

async function readWorkspace(
  { client, prefix, windowMs, letters, clock }: WorkspaceReaderParts,
  workspace: Workspace,
  { backlog, workersAlive }: { backlog: readonly LaneBacklog[]; workersAlive: number },
) {
  const { appId, limits, mode } = workspace
  const [controls, deadLetters] = await Promise.all([
    readControls(client, prefix, workspace, clock),
    letters.counts(appId),
  ])
  return workspaceView({
    ...{ ...controls, appId, limits, mode, windowMs, deadLetters, workersAlive },
    nowMs: clock.nowMs(),
    lanes: backlog.filter((lane) => lane.appId === appId),
  })
}

/** The state of a workspace at one moment. */
interface WorkspaceFacts {
  readonly appId: string
  readonly limits: WorkspaceLimits
  readonly mode: WorkspaceMode
  readonly windowMs: number
  readonly gate: Gate
  readonly used: Cost
  /** Learned from 429s; null: nothing. */
  readonly adaptation: Adaptation | null
  /** Learned from 413s. */
  readonly ceiling: Ceiling
  readonly lanes: readonly LaneBacklog[]
  readonly deadLetters: Readonly<Record<DeadLetterReason, number>>
  readonly customersHeld: HeldCustomers
  /** The ledger grants nothing yet, after a restart of Redis. */
  readonly recovers: boolean
  readonly workersAlive: number
  /** Wall clock, ms since 1970 UTC. */
  readonly nowMs: number
}

/** A workspace as the operator API shows it. */
function workspaceView(facts: WorkspaceFacts) {
  const { appId, gate, mode, windowMs, deadLetters, customersHeld, nowMs } = facts
  return {
    app_id: appId,
    state: gate.paused ? 'paused' : gate.mode.state === 'held' ? 'held' : 'running',
    mode,
    hold:
      gate.mode.state === 'held'
        ? {
            ...closureView(gate.mode, nowMs),
            cause: gate.mode.cause ?? null,
            ...holdAdvice(gate.mode),
          }
        : null,
    /** MoEngage fails or asks to slow down, and relay handles it: no action needed yet. */
    slowed: slowedView(gate.mode, nowMs),
    backlog: perLane((lane) => backlogView(facts, lane)),
    oldest_age_seconds: perLane((lane) => ageSeconds(facts, lane)),
    budgets: budgetsView(facts),
    /** Nothing is sent before it is certain what counts against them, after a restart of Redis. */
    budgets_recovering: facts.recovers,
    budget_window_seconds: windowMs / 1000,
    learned: learnedView(facts),
    /** As if no customer were held: those that are need longer. */
    drain_eta_seconds: drainEtaSeconds({
      ...facts,
      effective: effectiveLimits(facts.limits, shareOf(facts)),
    }),
    customers_held: customersHeldView(customersHeld),
    dead_letters: deadLetters,
  }
}

/** The workers, for `GET /admin/workspaces`. Null is unknown, or does not apply. */
function workersView({ alive, served, unserved, noneSinceMs }: WorkersState) {
  return {
    alive,
    partitions_served: served,
    partitions_unserved: unserved,
    none_since: noneSinceMs === null ? null : iso(noneSinceMs),
  }
}

function customersHeldView({ count, longest }: HeldCustomers) {
  return {
    count,
    longest: longest.map(({ customer, sinceMs, untilMs }) => ({
      customer,
      since: iso(sinceMs),
      until: iso(untilMs),
    })),
  }
}

function closureView(mode: Exclude<Mode, { state: 'open' }>, nowMs: number) {
  return {
    reason: mode.state === 'rate_limited' ? 'rate_limited' : mode.reason,
    since: iso(mode.sinceMs),
    next_probe_at: iso(mode.nextProbeAtMs),
    /** The probe is in flight, or waits for an element or a worker. */
    probe_is_due: mode.nextProbeAtMs <= nowMs,
  }
}

function slowedView(mode: Mode, nowMs: number) {
  if (mode.state === 'open' || mode.state === 'held') return null
  const reason = mode.state === 'rate_limited' ? mode.state : mode.reason
  return { state: mode.state, ...closureView(mode, nowMs), ...slowedAdvice(reason) }
}

function backlogView({ lanes }: WorkspaceFacts, lane: Lane) {
  const own = lanes.find((backlog) => backlog.lane === lane)
  const elements = own?.elements ?? { user: 0, event: 0, device: 0 }
  return { ...elements, total: totalOf(elements), bytes: own?.bytes ?? 0 }
}

function ageSeconds({ lanes, nowMs }: WorkspaceFacts, lane: Lane): number | null {
  const oldestMs = lanes.find((backlog) => backlog.lane === lane)?.oldestMs ?? null
  return oldestMs === null ? null : Math.max(0, (nowMs - oldestMs) / 1000)
}

/** What MoEngage's answers taught. Null: the configured limit applies. */
function learnedView(facts: WorkspaceFacts) {
  const { adaptation, ceiling, limits, windowMs, nowMs } = facts
  const fullAtMs = fullBudgetAtMs(adaptation, { nowMs, windowMs })
  return {
    budget:
      adaptation === null || fullAtMs === null
        ? null
        : {
            share: shareOf(facts),
            since: iso(adaptation.refusedAtMs),
            full_at: iso(fullAtMs),
          },
    body:
      ceiling.bytes < limits.maxBodyBytes
        ? { bytes: ceiling.bytes, larger_at: iso(ceiling.raiseAtMs ?? nowMs) }
        : null,
  }
}

function shareOf({ adaptation, nowMs, windowMs }: WorkspaceFacts): number {
  return effectiveShare(adaptation, { nowMs, windowMs })
}

function budgetsView(facts: WorkspaceFacts) {
  const { limits, used } = facts
  const configured = effectiveLimits(limits, 1)
  const effective = effectiveLimits(limits, shareOf(facts))
  const views = budgetsOf(limits).map((budget) => [
    budget,
    {
      limit: configured[budget],
      effective: effective[budget],
      used: used[budget],
      left: Math.max(0, effective[budget] - used[budget]),
    },
  ])
  return Object.fromEntries(views) as Record<string, Record<string, number>>
}

function budgetsOf(limits: WorkspaceLimits): readonly Budget[] {
  return BUDGETS.filter((budget) => budget !== 'devices' || limits.devicesPerWindow !== null)
}

function perLane<T>(of: (lane: Lane) => T): Record<Lane, T> {
  return Object.fromEntries(LANES.map((lane) => [lane, of(lane)])) as Record<Lane, T>
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
