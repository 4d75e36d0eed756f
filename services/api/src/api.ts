import type { RequestListener, Server } from 'node:http'
import { Registry } from 'prom-client'
import { NameStore } from '@relay/shared/census/name-store.js'
import { systemClock } from '@relay/shared/clock.js'
import type { CredentialDirectory } from '@relay/shared/config/credential-directory.js'
import type { Config } from '@relay/shared/config/environment.js'
import {
  reportReloads,
  reportWorkspaces,
  type WorkspaceDirectory,
} from '@relay/shared/config/workspace-directory.js'
import type { Logger } from '@relay/shared/observability/logger.js'
import { observeSharedState } from '@relay/shared/observability/state-metrics.js'
import { createOpsServer, redisChecks } from '@relay/shared/observability/ops-server.js'
import { observeProcess } from '@relay/shared/observability/process-metrics.js'
import { LoopDelay } from '@relay/shared/process/loop-delay.js'
import { closeServer, INTAKE_ADDRESS, listen, OPS_ADDRESS } from '@relay/shared/process/shutdown.js'
import { systemRandom } from '@relay/shared/random.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import { watchRedis, type RedisProblem } from '@relay/shared/redis/explain.js'
import type { Tracer } from '@relay/shared/telemetry/tracer.js'
import { AssessThread } from './accept/assess-thread.js'
import { openOperator, type Operator } from './admin/operator.js'
import { producerOf } from './guard/authenticate.js'
import { Census } from './census/census.js'
import { redisUnwritable } from './guard/intake-problem.js'
import { openCore, type Core } from './core.js'
import { ADD_TIMEOUT_MS } from './enqueue/redis-post-store.js'
import { createIntakeApp, DEFAULT_LIMITS } from './http/app.js'
import { createIntakeServer, watchTls } from './http/server.js'
import { createIntakeMetrics, observeBacklogLimit, type IntakeMetrics } from './observe/metrics.js'
import { Reporter, TracedIntake } from './observe/reporter.js'

/** Time for requests in flight at shutdown, ms. */
const FINISH_WITHIN_MS = 5_000
const OPS_FINISH_WITHIN_MS = 1_000

/** What may change while it runs. */
export interface Directories {
  readonly workspaces: WorkspaceDirectory
  readonly credentials: CredentialDirectory
}

/** One api process: the intake for producers and the operators' port. */
export class Api {
  readonly #config: Config
  readonly #workspaces: WorkspaceDirectory
  readonly #credentials: CredentialDirectory
  readonly #log: Logger
  readonly #registry = new Registry()
  readonly #metrics: IntakeMetrics
  readonly #reloaded: (outcome: 'changed' | 'refused') => void
  readonly #client: RedisClient
  readonly #core: Core
  readonly #operator: Operator
  readonly #tracer: Tracer | null
  readonly #traced: TracedIntake | null
  readonly #intake: Server
  readonly #ops: Server
  readonly #stopping = new AbortController()
  readonly #largeBodies = new AssessThread()
  readonly #redisProblem: () => RedisProblem | null
  #stopTls: () => void = () => undefined

