import type { Clock } from '@relay/shared/clock.js'
import type { Config } from '@relay/shared/config/environment.js'
import type { Workspace, WorkspaceMode } from '@relay/shared/config/workspace.js'
import { Ledger } from '@relay/shared/budget/ledger.js'
import { LANES, type Lane } from '@relay/shared/element.js'
import { holdAdvice } from '@relay/shared/gate/advice.js'
import { unexplainedHold, type Gate } from '@relay/shared/gate/gate-state.js'
import { GateStore, LearnedStore } from '@relay/shared/gate/gate-store.js'
import type { Logger } from '@relay/shared/observability/logger.js'
import { LayoutStore, type Generation, GenerationKeys } from '@relay/shared/queue/layout.js'
import type { PartitionQueue } from '@relay/shared/queue/partition-queue.js'
import { CustomerCounts } from '@relay/shared/policy/customer-counts.js'
import type { Random } from '@relay/shared/random.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'
import { ShadowReportStore } from '@relay/shared/shadow/shadow-report.js'
import { sharesOf } from './batch/body.js'
import { Shapes } from './batch/shape.js'
import { Admission } from './budget/admission.js'
import { GaugeWatch } from './adaptive/gauge-watch.js'
import { AdaptiveLimits } from './adaptive/adaptive-limits.js'
import { Reservations } from './budget/reservations.js'
import { WorkspaceGate } from './budget/workspace-gate.js'
import type { Budget as LaneBudget, Delivery, Runtime } from './flight.js'
import { Pipeline, type PipelineOptions } from './pipeline.js'
import type { PartitionWindow } from './fetch/window.js'
import { CustomerPolicy } from './policy/customer-policy.js'
import { Partitioning } from './ownership/partitioning.js'
import { Refusals } from './retry/refusals.js'
import type { NewSender, Sender } from './send/answer.js'
import { MaxAge } from './settle/max-age.js'
import { routeOf, ShadowDrain, type Route } from './shadow.js'

/** What Redis holds of one workspace. `mode`: the workspace's at present. */
export function workspaceStores(
  client: RedisClient,
  config: Config,
  clock: Clock,
  { appId, mode }: { readonly appId: string; readonly mode: () => WorkspaceMode },
) {
  const { prefix, partitions } = config
  return {
    ledger: new Ledger(client, prefix, appId, clock),
    gate: new GateStore(client, prefix, appId),
    learned: new LearnedStore(client, prefix, appId),
    counts: new CustomerCounts({ client, prefix, appId, clock, openMs: openMsOf(config) }),
    layouts: new LayoutStore(client, prefix, { partitions, mode }),
    keysOf: (generation: Generation) => new GenerationKeys(client, prefix, appId, generation),
    shadowReport: new ShadowReportStore(client, prefix, appId),
  }
}

export type WorkspaceStores = ReturnType<typeof workspaceStores>

export interface WorkspaceServiceOptions
  extends
    Pick<Runtime, 'clock' | 'redisNowMs' | 'sendableMs' | 'sleep' | 'observer' | 'trace'>,
    Pick<Delivery, 'settler' | 'deadLetters' | 'erasures'>,
    Pick<PipelineOptions, 'memory' | 'inFlight' | 'onIdle'> {
  readonly config: Config
  readonly workspace: Workspace
  readonly newStores: (mode: () => WorkspaceMode) => WorkspaceStores
  readonly newSender: NewSender
  readonly random: Random
  readonly log: Logger
  /** This process. */
  readonly worker: string
  readonly runId: () => string
  readonly refreshRun: () => Promise<void>
  /** Workers that may have reserved before this run of Redis; null before the registry was read in it. */
  readonly recovery: () => Recovery | null
}

/** Without the admission, which is one of each lane. */
type Budget = Omit<LaneBudget, 'admission'>

/** The session registry's data about the previous run of Redis. */
export interface Recovery {
  /** Workers that were alive then, and those that are now. */
  readonly workers: readonly string[]
  /** Time since this run began, ms. */
  readonly runMs: number
  /** Workers that have left, and whose lease ended within this many ms. */
  readonly ended: (withinMs: number) => readonly string[]
}

/** A change of these is tried at once, over new connections. */
const CONNECTION_FIELDS = ['apiKey', 'baseUrl', 'forwardedFor'] as const
/** A recovery that takes longer than this is logged, ms. */
const RECOVERY_TOLD_AFTER_MS = 2_000
/** Pause before asking again whether all workers have re-entered their reservations, ms. */
const RECOVERY_LOOK_MS = 100

