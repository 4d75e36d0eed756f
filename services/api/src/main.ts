import { Registry } from 'prom-client'
import { systemClock } from '@relay/shared/clock.js'
import { parseEnvironment, type Config } from '@relay/shared/config/environment.js'
import { ConfigError, EXIT_CONFIG } from '@relay/shared/config/fault.js'
import { WorkspaceDirectory } from '@relay/shared/config/workspace-directory.js'
import { createLogger } from '@relay/shared/observability/logger.js'
import { observeSharedState } from '@relay/shared/observability/observe-shared-state.js'
import { observeProcess } from '@relay/shared/observability/process-metrics.js'
import { createOpsServer } from '@relay/shared/observability/ops-server.js'
import { closeServer, listen, onShutdown } from '@relay/shared/process/shutdown.js'
import { Deployment } from '@relay/shared/queue/deployment.js'
import type { PostStore } from '@relay/shared/queue/post.js'
import { LayoutStore } from '@relay/shared/queue/layout.js'
import { systemRandom } from '@relay/shared/random.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import { openOperator, type Operator } from './admin/operator.js'
import { ADD_TIMEOUT_MS, RedisPostStore } from './enqueue/redis-post-store.js'
import { BacklogGuard } from './guard/backlog-guard.js'
import { createIntakeApp, DEFAULT_LIMITS } from './http/app.js'
import { createIntakeServer } from './http/server.js'
import { RedisIdempotency } from './idempotency/redis-idempotency.js'
import { createIntakeMetrics, observeBacklogLimit } from './observe/metrics.js'
import { Reporter } from './observe/reporter.js'

const DEFAULT_OPS_PORT = 9464
/** Requests under way at the end get this long, ms. */
const FINISH_WITHIN_MS = 5_000

async function main(): Promise<void> {
  const config = parseEnvironment(process.env, DEFAULT_OPS_PORT)
  const workspaces = new WorkspaceDirectory(config)
  const faults = workspaces.load()
  if (faults.length > 0) throw new ConfigError(faults)
  const log = createLogger('relay-api', config.logLevel)
  const registry = new Registry()
  const reloaded = observeProcess(registry, 'api', workspaces)
  const metrics = createIntakeMetrics(registry, config.producers.keys())
  for (const { appId } of workspaces.all()) metrics.preset(appId)
  const client = connectRedis(config.redis, {
    commandTimeoutMs: ADD_TIMEOUT_MS,
  })
  observeSharedState({ registry, client, config, workspaces, clock: systemClock })
  const guard = new BacklogGuard({
    client,
    deployment: new Deployment(client, config.prefix),
    prefix: config.prefix,
    maxBacklogBytes: config.maxBacklogBytes,
  })
  observeBacklogLimit(registry, () => guard.limitBytes)
  const observer = new Reporter(metrics, log)
  const store = openStore({ config, client, guard })
  const operator = openOperator({ config, workspaces, store, log })
  const app = openIntake({ config, workspaces, client, store, observer, operator })
  const intake = createIntakeServer(app, systemClock, systemRandom)
  const ops = createOpsServer({
    registry,
    fallback: operator.app,
    readiness: () =>
      Promise.resolve({
        ready: client.status === 'ready',
        checks: { redis: client.status, durability: config.durability },
      }),
  })
  workspaces.watch({
    onChange: () => {
      reloaded('changed')
      for (const { appId } of workspaces.all()) metrics.preset(appId)
      log.info('workspaces file changed', { workspaces: workspaces.all().length })
    },
    onFault: (problems) => {
      reloaded('refused')
      const words = problems.map(({ where, problem }) => `${where} ${problem}`)
      log.error('workspaces file cannot be used; the last good one stays', { problems: words })
    },
  })
  const opsPort = await listen(ops, config.opsPort, 'OPS_PORT')
  const port = await listen(intake, config.port, 'PORT')
  onShutdown(async () => {
    log.info('stopping: finishing what is under way')
    await closeServer(intake, FINISH_WITHIN_MS)
    guard.stop()
    workspaces.close()
    await closeServer(ops, 1_000)
    operator.stop()
    client.disconnect()
    log.info('stopped')
  })
  void guard.start()
  log.info('api started', { port, opsPort, workspaces: workspaces.all().length })
}

interface StoreParts {
  readonly config: Config
  readonly client: RedisClient
  readonly guard: BacklogGuard
}

/** The way into the queues, for posts and for replayed dead letters. */
function openStore({ config, client, guard }: StoreParts): PostStore {
  return new RedisPostStore({
    client,
    deployment: new Deployment(client, config.prefix),
    prefix: config.prefix,
    clock: systemClock,
    layouts: new LayoutStore(client, config.prefix, config.partitions),
    refusal: (post) => guard.refusal(post),
    compress: () => guard.compress(),
    durable: () => Promise.resolve(true),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  })
}

interface IntakeParts {
  readonly config: Config
  readonly workspaces: WorkspaceDirectory
  readonly client: RedisClient
  readonly store: PostStore
  readonly observer: Reporter
  readonly operator: Operator
}

/** The intake, wired to Redis. */
function openIntake({ config, workspaces, client, store, observer, operator }: IntakeParts) {
  return createIntakeApp({
    store,
    idempotency: new RedisIdempotency(client, config.prefix),
    quota: { take: () => Promise.resolve({ granted: true }) },
    clock: systemClock,
    random: systemRandom,
    observer,
    workspaces: (appId) => workspaces.get(appId),
    producers: config.producers,
    producersTrace: operator.producersTrace,
    limits: { ...DEFAULT_LIMITS, maxRequestBytes: config.maxRequestBytes },
  })
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(error instanceof ConfigError ? EXIT_CONFIG : 1)
})
