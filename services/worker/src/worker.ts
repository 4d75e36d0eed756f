import type { Clock } from '@relay/shared/clock.js'
import type { Config } from '@relay/shared/config/environment.js'
import type { WorkspaceDirectory } from '@relay/shared/config/workspace-directory.js'
import { DeadLetterStore } from '@relay/shared/dead-letters/dead-letter-store.js'
import type { Logger } from '@relay/shared/observability/logger.js'
import type { ReloadResult } from '@relay/shared/observability/process-metrics.js'
import { CHUNK_FORMAT } from '@relay/shared/queue/chunk.js'
import { Deployment, type Roster } from '@relay/shared/queue/deployment.js'
import { deploymentKeys, parsePartitionTag } from '@relay/shared/queue/keys.js'
import type { PartitionQueue } from '@relay/shared/queue/partition-queue.js'
import type { Random } from '@relay/shared/random.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'
import { Replication } from '@relay/shared/redis/replication.js'
import { RedisLife } from '@relay/shared/redis/redis-life.js'
import { TraceStore } from '@relay/shared/trace/trace-store.js'
import type { WorkerObserver } from './dispatch/observer.js'
import { WindowMemory } from './fetch/loader.js'
import type { PartitionWindow } from './fetch/window.js'
import type { WorkerMetrics } from './observe/metrics.js'
import { Ownership } from './ownership/ownership.js'
import { Session, workerOf } from './session/session.js'
import { Settler } from './settle/settler.js'
import { WorkspaceService } from './workspace-service.js'

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
  readonly version: string
}

/** Memory for looking ahead, all partitions together, bytes. */
const WINDOW_BYTES = 64 * 1024 * 1024
/** How long replicas may take to have a renewed lease, ms. */
const REPLICATED_WITHIN_MS = 250
/** A subscription hears nothing for hours; without a question it would not notice that it died. */
const PING_EVERY_MS = 5_000

/** One worker process: a session, the partitions it owns, and a service per workspace. */
export class Worker {
  readonly #o: WorkerOptions
  readonly #name: string
  readonly #session: Session
  readonly #ownership: Ownership
  readonly #life: RedisLife
  readonly #services = new Map<string, WorkspaceService>()
  readonly #memory = new WindowMemory(WINDOW_BYTES)
  readonly #settler: Settler
  readonly #trace: TraceStore
  readonly #toldFormats = new Set<number>()
  #redisOffsetMs = 0
  #pings: NodeJS.Timeout | undefined
  #stopping = false

