import { Gauge, type Registry } from 'prom-client'
import { BUDGETS, effectiveLimits } from '../budget/cost.js'
import { drainEtaSeconds } from '../budget/drain.js'
import type { Clock } from '../clock.js'
import { KINDS, LANES } from '../element.js'
import { HOLD_REASONS } from '../gate/gate-state.js'
import { STORES, StateReader, type SharedState, type WorkspaceState } from './shared-state.js'
import type { Config } from '../config/environment.js'
import type { WorkspaceDirectory } from '../config/workspace-directory.js'
import type { RedisClient } from '../redis/connect.js'

export interface StateMetricsOptions {
  readonly registry: Registry
  readonly read: () => Promise<SharedState>
  readonly clock: Clock
  readonly windowMs: number
}

/** Between two readings, ms, however often the metrics are scraped. */
const READ_EVERY_MS = 1_000
/** A scrape does not wait longer than this for Redis, ms, besides the delay of this process's event loop. */
const READ_WITHIN_MS = 1_500
/** The wait is counted in such steps, ms: one that comes late counts as none. */
const STEP_MS = 100
const MAX_STEP_MS = 250
/** An estimate from an older state is none, ms. */
const ESTIMATE_WITHIN_MS = 15_000
/** Reads before the state is left as it was, because the event loop was late in each. */
const READS = 2

/**
 * Gauges of the shared state, equal in every process: aggregate with `max`, never `sum`. They are read
 * on scrape. While Redis is unavailable they keep their last values, or are absent if there are none,
 * `relay_redis_up` is 0 and `relay_state_age_seconds` grows. Rules and autoscalers rely on the last values, and
 * none on the estimate, which is absent then.
 */
export class StateMetrics {
  readonly #o: StateMetricsOptions
  readonly #gauges: ReturnType<typeof createGauges>
  #readAtMs = -Infinity
  #knownAtMs: number
  #reading: Promise<void> | null = null

  constructor(options: StateMetricsOptions) {
    this.#o = options
    this.#knownAtMs = options.clock.monotonicMs()
    this.#gauges = createGauges(options.registry, () => this.#refresh())
  }

  #refresh(): Promise<void> {
    const { clock } = this.#o
    if (clock.monotonicMs() - this.#readAtMs >= READ_EVERY_MS) {
      this.#readAtMs = clock.monotonicMs()
      this.#reading = this.#read()
    }
    return this.#reading ?? Promise.resolve()
  }

  async #read(): Promise<void> {
    const { read, clock, windowMs } = this.#o
    const { redisUp, stateAge, drain } = this.#gauges
    let beganAtMs = clock.monotonicMs()
    let state = await within(READ_WITHIN_MS, read, clock)
    for (let reads = 1; state === 'late' && reads < READS; reads += 1) {
      beganAtMs = clock.monotonicMs()
      state = await within(READ_WITHIN_MS, read, clock)
    }
    if (state !== 'late') redisUp.set(state === null ? 0 : 1)
    if (state !== null && state !== 'late') {
      // Any of the values may be as old as the begin of the read.
      this.#knownAtMs = beganAtMs
      show(this.#gauges, state, windowMs)
    }
    const ageMs = clock.monotonicMs() - this.#knownAtMs
    if (ageMs > ESTIMATE_WITHIN_MS) drain.reset()
    stateAge.set(ageMs / 1000)
  }
}

/**
 * Null when it fails, or takes too long without the delays of the event loop; 'late' when a command timed out
 * while the loop was late, perhaps before the reply that had arrived was read.
 */
async function within<T>(mostMs: number, read: () => Promise<T>, clock: Clock) {
  let timer: NodeJS.Timeout | undefined
  let isLate = false
  let atMs = clock.monotonicMs()
  const tooLong = new Promise<null>((resolve) => {
    let steps = Math.ceil(mostMs / STEP_MS)
    timer = setInterval(() => {
      const tookMs = clock.monotonicMs() - atMs
      atMs += tookMs
      if (tookMs > MAX_STEP_MS) isLate = true
      else steps -= 1
      if (steps <= 0) resolve(null)
    }, STEP_MS)
  })
  const answer = read().catch((error: unknown) => {
    isLate ||= clock.monotonicMs() - atMs > MAX_STEP_MS
    return isLate && isTimeout(error) ? ('late' as const) : null
  })
  const first = await Promise.race([answer, tooLong])
  clearInterval(timer)
  return first
}

/** Whether ioredis gave up a command. */
function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message.includes('timed out')
}