  /** `tracer` null: nothing is traced, at no cost per request. */
  constructor(
    config: Config,
    { workspaces, credentials }: Directories,
    log: Logger,
    tracer: Tracer | null,
  ) {
    this.#config = config
    this.#tracer = tracer
    this.#traced = tracer === null ? null : new TracedIntake(tracer)
    this.#workspaces = workspaces
    this.#credentials = credentials
    this.#log = log
    this.#reloaded = observeProcess(this.#registry, 'api', workspaces)
    this.#metrics = createIntakeMetrics(this.#registry)
    this.#client = connectRedis(config.redis, { commandTimeoutMs: ADD_TIMEOUT_MS })
    this.#redisProblem = watchRedis(this.#client, log, systemClock, new LoopDelay(systemClock))
    this.#core = this.#openCore()
    const { store, guard, problem } = this.#core
    const intakeProblem = () => problem() ?? redisUnwritable(this.#redisProblem())
    this.#operator = openOperator({
      ...{ config, workspaces, credentials, store, log, intakeProblem },
      lanes: () => guard.currentLanes,
      redisProblem: this.#redisProblem,
    })
    this.#intake = createIntakeServer(this.#openIntake(), {
      clock: systemClock,
      random: systemRandom,
      tls: config.tls,
      producerOf: ({ headers }) => producerOf(headers.authorization, credentials.producers),
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
    const { host, opsHost } = this.#config
    const opsPort = await listen(this.#ops, this.#config.opsPort, OPS_ADDRESS, opsHost)
    const port = await listen(this.#intake, this.#config.port, INTAKE_ADDRESS, host)
    await this.#core.start()
    const workspaces = this.#workspaces.all().length
    const durability = this.#core.durability.reached.level
    this.#log.info('api started', { port, opsPort, workspaces, durability })
  }

  /** Answers requests in flight, then closes. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await closeServer(this.#intake, FINISH_WITHIN_MS)
    await this.#core.stop()
    this.#workspaces.close()
    this.#credentials.close()
    this.#stopTls()
    await Promise.all([closeServer(this.#ops, OPS_FINISH_WITHIN_MS), this.#tracer?.stop()])
    this.#operator.stop()
    this.#client.disconnect()
    await this.#largeBodies.stop()
  }

  #openCore(): Core {
    const wanted = this.#config.durability
    return openCore({
      ...{ client: this.#client, clock: systemClock, random: systemRandom },
      ...{ config: this.#config, workspaces: this.#workspaces, traced: this.#traced },
      largeBodies: this.#largeBodies,
      census: new Census((appId) => new NameStore(this.#client, this.#config.prefix, appId)),
      observer: new Reporter(this.#metrics, this.#log, systemClock),
      onDurability: ({ level, problem }) => {
        if (problem === null) this.#log.info('durability reached', { wanted, reached: level })
        else this.#log.warn('durability not reached', { wanted, reached: level, problem })
      },
    })
  }

  #openIntake(): RequestListener {
    const app = createIntakeApp({
      ...this.#core.accept,
      acceptor: this.#core.acceptor,
      workspaces: (appId) => this.#workspaces.get(appId),
      producers: () => this.#credentials.producers,
      stopping: this.#stopping.signal,
      producersTrace: this.#operator.producersTrace,
      limits: { ...DEFAULT_LIMITS, maxRequestBytes: this.#config.maxRequestBytes },
    })
    return this.#traced?.listener(app) ?? app
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
    observeBacklogLimit(registry, () => this.#core.guard.limitBytes)
    for (const { appId } of this.#workspaces.all()) this.#metrics.preset(appId)
    this.#metrics.presetProducers(this.#credentials.producers.names)
  }

  #watch(): void {
    const [workspaces, credentials] = [this.#workspaces, this.#credentials]
    const report = { reloaded: this.#reloaded, log: this.#log }
    reportWorkspaces(workspaces, report, () => {
      for (const { appId } of workspaces.all()) this.#metrics.preset(appId)
    })
    reportReloads(credentials, 'credentials', report, () => {
      const { names } = credentials.producers
      this.#metrics.presetProducers(names)
      return { producers: names.length }
    })
    this.#stopTls = watchTls(this.#intake, this.#config.tls, (changed) => {
      this.#reloaded(changed ? 'changed' : 'refused')
      if (changed) this.#log.info('certificate of the intake changed')
      else this.#log.error('certificate of the intake is invalid; the last valid one stays in use')
    })
  }

  /**
   * Ready from the first connection to Redis on, also while Redis is down or the durability is not
   * reached: producers then get 503 with Retry-After, which an api removed from its Service could not
   * send. Not ready before, so that a new version with a wrong REDIS_URL replaces no working one.
   */
  #readiness() {
    const { level, problem } = this.#core.durability.reached
    const intake = this.#core.problem()
    return {
      // From then on: with Redis unavailable, posts get a 503 with Retry-After instead of no connection.
      ready: this.#core.durability.isKnown,
      checks: {
        redis: this.#client.status,
        ...redisChecks(this.#redisProblem()),
        durability: level,
        ...(problem === null ? {} : { durability_problem: problem }),
        ...(intake === null ? {} : { intake_problem: intake.meaning, intake_next: intake.next }),
      },
    }
  }
}