  constructor(options: WorkerOptions) {
    this.#o = options
    const { client, config, clock, random } = options
    this.#name = random.bytes(9).toString('base64url')
    this.#trace = new TraceStore(client, config.prefix, config.traceBytes)
    const deployment = new Deployment(client, config.prefix)
    const replication = new Replication(client, REPLICATED_WITHIN_MS)
    this.#session = new Session({
      worker: this.#name,
      deployment,
      leaseMs: config.leaseMs,
      durable: () =>
        config.durability === 'replica' ? replication.reached() : Promise.resolve(true),
      clock,
      onRoster: (roster, askedAtMs, stepMs) => {
        this.#onRoster(roster, askedAtMs, stepMs)
      },
      onLost: () => {
        this.#onLeaseLost()
      },
    })
    this.#ownership = new Ownership({
      client,
      prefix: config.prefix,
      deployment,
      clock,
      leaseMs: config.leaseMs,
      session: () => ({ id: this.#session.id, alive: this.#session.alive }),
      onGained: (window, queue) => {
        this.#onGained(window, queue)
      },
      onLost: (window) => {
        this.#services.get(window.partition.appId)?.forget(window)
        options.metrics.partitionsOwned.set(this.#ownership.owned.size)
      },
      onTakeover: (tag, from) => {
        options.metrics.takeovers.inc()
        options.log.info('partition taken over', { partition: tag, from })
      },
      onUnreadable: (tag, format) => {
        this.#onUnreadable(tag, format)
      },
      refresh: () => {
        // Not now: the renewal that brought the present roster may still be ending.
        setImmediate(() => {
          if (!this.#stopping) void this.#session.renew()
        })
      },
    })
    this.#settler = new Settler({
      queueOf: (window) => this.#ownership.owned.get(window.tag)?.queue,
      sleep,
      onFenced: (window) => {
        options.log.warn('partition lost to another worker', { partition: window.tag })
        this.#ownership.drop(window)
      },
    })
    this.#life = new RedisLife(client, (before) => {
      this.#onNewLife(before)
    })
  }

  get alive(): boolean {
    return this.#session.alive
  }

  async start(): Promise<void> {
    const { subscriber, config, workspaces } = this.#o
    const { wake } = deploymentKeys(config.prefix)
    subscriber.on('message', (_channel: string, message: string) => {
      this.#onMessage(message)
    })
    subscriber.on('ready', () => {
      void subscriber.subscribe(wake).then(
        () => {
          // What was announced while nobody listened is lost.
          this.#ownership.recheck()
          return this.#session.renew()
        },
        () => {
          subscriber.disconnect(true)
        },
      )
    })
    this.#pings = setInterval(() => void subscriber.ping().catch(() => undefined), PING_EVERY_MS)
    this.#syncWorkspaces()
    workspaces.watch({
      onChange: () => {
        this.#o.reloaded('changed')
        this.#o.log.info('workspaces file changed', { workspaces: workspaces.all().length })
        this.#syncWorkspaces()
      },
      onFault: (faults) => {
        this.#o.reloaded('refused')
        const problems = faults.map(({ where, problem }) => `${where} ${problem}`)
        this.#o.log.error('workspaces file cannot be used; the last good one stays', { problems })
      },
    })
    await this.#session.start()
  }

  /** Finishes what is under way, hands everything back and leaves. */
  async stop(): Promise<void> {
    this.#stopping = true
    clearInterval(this.#pings)
    this.#o.workspaces.close()
    const released = this.#ownership.releaseAll()
    await Promise.all([...this.#services.values()].map((s) => s.stop(this.#o.config.shutdownMs)))
    await released
    await this.#ownership.releaseAll()
    await this.#trace.flush()
    await this.#leave()
  }

  async #leave(): Promise<void> {
    const runsOut = (why: string) => {
      this.#o.log.warn('the lease is left to run out: what waits goes on when it has ended', {
        why,
      })
    }
    if (!this.#ownership.keepsClaims) {
      await this.#session.leave().catch((error: unknown) => {
        runsOut(String(error))
      })
      return
    }
    // What of its last requests may still be processed must not be overtaken by newer data: those
    // partitions wait for the end of the lease, as after a death.
    await this.#session.stop()
    runsOut('requests without an answer may still be processed')
  }

  #syncWorkspaces(): void {
    const all = this.#o.workspaces.all()
    const known = new Set(all.map(({ appId }) => appId))
    for (const [appId, service] of this.#services) {
      // A removed workspace keeps its queue: it is served again when it comes back.
      if (!known.has(appId)) {
        this.#services.delete(appId)
        void service.stop(this.#o.config.shutdownMs)
      }
    }
    for (const workspace of all) {
      // Only there: a series each would be too much for a metric that few need.
      if (workspace.mode === 'shadow') {
        this.#o.metrics.shadowed.inc({ app_id: workspace.appId }, 0)
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
    const { config } = this.#o
    this.#o.metrics.preset(workspace.appId, config.maxAgeMs !== null)
    const { client, clock, random, log, observer, version } = this.#o
    const service = new WorkspaceService({
      ...{ config, workspace, client, clock, random, log, observer, version },
      settler: this.#settler,
      deadLetters: new DeadLetterStore(client, config.prefix),
      trace: this.#trace,
      memory: this.#memory,
      worker: this.#name,
      redisNowMs: () => clock.monotonicMs() + this.#redisOffsetMs,
      leaseLeftMs: () => this.#session.remainingMs(),
      incarnation: () => this.#life.id,
      refreshLife: () => this.#life.refresh(),
      workers: () => this.#ownership.sessions.map(workerOf),
      onIdle: (window) => void this.#ownership.idle(window),
      sleep,
    })
    void service.refreshGate()
    void service.refreshLearned()
    void service.recover().catch(() => undefined)
    return service
  }

  /** Told once per format: every look at such a partition finds the same. */
  #onUnreadable(tag: string, format: number): void {
    if (this.#toldFormats.has(format)) return
    this.#toldFormats.add(format)
    this.#o.log.error(
      'chunks of a newer format are left to newer workers: finish the upgrade of the workers, or start the newer version again',
      { partition: tag, format, understood: CHUNK_FORMAT },
    )
  }

  #onRoster(roster: Roster, askedAtMs: number, stepMs: number): void {
    this.#o.metrics.partitionsUnreadable.set(this.#ownership.unreadable.length)
    this.#redisOffsetMs = roster.redisNowMs - this.#o.clock.monotonicMs()
    if (stepMs !== 0) {
      this.#o.log.warn("Redis' clock stepped", { stepMs: Math.round(stepMs) })
      this.#ownership.distrust()
    }
    void this.#life.refreshIfUnheard()
    if (!this.#stopping) void this.#ownership.balance(roster, askedAtMs).catch(() => undefined)
  }

  #onLeaseLost(): void {
    this.#o.metrics.leaseLosses.inc()
    this.#o.log.warn('lease lost; partitions are given up and the worker joins anew')
    this.#ownership.dropAll()
  }

  #onGained(window: PartitionWindow, queue: PartitionQueue): void {
    this.#o.metrics.partitionsOwned.set(this.#ownership.owned.size)
    this.#services.get(window.partition.appId)?.serve(window, queue)
  }

  /** Redis restarted or failed over: what happened in its last moments may be forgotten. */
  #onNewLife(before: string): void {
    if (before !== '') {
      this.#o.log.warn('Redis restarted or failed over; claims and budgets are entered anew')
      this.#ownership.distrust()
      void this.#session.rejoin()
    }
    for (const service of this.#services.values()) {
      void service.refreshGate()
      void service.refreshLearned()
      void service.recover().catch(() => undefined)
    }
  }

  #onMessage(message: string): void {
    const [what = '', subject = '', detail = ''] = message.split(' ')
    if (what === 'sessions') {
      if (!this.#stopping) void this.#session.renew()
    } else if (what === 'wake') {
      if (parsePartitionTag(subject) === null) return
      void this.#ownership.woken(subject, detail).catch(() => undefined)
    } else this.#services.get(subject)?.heard(what, detail)
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