/** Makes gauges that are read on scrape. */
function gaugesOf(registry: Registry, collect: () => Promise<void>) {
  return <const L extends string>(name: string, help: string, ...labelNames: L[]) => {
    const created = new Gauge({ name, help, labelNames, registers: [registry], collect })
    // Without labels prom-client shows 0 before the first value: absent is what is not known yet.
    if (labelNames.length === 0) created.remove()
    return created
  }
}

function createGauges(registry: Registry, collect: () => Promise<void>) {
  const gauge = gaugesOf(registry, collect)
  return { ...workspaceGauges(gauge), ...deploymentGauges(gauge) }
}

function workspaceGauges(gauge: ReturnType<typeof gaugesOf>) {
  return {
    backlog: gauge('relay_backlog_elements', 'Elements that wait.', 'app_id', 'kind', 'lane'),
    backlogBytes: gauge('relay_backlog_bytes', 'Size of the backlog in Redis, bytes.', 'app_id'),
    oldestAge: gauge(
      'relay_oldest_element_age_seconds',
      'Age of the oldest element that waits; 0 when none does.',
      ...['app_id' as const, 'lane' as const],
    ),
    drain: gauge(
      'relay_drain_eta_seconds',
      'Seconds until the backlog is sent if nothing more arrives, as if no customer were held; absent while it is unknown: held, paused, retrying, without a worker, or slow for another reason than a budget.',
      'app_id',
    ),
    limit: gauge('relay_budget_limit', 'Units that one window allows.', 'app_id', 'budget'),
    used: gauge('relay_budget_used', 'Units that count in the window.', 'app_id', 'budget'),
    effective: gauge(
      'relay_budget_effective',
      'Units of one window that relay uses: fewer than the limit after a 429.',
      ...['app_id' as const, 'budget' as const],
    ),
    waiters: gauge('relay_budget_waiters', 'Workers that wait for budget.', 'app_id', 'lane'),
    held: gauge(
      'relay_workspace_held',
      'Whether sending is held for this reason.',
      ...['app_id' as const, 'reason' as const],
    ),
    paused: gauge('relay_workspace_paused', 'Whether an operator stopped sending.', 'app_id'),
    customersHeld: gauge(
      'relay_customers_held',
      "Customers that wait for MoEngage's per-customer policy; 1000: or more.",
      'app_id',
    ),
    customerHeldFor: gauge(
      'relay_customer_held_seconds',
      'How long the customer that is held longest has waited; absent when none does.',
      'app_id',
    ),
    deadLetters: gauge('relay_dead_letters', 'Dead letters that are kept.', 'app_id'),
    stored: gauge(
      'relay_stored_bytes',
      'Size in Redis besides the backlog, by store.',
      ...['app_id' as const, 'store' as const],
    ),
  }
}

function deploymentGauges(gauge: ReturnType<typeof gaugesOf>) {
  return {
    audit: gauge(
      'relay_audit_bytes',
      'Size of the audit in Redis; absent without an entry, or if Redis does not tell.',
    ),
    orphaned: gauge('relay_orphaned_elements', 'Waiting for a workspace that is not configured.'),
    workersWanted: gauge(
      'relay_workers_wanted',
      'Workers that are of use now, as if no customer were held.',
    ),
    workersAlive: gauge('relay_workers_alive', 'Workers with a valid lease.'),
    budgetWindow: gauge('relay_budget_window_seconds', 'Length of the budget window.'),
    redisUp: gauge('relay_redis_up', 'Whether Redis answers this process.'),
    redisCommand: gauge('relay_redis_command_seconds', 'Time of one command, as just measured.'),
    redisMemory: gauge('relay_redis_memory_used_bytes', 'Memory in use by Redis.'),
    redisLimit: gauge('relay_redis_memory_limit_bytes', 'maxmemory of Redis; 0: no limit.'),
    redisClients: gauge('relay_redis_connected_clients', 'Connections to Redis.'),
    aofEnabled: gauge('relay_redis_aof_enabled', 'Whether Redis keeps an append-only file.'),
    aofHealthy: gauge('relay_redis_aof_ok', 'Whether its last write and rewrite succeeded.'),
    aofRewriting: gauge('relay_redis_aof_rewriting', 'Whether Redis rewrites it now.'),
    neverEvicts: gauge('relay_redis_noeviction', 'Whether Redis never evicts a key.'),
    stateAge: gauge('relay_state_age_seconds', 'Age of the values that come from Redis.'),
  }
}

type Gauges = ReturnType<typeof createGauges>

