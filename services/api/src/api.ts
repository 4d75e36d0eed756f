import type { Server } from 'node:http'
import { Registry } from 'prom-client'
import { systemClock } from '@relay/shared/clock.js'
import type { CredentialDirectory } from '@relay/shared/config/credential-directory.js'
import type { Config } from '@relay/shared/config/environment.js'
import type { WorkspaceDirectory } from '@relay/shared/config/workspace-directory.js'
import type { Logger } from '@relay/shared/observability/logger.js'
import { observeSharedState } from '@relay/shared/observability/observe-shared-state.js'
import { createOpsServer, redisChecks } from '@relay/shared/observability/ops-server.js'
import { observeProcess } from '@relay/shared/observability/process-metrics.js'
import { closeServer, listen } from '@relay/shared/process/shutdown.js'
import { Deployment } from '@relay/shared/queue/deployment.js'
import { LayoutStore } from '@relay/shared/queue/layout.js'
import { systemRandom } from '@relay/shared/random.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import { watchRedis, type RedisProblem } from '@relay/shared/redis/explain.js'
import { ShadowReportStore } from '@relay/shared/shadow/shadow-report.js'
import type { Tracer } from '@relay/shared/telemetry/tracer.js'
import { openOperator, type Operator } from './admin/operator.js'
import { NameStore } from '@relay/shared/census/name-store.js'
import { Census } from './census/census.js'
import { DurabilityGuard } from './durability/durability-guard.js'
import { ADD_TIMEOUT_MS, RedisPostStore } from './enqueue/redis-post-store.js'
import { BacklogGuard } from './guard/backlog-guard.js'
import { createIntakeApp, DEFAULT_LIMITS } from './http/app.js'
import { createIntakeServer } from './http/server.js'
import { watchTls } from './http/tls.js'
import { RedisIdempotency } from './idempotency/redis-idempotency.js'
import { createIntakeMetrics, observeBacklogLimit, type IntakeMetrics } from './observe/metrics.js'
import { Reporter } from './observe/reporter.js'
import { RedisQuota } from './quota/redis-quota.js'
import { ShadowObserver, ShadowStore, ShadowTally } from './shadow/shadow-tally.js'
import { TracedIntake } from './telemetry/traced-intake.js'

/** Requests under way at the end get this long, ms. */
const FINISH_WITHIN_MS = 5_000
const OPS_FINISH_WITHIN_MS = 1_000

/** What may change while it runs. */
export interface Directories {
  readonly workspaces: WorkspaceDirectory
  readonly credentials: CredentialDirectory
}

/** One api process: the intake for producers, and the operators' port beside it. */
export class Api {
  readonly #config: Config
  readonly #workspaces: WorkspaceDirectory
  readonly #credentials: CredentialDirectory
  readonly #log: Logger
  readonly #registry = new Registry()
  readonly #metrics: IntakeMetrics
  readonly #reloaded: (outcome: 'changed' | 'refused') => void
  readonly #client: RedisClient
  readonly #guard: BacklogGuard
  readonly #durability: DurabilityGuard
  readonly #operator: Operator
  readonly #census: Census
  readonly #shadow: ShadowTally
  readonly #tracer: Tracer | null
  readonly #intake: Server
  readonly #ops: Server
  readonly #stopping = new AbortController()
  readonly #redisProblem: () => RedisProblem | null
  #stopTls: () => void = () => undefined

