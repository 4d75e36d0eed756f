import type { Clock } from '@relay/shared/clock.js'
import type { Config } from '@relay/shared/config/environment.js'
import {
  reportWorkspaces,
  type WorkspaceDirectory,
} from '@relay/shared/config/workspace-directory.js'
import { DeadLetterStore } from '@relay/shared/dead-letters/dead-letter-store.js'
import type { Logger } from '@relay/shared/observability/logger.js'
import type { ReloadResult } from '@relay/shared/observability/process-metrics.js'
import { CHUNK_FORMAT } from '@relay/shared/queue/chunk.js'
import { Deployment, type Roster } from '@relay/shared/queue/deployment.js'
import { deploymentKeys, parsePartitionTag } from '@relay/shared/queue/keys.js'
import { PartitionQueue } from '@relay/shared/queue/partition-queue.js'
import type { Random } from '@relay/shared/random.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'
import { Replication } from '@relay/shared/redis/replication.js'
import { RedisRun } from '@relay/shared/redis/redis-run.js'
import { TraceStore } from '@relay/shared/trace/trace-store.js'
import { ErasureStore } from '@relay/shared/erasure/erasure-store.js'
import type { WorkerObserver } from './observe/observer.js'
import { Erasures } from './settle/erasures.js'
import { WindowMemory } from './fetch/loader.js'
import type { PartitionWindow } from './fetch/window.js'
import type { NewSender } from './send/answer.js'
import type { WorkerMetrics } from './observe/metrics.js'
import { InFlight } from './ownership/in-flight.js'
import { Ownership } from './ownership/ownership.js'
import { Peers } from './ownership/peers.js'
import { Reconciler } from './ownership/reconciler.js'
import { lateMarginMs, Session } from './ownership/session.js'
import { joinedIn, workerOf } from '@relay/shared/queue/session-id.js'
import { Settler } from './settle/settler.js'
import { WorkspaceService, workspaceStores, type Recovery } from './workspace-service.js'

export interface WorkerOptions {
  readonly config: Config
  readonly workspaces: WorkspaceDirectory
  readonly client: RedisClient
  readonly subscriber: RedisClient
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: WorkerMetrics
  /** The workspaces file changed. */
  readonly reloaded: (result: ReloadResult) => void
  readonly observer: WorkerObserver
  readonly newSender: NewSender
}

/** Memory for looking ahead, all partitions together, bytes. */
const WINDOW_BYTES = 64 * 1024 * 1024
/** Timeout for replicas to have a renewed lease, ms. */
const REPLICATED_WITHIN_MS = 250
/** Interval of checks for unreleased partitions during shutdown, ms. */
const RELEASE_LOOK_MS = 20
/** A subscription may be silent for hours; without a ping it would not notice that it died. */
const PING_EVERY_MS = 5_000

/** One worker process: a session, the partitions it owns, and a service per workspace. */
export class Worker {
  readonly #options: WorkerOptions
  readonly #name: string
  readonly #deployment: Deployment
  readonly #session: Session
  readonly #ownership: Ownership
  readonly #redisRun: RedisRun
  readonly #services = new Map<string, WorkspaceService>()
  readonly #memory = new WindowMemory(WINDOW_BYTES)
  readonly #settler: Settler
  readonly #inFlight: InFlight
  readonly #erasures: Erasures
  readonly #peers: Peers
  readonly #reconciler: Reconciler
  readonly #trace: TraceStore
  readonly #reportedFormats = new Set<number>()
  #redisOffsetMs = 0
  /** The last roster of the present session. */
  #roster: Roster | null = null
  #pings: NodeJS.Timeout | undefined
  #look: NodeJS.Timeout | undefined
  #stopping = false

