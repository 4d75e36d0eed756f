import { effectiveLimits, type Cost } from '../budget/cost.js'
import { waitingByBudget } from '../budget/drain.js'
import { Ledger } from '../budget/ledger.js'
import type { Clock } from '../clock.js'
import type { Workspace } from '../config/workspace.js'
import { DeadLetterStore } from '../dead-letters/dead-letter-store.js'
import { LANES, totalOf, type Lane } from '../element.js'
import { readGate, sends, type Gate } from '../gate/gate-state.js'
import { effectiveShare, readAdaptation } from '../gate/adaptation.js'
import { readCeiling } from '../gate/ceiling.js'
import { GateStore, LearnedStore } from '../gate/gate-store.js'
import { readBacklog, workspacesWithData, type LaneBacklog } from '../queue/backlog.js'
import { Deployment } from '../queue/deployment.js'
import { deploymentKeys, workspaceKeys } from '../queue/keys.js'
import { readHeldCustomers } from '../policy/customer-counts.js'
import type { RedisClient } from '../redis/connect.js'
import type { SafetyFacts } from '../redis/durability-level.js'
import { readRedisMs } from '../redis/redis-clock.js'
import { ScaleStore } from '../scaling/scale-store.js'
import type { Load } from '../scaling/workers-wanted.js'

/** State of one workspace, shared by all processes. */
export interface WorkspaceState {
  readonly workspace: Workspace
  readonly lanes: Readonly<Record<Lane, LaneBacklog>>
  readonly gate: Gate
  readonly used: Cost
  /** The ledger grants nothing yet, after a restart of Redis. */
  readonly recovers: boolean
  readonly effective: Cost
  /** Workers that queue for budget. */
  readonly waiters: Readonly<Record<Lane, number>>
  readonly deadLetters: number
  /** Customers that wait for MoEngage's per-customer policy. */
  readonly customersHeld: { readonly count: number; readonly longestMs: number }
  /** Bytes in Redis besides the backlog. */
  readonly stored: Readonly<Record<Store, number>>
}

/** Counted by the scripts that write them. */
export const STORES = ['dead_letters', 'idempotency_keys', 'traces'] as const
export type Store = (typeof STORES)[number]

export interface SharedState {
  readonly redisNowMs: number
  readonly redis: RedisFacts
  readonly workspaces: readonly WorkspaceState[]
  /** Elements of workspaces that are not configured any more: they wait for its return. */
  readonly orphanedElements: number
  readonly aliveWorkers: number
  /** Memory of the operators' audit in Redis; null: without an entry, or unknown. */
  readonly auditBytes: number | null
  /** null: not decided yet, and Redis takes no writes. */
  readonly workersWanted: number | null
}

export interface StateReaderOptions {
  readonly client: RedisClient
  readonly prefix: string
  readonly windowMs: number
  readonly workspaces: () => readonly Workspace[]
  readonly clock: Clock
}

/** Reads everything that processes share, for metrics. Changes nothing but the scaling decision. */
export class StateReader {
  readonly #options: StateReaderOptions
  readonly #deployment: Deployment
  readonly #scale: ScaleStore

  constructor(options: StateReaderOptions) {
    this.#options = options
    this.#deployment = new Deployment(options.client, options.prefix)
    this.#scale = new ScaleStore(options.client, options.prefix)
  }