function show(gauges: Gauges, state: SharedState, windowMs: number): void {
  const perWorkspace = ['backlog', 'backlogBytes', 'oldestAge', 'drain', 'limit', 'used'] as const
  const more = ['effective', 'waiters', 'held', 'paused', 'deadLetters', 'stored'] as const
  const customers = ['customersHeld', 'customerHeldFor'] as const
  // A workspace that was removed is not reported any longer.
  for (const name of [...perWorkspace, ...more, ...customers]) gauges[name].reset()
  for (const workspace of state.workspaces) {
    showBacklog(gauges, workspace, state, windowMs)
    showBudgets(gauges, workspace)
    showGate(gauges, workspace)
  }
  if (state.auditBytes !== null) gauges.audit.set(state.auditBytes)
  gauges.orphaned.set(state.orphanedElements)
  if (state.workersWanted !== null) gauges.workersWanted.set(state.workersWanted)
  gauges.workersAlive.set(state.aliveWorkers)
  gauges.budgetWindow.set(windowMs / 1000)
  showRedis(gauges, state)
}

function showBacklog(
  gauges: Gauges,
  state: WorkspaceState,
  { redisNowMs: nowMs, aliveWorkers: workersAlive }: SharedState,
  windowMs: number,
): void {
  const { workspace, lanes, deadLetters, stored } = state
  const { appId: app_id, limits } = workspace
  for (const lane of LANES) {
    const { elements, oldestMs } = lanes[lane]
    for (const kind of KINDS) gauges.backlog.set({ app_id, kind, lane }, elements[kind])
    const ageMs = oldestMs === null ? 0 : Math.max(0, nowMs - oldestMs)
    gauges.oldestAge.set({ app_id, lane }, ageMs / 1000)
  }
  gauges.backlogBytes.set({ app_id }, lanes.realtime.bytes + lanes.backfill.bytes)
  const eta = drainEtaSeconds({
    ...{ ...state, limits, windowMs, nowMs, workersAlive },
    lanes: Object.values(lanes),
  })
  if (eta !== null) gauges.drain.set({ app_id }, eta)
  gauges.deadLetters.set({ app_id }, deadLetters)
  for (const store of STORES) gauges.stored.set({ app_id, store }, stored[store])
}

function showBudgets(gauges: Gauges, { workspace, used, effective, waiters }: WorkspaceState) {
  const { appId: app_id, limits } = workspace
  const configured = effectiveLimits(limits, 1)
  for (const budget of BUDGETS) {
    if (budget === 'devices' && limits.devicesPerWindow === null) continue
    gauges.limit.set({ app_id, budget }, configured[budget])
    gauges.used.set({ app_id, budget }, used[budget])
    gauges.effective.set({ app_id, budget }, effective[budget])
  }
  for (const lane of LANES) gauges.waiters.set({ app_id, lane }, waiters[lane])
}

function showGate(gauges: Gauges, { workspace, gate, customersHeld }: WorkspaceState): void {
  const app_id = workspace.appId
  const holding = gate.mode.state === 'held' ? gate.mode.reason : null
  for (const reason of HOLD_REASONS) {
    gauges.held.set({ app_id, reason }, reason === holding ? 1 : 0)
  }
  gauges.paused.set({ app_id }, gate.paused ? 1 : 0)
  gauges.customersHeld.set({ app_id }, customersHeld.count)
  // Of most workspaces never: series are bounded.
  if (customersHeld.count > 0) {
    gauges.customerHeldFor.set({ app_id }, customersHeld.longestMs / 1000)
  }
}

function showRedis(gauges: Gauges, { redis }: SharedState): void {
  gauges.redisCommand.set(redis.commandSeconds)
  gauges.redisMemory.set(redis.usedBytes)
  gauges.redisLimit.set(redis.limitBytes)
  gauges.redisClients.set(redis.connectedClients)
  gauges.aofEnabled.set(redis.aofEnabled ? 1 : 0)
  gauges.aofHealthy.set(redis.aofHealthy ? 1 : 0)
  gauges.aofRewriting.set(redis.aofRewriting ? 1 : 0)
  gauges.neverEvicts.set(redis.neverEvicts ? 1 : 0)
}

interface Observed {
  readonly registry: Registry
  readonly client: RedisClient
  readonly config: Pick<Config, 'prefix' | 'budgetWindowMs'>
  readonly workspaces: Pick<WorkspaceDirectory, 'all'>
  readonly clock: Clock
}

/** Exports the state shared by all processes from this process. */
export function observeSharedState(observed: Observed): void {
  const { registry, client, config, workspaces, clock } = observed
  const { prefix, budgetWindowMs: windowMs } = config
  const all = () => workspaces.all()
  const reader = new StateReader({ client, prefix, windowMs, clock, workspaces: all })
  new StateMetrics({ registry, clock, windowMs, read: () => reader.read() })
}