  constructor(options: WorkerOptions) {
    this.#options = options
    const { client, config, clock, random, log, metrics } = options
    this.#name = random.bytes(9).toString('base64url')
    this.#trace = new TraceStore(client, config.prefix, config.traceBytes)
    this.#deployment = new Deployment(client, config.prefix)
    this.#inFlight = new InFlight(clock, config.arrivalGraceMs)
    this.#erasures = new Erasures({
      ...{ store: new ErasureStore(client, config.prefix), worker: this.#name, clock },
      onNew: () => {
        for (const service of this.#services.values()) service.wake()
      },
    })
    this.#redisRun = new RedisRun(client, (before) => this.#onNewLife(before))
    this.#session = this.#newSession()
    this.#peers = new Peers({
      ...{ clock, leaseMs: config.leaseMs },
      runId: () => this.#redisRun.id,
    })
    this.#ownership = this.#newOwnership()
    this.#settler = new Settler({
      queueOf: (window) => this.#ownership.owned.get(window.tag)?.queue,
      present: (window) => this.#ownership.owned.get(window.tag)?.window,
      lateMs: (window) => this.#inFlight.lateMs(window.tag),
      sleep,
      onFenced: (window) => {
        log.warn('partition lost to another worker', { partition: window.tag })
        this.#ownership.drop(window)
      },
    })
    this.#reconciler = new Reconciler({
      ...{ client, prefix: config.prefix, deployment: this.#deployment },
      queueOf: (tag) => this.#queueOf(tag),
      appIds: () => options.workspaces.all().map(({ appId }) => appId),
      onFound: (tags) => {
        metrics.partitionsRecovered.inc(tags.length)
        log.error('partitions with elements were missing from the active set', { tags })
        this.#renew()
      },
    })
  }

  #newSession(): Session {
    const { client, config, clock } = this.#options
    const replication = new Replication(client, REPLICATED_WITHIN_MS)
    return new Session({
      ...{ worker: this.#name, registry: this.#deployment, clock },
      leaseMs: config.leaseMs,
      marginMs: lateMarginMs(config.leaseMs, config.arrivalGraceMs),
      runId: () => this.#redisRun.id,
      beforeWrite: () =>
        config.durability === 'replica' ? replication.beforeWrite() : () => Promise.resolve(true),
      beforeJoin: (id) => this.#ownership.reclaim(id),
      onRoster: (roster, askedAtMs, stepMs) => this.#onRoster(roster, askedAtMs, stepMs),
      onLost: (wasAlive) => this.#onSessionLost(wasAlive),
    })
  }

  #newOwnership(): Ownership {
    const { config, clock, metrics, log } = this.#options
    return new Ownership({
      ...{ worker: this.#name, deployment: this.#deployment, clock, leaseMs: config.leaseMs },
      ...{ peers: this.#peers, inFlight: this.#inFlight },
      queueOf: (tag) => this.#queueOf(tag),
      runId: () => this.#redisRun.id,
      redisNowMs: () => this.#redisNowMs(),
      session: () => ({ id: this.#session.id, alive: this.#session.alive }),
      onGained: (window, queue) => this.#onGained(window, queue),
      onLost: (window) => {
        this.#services.get(window.partition.appId)?.drop(window)
        metrics.partitionsOwned.set(this.#ownership.owned.size)
      },
      serves: (appId) => this.#services.has(appId),
      onTakeover: (tag, from) => {
        metrics.takeovers.inc()
        log.info('partition taken over', { partition: tag, from })
      },
      onUnreadable: (tag, format) => this.#onUnreadable(tag, format),
      refresh: () => {
        // Not now: the renewal that brought the present roster may still be ending.
        setImmediate(() => this.#renew())
      },
    })
  }

  #queueOf(tag: string): PartitionQueue {
    return new PartitionQueue(this.#options.client, this.#options.config.prefix, tag)
  }

  get alive(): boolean {
    return this.#session.alive
  }

  async start(): Promise<void> {
    const { subscriber, workspaces } = this.#options
    subscriber.on('message', (_channel: string, message: string) => this.#onMessage(message))
    subscriber.on('ready', () => this.#subscribe())
    if (subscriber.status === 'ready') this.#subscribe()
    this.#pings = setInterval(() => {
      void subscriber.ping().catch(() => undefined)
      this.#refreshServices()
    }, PING_EVERY_MS)
    this.#syncWorkspaces()
    reportWorkspaces(workspaces, this.#options, () => {
      this.#syncWorkspaces()
      // Partitions of a new workspace are free for this worker, those of a removed one for others.
      this.#renew()
    })
    await this.#session.start()
  }

  /** Finishes the requests in flight, releases every partition and leaves. */
  async stop(): Promise<void> {
    this.#stopping = true
    clearInterval(this.#pings)
    clearTimeout(this.#look)
    this.#options.workspaces.close()
    const { shutdownMs } = this.#options.config
    const untilMs = this.#options.clock.monotonicMs() + shutdownMs
    const settles = setTimeout(() => this.#settler.stop(), shutdownMs)
    this.#ownership.releaseAll()
    await Promise.all([
      this.#reconciler.stop(),
      ...[...this.#services.values()].map((service) => service.stop(shutdownMs)),
    ])
    clearTimeout(settles)
    await this.#released(untilMs)
    await this.#trace.flush()
    // The worker holds no elements now, so pending erasures need not wait for the end of the lease.
    await this.#erasures.look()
    await this.#leave()
  }

  /** Waits until every partition is released, or for as long as a shutdown may take. */
  async #released(untilMs: number): Promise<void> {
    while (!this.#ownership.isReleased && this.#options.clock.monotonicMs() < untilMs) {
      await sleep(RELEASE_LOOK_MS)
    }
  }

  async #leave(): Promise<void> {
    const runsOut = (why: string) => {
      this.#options.log.warn('lease will expire; partitions stay owned until then', {
        why,
      })
    }
    if (this.#ownership.isReleased) {
      await this.#session.leave().catch((error: unknown) => runsOut(String(error)))
      return
    }
    // Newer elements must not overtake requests that may still be processed: those partitions wait for
    // the end of the lease, as after a death.
    await this.#session.stop()
    runsOut('requests without an answer may still be processed')
  }

  #subscribe(): void {
    const { subscriber, config } = this.#options
    void subscriber.subscribe(deploymentKeys(config.prefix).wake).then(
      () => {
        // Messages that were published meanwhile are lost.
        this.#ownership.recheck()
        this.#refreshServices()
        this.#renew()
      },
      () => subscriber.disconnect(true),
    )
  }

  #renew(): void {
    if (!this.#stopping) void this.#session.renew()
  }

  #redisNowMs(): number {
    return this.#options.clock.monotonicMs() + this.#redisOffsetMs
  }

  #syncWorkspaces(): void {
    const all = this.#options.workspaces.all()
    const known = new Set(all.map(({ appId }) => appId))
    for (const [appId, service] of this.#services) {
      // A removed workspace keeps its queue: it is served again when it comes back.
      if (!known.has(appId)) {
        this.#services.delete(appId)
        void service.stop(this.#options.config.shutdownMs)
      }
    }
    for (const workspace of all) {
      // Only there: a series each would be too much for a metric that few need.
      if (workspace.mode === 'shadow') {
        this.#options.metrics.shadowed.inc({ app_id: workspace.appId }, 0)
      }
      const service = this.#services.get(workspace.appId)
      if (service) void service.reconfigure(workspace)
      else this.#services.set(workspace.appId, this.#newService(workspace))
    }
    for (const { window, queue } of this.#ownership.owned.values()) {
      this.#services.get(window.partition.appId)?.serve(window, queue)
    }
  }

  #newService(workspace: WorkspaceService['workspace']): WorkspaceService {
    const { config } = this.#options
    this.#options.metrics.preset(workspace.appId, config.maxAgeMs !== null)
    const { client, clock, random, log, observer, newSender } = this.#options
    const service = new WorkspaceService({
      ...{ config, workspace, clock, random, log, observer, newSender },
      newStores: (mode) => workspaceStores(client, config, clock, { appId: workspace.appId, mode }),
      settler: this.#settler,
      deadLetters: new DeadLetterStore(client, config.prefix),
      trace: this.#trace,
      memory: this.#memory,
      worker: this.#name,
      ...{ inFlight: this.#inFlight, erasures: this.#erasures },
      redisNowMs: () => this.#redisNowMs(),
      sendableMs: () => this.#session.sendableMs(),
      runId: () => this.#redisRun.id,
      refreshRun: () => this.#redisRun.refresh(),
      recovery: () => this.#recovery(),
      onIdle: (window) => this.#onIdle(window),
      sleep,
    })
    void service.refreshGate()
    void service.refreshLearned()
    void service.recover().catch(() => undefined)
    return service
  }

  /** Logged once per format, because every read of such a partition finds it. */
  #onUnreadable(tag: string, format: number): void {
    if (this.#reportedFormats.has(format)) return
    this.#reportedFormats.add(format)
    this.#options.log.error('chunks of a newer format; upgrade this worker', {
      partition: tag,
      format,
      understood: CHUNK_FORMAT,
    })
  }

  #recovery(): Recovery | null {
    const roster = this.#roster
    if (roster === null || !joinedIn(this.#session.id, this.#redisRun.id)) return null
    const workers = [...roster.before, ...roster.sessions.keys()].map(workerOf)
    const ended = (withinMs: number) => this.#peers.endedWithin(withinMs)
    return { workers, ended, runMs: this.#redisNowMs() - roster.runSinceMs }
  }

  #onRoster(roster: Roster, askedAtMs: number, stepMs: number): void {
    this.#options.metrics.partitionsUnreadable.set(this.#ownership.unreadable.length)
    this.#redisOffsetMs = roster.redisNowMs - this.#options.clock.monotonicMs()
    if (stepMs !== 0) {
      this.#options.log.warn("Redis' clock stepped", { stepMs: Math.round(stepMs) })
      this.#peers.distrust()
    }
    const isFirst = this.#roster === null
    this.#roster = roster
    this.#peers.observe(roster, askedAtMs)
    // Others may wait for this worker's reservations, whether it has anything to send or not.
    if (isFirst) this.#recoverServices()
    void this.#erasures.look()
    void this.#redisRun.refreshIfUnheard()
    if (!this.#stopping) void this.#balance(roster, askedAtMs)
  }

  async #balance(roster: Roster, askedAtMs: number): Promise<void> {
    await this.#ownership.balance(roster, askedAtMs).catch(() => undefined)
    // A session that is over is found with the first roster after its end.
    const nextEndMs = this.#ownership.nextEndMs()
    clearTimeout(this.#look)
    if (this.#stopping || !Number.isFinite(nextEndMs)) return
    this.#look = setTimeout(() => this.#renew(), nextEndMs + 1)
  }

  #onSessionLost(wasAlive: boolean): void {
    this.#options.metrics.leaseLosses.inc()
    this.#options.log.warn('session lost; released all partitions, rejoining')
    this.#roster = null
    this.#ownership.dropAll(wasAlive)
  }

  /** A workspace that was removed and added again has a new service, which is notified too. */
  #onIdle(window: PartitionWindow): void {
    this.#ownership.idle(window)
    this.#services.get(window.partition.appId)?.wake()
  }

  #onGained(window: PartitionWindow, queue: PartitionQueue): void {
    this.#options.metrics.partitionsOwned.set(this.#ownership.owned.size)
    this.#services.get(window.partition.appId)?.serve(window, queue)
  }

  /** Redis restarted or failed over and may have lost its last writes. */
  #onNewLife(before: string): void {
    if (before !== '') {
      this.#options.log.warn(
        'Redis restarted or failed over; re-registering claims and reservations',
      )
      this.#peers.distrust()
      void this.#session.rejoin()
    } else this.#renew()
    void this.#reconciler.look()
    for (const service of this.#services.values()) service.redisRestarted()
  }

  #recoverServices(): void {
    for (const service of this.#services.values()) void service.recover().catch(() => undefined)
  }

  /** Notifications are only faster: a lost one must not hide a change. */
  #refreshServices(): void {
    for (const service of this.#services.values()) {
      void service.refreshGate()
      void service.refreshLearned()
    }
  }

  #onMessage(message: string): void {
    const [what = '', subject = '', detail = ''] = message.split(' ')
    if (what === 'sessions') {
      this.#renew()
    } else if (what === 'forget') {
      void this.#erasures.look()
    } else if (what === 'wake') {
      if (parsePartitionTag(subject) === null) return
      void this.#ownership.woken(subject, detail).catch(() => undefined)
    } else this.#services.get(subject)?.heard(what)
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