  async read(): Promise<SharedState> {
    const { client, prefix, windowMs, clock } = this.#options
    const redis = await readRedisFacts(client, clock)
    const all = this.#options.workspaces()
    const { audit, sessions } = deploymentKeys(prefix)
    const [lanes, workspaces, aliveWorkers, auditBytes] = await Promise.all([
      this.#readBacklog(all),
      Promise.all(all.map((workspace) => this.#readWorkspace(workspace, redis.nowMs))),
      client.zcount(sessions, `(${redis.nowMs}`, '+inf'),
      // Not every Redis permits it.
      client.memory('USAGE', audit).catch(() => null),
    ])
    const states = workspaces.map((state) => ({
      ...state,
      lanes: lanesOf(state.workspace.appId, lanes),
    }))
    const known = new Set(all.map(({ appId }) => appId))
    const load = loadOf(states, windowMs, aliveWorkers)
    const scale = await this.#scale.decide(load, redis.nowMs)
    return {
      redis,
      aliveWorkers,
      auditBytes,
      redisNowMs: redis.nowMs,
      workspaces: states,
      orphanedElements: lanes
        .filter(({ appId }) => !known.has(appId))
        .reduce((sum, { elements }) => sum + totalOf(elements), 0),
      workersWanted: scale?.wanted ?? null,
    }
  }

  async #readBacklog(configured: readonly Workspace[]): Promise<LaneBacklog[]> {
    const { client, prefix } = this.#options
    const appIds = configured.map(({ appId }) => appId)
    return readBacklog(client, prefix, await workspacesWithData(this.#deployment, appIds))
  }

  async #readStored(appId: string, nowMs: number): Promise<Record<Store, number>> {
    const { client, prefix } = this.#options
    const keys = workspaceKeys(prefix, appId)
    const today = Math.floor(nowMs / 86_400_000)
    // Of three days, as idempotency-claim.lua counts them.
    const days = [today - 1, today, today + 1].map((day) => keys.idempotency(day))
    const [letters, traces, ...records] = await Promise.all([
      new DeadLetterStore(client, prefix).bytes(appId),
      client.hget(keys.traceBytes, 'bytes'),
      ...days.map((key) => client.hget(key, 'bytes')),
    ])
    return {
      dead_letters: [...letters.values()].reduce((sum, bytes) => sum + bytes, 0),
      idempotency_keys: records.reduce((sum, bytes) => sum + Number(bytes ?? 0), 0),
      traces: Number(traces ?? 0),
    }
  }

  async #readWorkspace(
    workspace: Workspace,
    nowMs: number,
  ): Promise<Omit<WorkspaceState, 'lanes'>> {
    const { client, prefix, clock } = this.#options
    const keys = workspaceKeys(prefix, workspace.appId)
    const [controls, waiters, deadLetters, stored] = await Promise.all([
      readControls(client, prefix, workspace, clock),
      client.hvals(keys.ledgerWaiters),
      client.hlen(`${keys.deadLetters}:letters`),
      this.#readStored(workspace.appId, nowMs),
    ])
    const { gate, used, recovers, adaptation, customersHeld } = controls
    const { windowMs } = this.#options
    const share = effectiveShare(adaptation, { nowMs, windowMs })
    return {
      ...{ workspace, used, recovers, gate, deadLetters, stored },
      customersHeld: {
        count: customersHeld.count,
        longestMs: Math.max(0, nowMs - (customersHeld.longest[0]?.sinceMs ?? nowMs)),
      },
      effective: effectiveLimits(workspace.limits, share),
      waiters: countWaiters(waiters, nowMs),
    }
  }
}

/** What decides now whether and how much a workspace sends. Rejects when Redis does not answer. */
export async function readControls(
  client: RedisClient,
  prefix: string,
  { appId, limits }: Workspace,
  clock: Clock,
) {
  const ledger = new Ledger(client, prefix, appId, clock)
  const [{ record }, learned, { used }, recovers, customersHeld] = await Promise.all([
    new GateStore(client, prefix, appId).read(),
    new LearnedStore(client, prefix, appId).read(),
    ledger.use(),
    ledger.isRecovering(),
    readHeldCustomers(client, prefix, appId),
  ])
  return {
    ...{ used, recovers, customersHeld },
    gate: readGate(record === '' ? null : record),
    adaptation: readAdaptation(learned.adaptation),
    ceiling: readCeiling(learned.ceiling, limits.maxBodyBytes),
  }
}

function lanesOf(appId: string, all: readonly LaneBacklog[]): Record<Lane, LaneBacklog> {
  const [realtime, backfill] = LANES.map(
    (lane) =>
      all.find((found) => found.appId === appId && found.lane === lane) ?? {
        ...{ appId, lane, bytes: 0, oldestMs: null },
        elements: { user: 0, event: 0, device: 0 },
        furtherActions: 0,
      },
  ) as [LaneBacklog, LaneBacklog]
  return { realtime, backfill }
}

/** Waiters are kept as "lane,age,users,events,devices,until"; one past its time has gone. */
function countWaiters(entries: readonly string[], nowMs: number): Record<Lane, number> {
  const counts: Record<Lane, number> = { realtime: 0, backfill: 0 }
  for (const entry of entries) {
    const fields = entry.split(',')
    const lane = LANES.find((known) => known === fields[0])
    if (lane !== undefined && Number(fields[5]) >= nowMs) counts[lane] += 1
  }
  return counts
}

function loadOf(states: readonly WorkspaceState[], windowMs: number, workers: number): Load {
  const budgets = states.flatMap(({ workspace, lanes, gate, used, effective }) => {
    const waiting = waitingByBudget(Object.values(lanes), workspace.limits)
    const limits = effectiveLimits(workspace.limits, 1)
    return (['users', 'events', 'devices'] as const).map((budget) => ({
      waiting: waiting[budget],
      used: used[budget],
      limit: limits[budget],
      allowed: sends(gate) ? effective[budget] : 0,
    }))
  })
  return { windowMs, workers, budgets }
}

/** How Redis is, all masters of a cluster together. */
export interface RedisFacts extends SafetyFacts {
  readonly nowMs: number
  /** Time of one command and its answer, seconds. */
  readonly commandSeconds: number
  readonly usedBytes: number
  /** 0: no limit. */
  readonly limitBytes: number
  readonly connectedClients: number
  readonly aofRewriting: boolean
}

export async function readRedisFacts(client: RedisClient, clock: Clock): Promise<RedisFacts> {
  const startedAtMs = clock.monotonicMs()
  const nowMs = await readRedisMs(client)
  const commandSeconds = (clock.monotonicMs() - startedAtMs) / 1000
  const nodes = 'nodes' in client ? client.nodes('master') : [client]
  const infos = await Promise.all(nodes.map((node) => node.info()))
  const texts = (field: string) =>
    infos.map((info) => new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '')
  const sum = (field: string) => texts(field).reduce((total, text) => total + Number(text), 0)
  const all = (field: string, value: string) => texts(field).every((text) => text === value)
  return {
    nowMs,
    commandSeconds,
    usedBytes: sum('used_memory'),
    limitBytes: sum('maxmemory'),
    connectedClients: sum('connected_clients'),
    aofEnabled: all('aof_enabled', '1'),
    aofHealthy: all('aof_last_write_status', 'ok') && all('aof_last_bgrewrite_status', 'ok'),
    aofRewriting: !all('aof_rewrite_in_progress', '0'),
    neverEvicts: all('maxmemory_policy', 'noeviction'),
  }
}