/** Everything a worker keeps for one workspace: its trouble stays its own. */
export class WorkspaceService {
  readonly #options: WorkspaceServiceOptions
  readonly #stores: WorkspaceStores
  readonly #budget: Budget
  readonly #delivery: Delivery
  readonly #runtime: Runtime
  readonly #reservations: Reservations
  readonly #partitioning: Partitioning
  readonly #pipelines: ReadonlyMap<Lane, Pipeline>
  readonly #shadowDrains: ReadonlyMap<Lane, ShadowDrain>
  readonly #abort = new AbortController()
  #workspace: Workspace
  #shapes: Shapes
  #stopping = false
  #recoveryTold = false
  /** The gate is to learn that the account changed. */
  #hasNewAccount = false
  #sender: Sender

  constructor(options: WorkspaceServiceOptions) {
    this.#options = options
    this.#workspace = options.workspace
    this.#shapes = new Shapes(options.workspace.identifiers ?? [])
    this.#sender = options.newSender(this.#workspace)
    this.#stores = options.newStores(() => this.#workspace.mode)
    this.#runtime = this.#newRuntime()
    this.#reservations = new Reservations(options.clock)
    this.#delivery = this.#newDelivery()
    this.#budget = this.#newBudget()
    this.#partitioning = new Partitioning({
      appId: this.#workspace.appId,
      layouts: this.#stores.layouts,
      keysOf: this.#stores.keysOf,
      redisNowMs: options.redisNowMs,
      onChange: () => this.wake(),
    })
    this.#pipelines = new Map(LANES.map((lane) => [lane, this.#newPipeline(lane)]))
    this.#shadowDrains = new Map(LANES.map((lane) => [lane, this.#newShadowDrain()]))
    for (const lane of this.#everyLane()) void lane.run()
    void this.#partitioning.plan()
  }

  #onGate(gate: Gate, before: Gate): void {
    if (gate.mode.state !== before.mode.state || gate.paused !== before.paused) {
      const reason = 'reason' in gate.mode ? gate.mode.reason : null
      const cause = 'cause' in gate.mode ? { cause: gate.mode.cause } : {}
      const fields = { state: gate.mode.state, reason, ...cause, paused: gate.paused }
      const line = { appId: this.#workspace.appId, ...fields }
      if (gate.mode.state === 'held' && before.mode.state !== 'held') {
        this.#options.log.error('workspace held: nothing is sent until MoEngage accepts a probe', {
          ...line,
          ...holdAdvice(gate.mode),
        })
      } else if (before.mode.state === 'held' && gate.mode.state === 'open' && !gate.paused) {
        this.#options.log.info('workspace is no longer held: relay sends again', line)
      } else this.#options.log.info('gate changed', line)
    }
    const hold = unexplainedHold(gate)
    const heldBefore = unexplainedHold(before)
    if (hold !== null && hold !== heldBefore) this.#delivery.refusals.held(hold)
    // Another worker's request was accepted, or this one's: nothing else opens that gate.
    if (heldBefore !== null && gate.mode.state === 'open') {
      this.#delivery.refusals.accepted([], this.#options.clock.monotonicMs())
    }
    this.wake()
  }

  get workspace(): Workspace {
    return this.#workspace
  }

  get gate(): WorkspaceGate {
    return this.#budget.gate
  }

  serve(window: PartitionWindow, queue: PartitionQueue): void {
    this.#pipelines.get(window.partition.lane)?.serve(window, queue)
    this.#shadowDrains.get(window.partition.lane)?.serve(window, queue)
  }

  drop(window: PartitionWindow): void {
    this.#pipelines.get(window.partition.lane)?.drop(window)
    this.#shadowDrains.get(window.partition.lane)?.drop(window)
  }

  wake(): void {
    for (const lane of this.#everyLane()) lane.wake()
  }

  /** Another process announced a change of this workspace. */
  heard(what: string): void {
    if (what === 'gate') void this.refreshGate()
    if (what === 'learned') void this.refreshLearned()
    if (what === 'layout') void this.#partitioning.refresh()
  }

  /** Redis restarted or failed over, and may have lost its last writes. */
  redisRestarted(): void {
    void this.#partitioning.distrust()
    void this.refreshGate()
    void this.refreshLearned()
    void this.recover().catch(() => undefined)
  }

  /** Reads the gate again: another worker or an operator changed it. */
  async refreshGate(): Promise<void> {
    const { gate } = this.#budget
    try {
      await gate.refresh()
      if (!this.#hasNewAccount) return
      await gate.apply({ type: 'config_changed' })
      this.#hasNewAccount = false
    } catch {
      // Redis is away. The gate is refreshed every few seconds.
    }
  }

  /** Reads the limits learned by other workers again. */
  async refreshLearned(): Promise<void> {
    await this.#budget.learned.refresh().catch(() => undefined)
  }

  /** New settings: they count from the next request, and a held workspace is tried at once. */
  async reconfigure(workspace: Workspace): Promise<void> {
    const old = this.#workspace
    this.#workspace = workspace
    this.#shapes = new Shapes(workspace.identifiers ?? [])
    if (CONNECTION_FIELDS.some((field) => old[field] !== workspace[field])) {
      const before = this.#sender
      this.#sender = this.#options.newSender(workspace)
      setTimeout(() => before.close(), this.#options.config.requestTimeoutMs).unref()
      this.#hasNewAccount = true
      await this.refreshGate()
    }
    if (old.mode !== workspace.mode) {
      this.#options.log.info('mode changed', { appId: workspace.appId, mode: workspace.mode })
      await this.#partitioning.plan()
    }
    this.wake()
  }

  /** Enters own reservations into the ledger of a new run of Redis. Returns ms to wait, 0 when open. */
  async recover(): Promise<number> {
    const { config, worker } = this.#options
    const runId = this.#options.runId()
    const recovery = this.#options.recovery()
    // A worker that has just started may see no others, and would open a ledger that others must still fill.
    if (runId === '' || recovery === null) return RECOVERY_LOOK_MS
    // A worker that is partitioned with the former master may continue until its lease ends.
    const lastSendMs = config.durability === 'replica' ? config.leaseMs : 0
    const countsMs =
      lastSendMs + config.requestTimeoutMs + config.arrivalGraceMs + config.budgetWindowMs
    const { runMs } = recovery
    const mayBeLost = runMs < countsMs
    const waitMs = await this.#stores.ledger.recover({
      ...{ runId, worker, countsMs, runMs, own: this.#reservations.open() },
      workers: mayBeLost ? [...new Set([worker, ...recovery.workers])] : [worker],
      ended: mayBeLost ? recovery.ended(countsMs) : [],
    })
    if (waitMs === null) {
      this.#recoveryTold = false
      return 0
    }
    if (!this.#recoveryTold && waitMs < countsMs - RECOVERY_TOLD_AFTER_MS) {
      this.#recoveryTold = true
      const message =
        'budget ledger recovering: waiting for reservations of a lost worker to expire'
      this.#options.log.warn(message, { appId: this.#workspace.appId, waitMs: Math.round(waitMs) })
    }
    return Math.min(waitMs, RECOVERY_LOOK_MS)
  }

  /**
   * The ledger belongs to another run of Redis than this worker's. Either view may be the older one, and
   * two workers that each recover into their own would never agree.
   */
  async #recoverUnlessStale(): Promise<number> {
    const before = this.#options.runId()
    await this.#options.refreshRun()
    return this.#options.runId() === before ? this.recover() : 0
  }

  /** Finishes requests in flight within `mostMs`, then releases the partitions. */
  async stop(mostMs: number): Promise<void> {
    this.#stopping = true
    const timer = setTimeout(() => {
      this.#abort.abort()
      this.wake()
    }, mostMs)
    await Promise.all(this.#everyLane().map((lane) => lane.stop()))
    clearTimeout(timer)
    this.#partitioning.stop()
    this.#sender.close()
  }

  #newRuntime(): Runtime {
    const { config, clock, random, redisNowMs, sendableMs, sleep, observer, trace } = this.#options
    return {
      ...{ config, clock, redisNowMs, sendableMs, sleep, observer, trace },
      workspace: () => this.#workspace,
      shapes: () => ((this.#workspace.coalesce ?? config.coalesce) ? this.#shapes : null),
      newId: () => random.bytes(12).toString('base64url'),
      signal: this.#abort.signal,
      stopping: () => this.#stopping,
    }
  }

  #newDelivery(): Delivery {
    const { config, clock, redisNowMs, observer, settler, deadLetters, erasures } = this.#options
    return {
      ...{ settler, deadLetters, erasures },
      sender: () => this.#sender,
      refusals: new Refusals(clock),
      gauge: new GaugeWatch({
        limits: () => this.#workspace.limits,
        windowMs: config.budgetWindowMs,
        monotonicMs: () => clock.monotonicMs(),
        use: () => this.#stores.ledger.use(),
        onAdvertised: (limit, differs) =>
          observer.advertised(this.#workspace.appId, limit, differs),
      }),
      maxAge: new MaxAge({
        ...{ clock, deadLetters, settler, erasures, redisNowMs, maxAgeMs: config.maxAgeMs },
        onExpired: ({ element: { kind, posted } }) =>
          observer.deadLettered(this.#workspace.appId, kind, 'expired', posted),
      }),
    }
  }

  #newBudget(): Budget {
    const { config, random, redisNowMs } = this.#options
    const { gauge } = this.#delivery
    return {
      policy: this.#newPolicy(),
      learned: new AdaptiveLimits({
        gaugeShare: () => gauge.share,
        store: this.#stores.learned,
        limits: () => this.#workspace.limits,
        windowMs: config.budgetWindowMs,
        nowMs: redisNowMs,
        onTrialEnded: () => this.wake(),
      }),
      gate: new WorkspaceGate({
        ...{ store: this.#stores.gate, random, nowMs: redisNowMs },
        onChange: (gate, before) => this.#onGate(gate, before),
      }),
    }
  }

  /** One for both lanes: a customer's units of both count together. */
  #newPolicy(): CustomerPolicy {
    const { config, clock, random, observer, runId, recovery } = this.#options
    const { appId } = this.#workspace
    return new CustomerPolicy({
      counts: this.#stores.counts,
      limits: () => this.#workspace.customerLimits ?? [],
      ...{ clock, runId, openMs: openMsOf(config) },
      workers: () => recovery()?.workers.length ?? 1,
      newId: () => random.bytes(9).toString('base64url'),
      onHeld: (customer, waitMs) => observer.customerHeld(appId, customer, waitMs),
    })
  }

  #newPipeline(lane: Lane): Pipeline {
    const { config, clock, runId, worker, memory, inFlight, onIdle } = this.#options
    const { gate, learned } = this.#budget
    const { workspace, newId } = this.#runtime
    const { requestTimeoutMs, arrivalGraceMs } = config
    const admission = new Admission({
      ...{ gate, learned, clock, workspace, newId, runId, requestTimeoutMs, arrivalGraceMs },
      ledger: this.#stores.ledger,
      reservations: this.#reservations,
      windowMs: config.budgetWindowMs,
      backfillFloor: config.backfillFloorPercent / 100,
      waiter: worker,
      recover: () => this.#recoverUnlessStale(),
    })
    return new Pipeline({
      ...{ lane, memory, inFlight, onIdle, runtime: this.#runtime, delivery: this.#delivery },
      budget: { ...this.#budget, admission },
      mayServe: (window) => this.#routeOf(window) === 'send',
    })
  }

  #newShadowDrain(): ShadowDrain {
    const { settler, memory, inFlight, clock, onIdle, observer, trace } = this.#options
    const { appId } = this.#workspace
    return new ShadowDrain({
      ...{ runtime: this.#runtime, settler, memory, inFlight, onIdle },
      mayServe: (window) => this.#routeOf(window) === 'drop',
      onDropped: async (batch) => {
        observer.shadowed(appId, batch)
        trace.shadowed(appId, sharesOf(batch), clock.nowMs())
        await this.#stores.shadowReport.packed(batch.items.length, batch.bodyBytes)
      },
    })
  }

  /** The only place that decides the destination of a partition's elements, and when. */
  #routeOf({ partition }: PartitionWindow): Route {
    if (!this.#partitioning.mayServe(partition)) return 'keep'
    return routeOf(this.#partitioning.modeOf(partition), this.#workspace)
  }

  #everyLane(): readonly (Pipeline | ShadowDrain)[] {
    return [...this.#pipelines.values(), ...this.#shadowDrains.values()]
  }
}

/** How long an attempt without an answer may still arrive, ms. */
function openMsOf({ requestTimeoutMs, arrivalGraceMs }: Config): number {
  return requestTimeoutMs + arrivalGraceMs
}