  /** `tracer` null: nothing is traced, and nothing of it is in a request's way. */
  constructor(
    config: Config,
    { workspaces, credentials }: Directories,
    log: Logger,
    tracer: Tracer | null,
  ) {
    this.#config = config
    this.#tracer = tracer
    this.#workspaces = workspaces
    this.#credentials = credentials
    this.#log = log
    this.#reloaded = observeProcess(this.#registry, 'api', workspaces)
    this.#metrics = createIntakeMetrics(this.#registry)
    this.#client = connectRedis(config.redis, { commandTimeoutMs: ADD_TIMEOUT_MS })
    this.#redisProblem = watchRedis(this.#client, log, systemClock)
    this.#guard = this.#openGuard()
    this.#durability = this.#openDurability()
    const store = this.#openStore()
    this.#operator = openOperator({
      ...{ config, workspaces, credentials, store, log },
      lanes: () => this.#guard.lanes,
    })
    this.#shadow = this.#openShadow()
    this.#census = new Census((appId) => new NameStore(this.#client, config.prefix, appId))
    const app = this.#openIntake(store)
    this.#intake = createIntakeServer(app, {
      clock: systemClock,
      random: systemRandom,
      tls: config.tls,
    })
    this.#ops = createOpsServer({
      registry: this.#registry,
      fallback: this.#operator.app,
      readiness: () => Promise.resolve(this.#readiness()),
    })
    this.#observe()
  }

  async start(): Promise<void> {
    this.#watch()
    const { opsHost, opsPort: opsPortWanted } = this.#config
    const opsPort = await listen(this.#ops, opsPortWanted, 'OPS_PORT', opsHost)
    const port = await listen(this.#intake, this.#config.port, 'PORT')
    void this.#guard.start()
    this.#shadow.start()
    this.#census.start()
    await this.#durability.start()
    const workspaces = this.#workspaces.all().length
    const durability = this.#durability.reached.level
    this.#log.info('api started', { port, opsPort, workspaces, durability })
  }

  /** Answers what is under way, then closes. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await closeServer(this.#intake, FINISH_WITHIN_MS)
    await this.#shadow.stop()
    await this.#census.stop()
    this.#guard.stop()
    this.#durability.stop()
    this.#workspaces.close()
    this.#credentials.close()
    this.#stopTls()
    await Promise.all([closeServer(this.#ops, OPS_FINISH_WITHIN_MS), this.#tracer?.stop()])
    this.#operator.stop()
    this.#client.disconnect()
  }

  #openGuard(): BacklogGuard {
    const { prefix, maxBacklogBytes } = this.#config
    const deployment = new Deployment(this.#client, prefix)
    const appIds = () => this.#workspaces.all().map(({ appId }) => appId)
    return new BacklogGuard({ client: this.#client, deployment, prefix, maxBacklogBytes, appIds })
  }

  #openDurability(): DurabilityGuard {
    const wanted = this.#config.durability
    return new DurabilityGuard({
      client: this.#client,
      wanted,
      onChange: ({ level, problem }) => {
        if (problem === null) this.#log.info('durability reached', { wanted, reached: level })
        else this.#log.warn('durability not reached', { wanted, reached: level, problem })
      },
    })
  }

  /** The way into the queues, for posts and for replayed dead letters. */
  #openStore(): RedisPostStore {
    const { prefix, partitions } = this.#config
    const client = this.#client
    return new RedisPostStore({
      client,
      prefix,
      deployment: new Deployment(client, prefix),
      clock: systemClock,
      layouts: new LayoutStore(client, prefix, {
        partitions,
        mode: (appId) => this.#workspaces.get(appId)?.mode ?? 'live',
      }),
      refusal: (post) => (this.#durability.isMissing ? 'durability' : this.#guard.refusal(post)),
      compress: () => this.#guard.compress(),
      durable: () => this.#durability.durable(),
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    })
  }

  #openIntake(store: RedisPostStore) {
    const { prefix, maxRequestBytes } = this.#config
    const traced = this.#tracer === null ? null : new TracedIntake(this.#tracer)
    const shadowed = new ShadowStore(store, this.#shadow)
    const observer = new ShadowObserver(
      new Reporter(this.#metrics, this.#log, systemClock),
      this.#shadow,
    )
    const app = createIntakeApp({
      store: traced?.store(shadowed) ?? shadowed,
      idempotency: new RedisIdempotency(this.#client, prefix, () => this.#guard.keyBytes),
      quota: new RedisQuota({ client: this.#client, prefix, backlog: () => this.#guard }),
      clock: systemClock,
      random: systemRandom,
      observer: traced?.observer(observer) ?? observer,
      census: this.#census,
      workspaces: (appId) => this.#workspaces.get(appId),
      producers: () => this.#credentials.producers,
      stopping: this.#stopping.signal,
      producersTrace: this.#operator.producersTrace,
      limits: { ...DEFAULT_LIMITS, maxRequestBytes },
    })
    return traced?.listener(app) ?? app
  }

  #openShadow(): ShadowTally {
    const { prefix } = this.#config
    return new ShadowTally({
      workspaces: (appId) => this.#workspaces.get(appId),
      save: (appId, tallies) =>
        new ShadowReportStore(this.#client, prefix, appId).add(tallies, systemClock.nowMs()),
    })
  }

  #observe(): void {
    const registry = this.#registry
    observeSharedState({
      registry,
      client: this.#client,
      config: this.#config,
      workspaces: this.#workspaces,
      clock: systemClock,
    })
    observeBacklogLimit(registry, () => this.#guard.limitBytes)
    for (const { appId } of this.#workspaces.all()) this.#metrics.preset(appId)
    this.#metrics.presetProducers(this.#credentials.producers.names)
  }

  #watch(): void {
    this.#watchWorkspaces()
    this.#watchCredentials()
    this.#stopTls = watchTls(this.#intake, this.#config.tls, (changed) => {
      this.#reloaded(changed ? 'changed' : 'refused')
      if (changed) this.#log.info('certificate of the intake changed')
      else this.#log.error('certificate of the intake cannot be used; the last good one stays')
    })
  }

  #watchCredentials(): void {
    const credentials = this.#credentials
    credentials.watch({
      onChange: () => {
        this.#reloaded('changed')
        this.#metrics.presetProducers(credentials.producers.names)
        this.#log.info('credentials changed', { producers: credentials.producers.names.length })
      },
      onFault: (faults) => {
        this.#reloaded('refused')
        const problems = faults.map(({ where, problem }) => `${where} ${problem}`)
        this.#log.error('credentials cannot be used; the last good ones stay', { problems })
      },
    })
  }

  #watchWorkspaces(): void {
    const workspaces = this.#workspaces
    workspaces.watch({
      onChange: () => {
        this.#reloaded('changed')
        for (const { appId } of workspaces.all()) this.#metrics.preset(appId)
        this.#log.info('workspaces file changed', { workspaces: workspaces.all().length })
      },
      onFault: (faults) => {
        this.#reloaded('refused')
        const problems = faults.map(({ where, problem }) => `${where} ${problem}`)
        this.#log.error('workspaces file cannot be used; the last good one stays', { problems })
      },
    })
  }

  /**
   * Ready from the first connection to Redis on, also while Redis is away or the durability is not
   * reached: then producers get a 503 with Retry-After, which no api could give that was taken out of
   * its Service. Before it, a new version with a wrong REDIS_URL must not replace a working one.
   */
  #readiness() {
    const { level, problem } = this.#durability.reached
    return {
      // From then on: with Redis unavailable, posts get a 503 with Retry-After instead of no connection.
      ready: this.#durability.isKnown,
      checks: {
        redis: this.#client.status,
        ...redisChecks(this.#redisProblem()),
        durability: level,
        ...(problem === null ? {} : { durability_problem: problem }),
      },
    }
  }
}
