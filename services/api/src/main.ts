import { collectDefaultMetrics, Registry } from 'prom-client'
import { systemClock } from '@relay/shared/clock.js'
import { parseEnvironment, type Config } from '@relay/shared/config/environment.js'
import { ConfigError, EXIT_CONFIG } from '@relay/shared/config/fault.js'
import { WorkspaceDirectory } from '@relay/shared/config/workspace-directory.js'
import { createLogger, type Logger } from '@relay/shared/observability/logger.js'
import { createOpsServer } from '@relay/shared/observability/ops-server.js'
import { closeServer, listen, onShutdown } from '@relay/shared/process/shutdown.js'
import { Deployment } from '@relay/shared/queue/deployment.js'
import { LayoutStore } from '@relay/shared/queue/layout.js'
import { systemRandom } from '@relay/shared/random.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import { DurabilityGuard } from './durability/durability-guard.js'
import { ADD_TIMEOUT_MS, RedisPostStore } from './enqueue/redis-post-store.js'
import { BacklogGuard } from './guard/backlog-guard.js'
import { createIntakeApp, DEFAULT_LIMITS } from './http/app.js'
import { createIntakeServer } from './http/server.js'
import { RedisIdempotency } from './idempotency/redis-idempotency.js'
import { createIntakeMetrics, type IntakeMetrics } from './observe/metrics.js'
import { Reporter } from './observe/reporter.js'
import { RedisQuota } from './quota/redis-quota.js'

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
  collectDefaultMetrics({ register: registry })
  const metrics = createIntakeMetrics(registry)
  for (const { appId } of workspaces.all()) metrics.preset(appId)
  const client = connectRedis(config.redis, {
    commandTimeoutMs: ADD_TIMEOUT_MS,
  })
  const guard = new BacklogGuard({
    client,
    deployment: new Deployment(client, config.prefix),
    prefix: config.prefix,
    maxBacklogBytes: config.maxBacklogBytes,
  })
  const durability = openDurability(client, config, log)
  const observer = new Reporter(metrics, log)
  const stopping = new AbortController()
  const { signal } = stopping
  const app = openIntake({ config, workspaces, client, guard, durability, observer, signal })
  const intake = createIntakeServer(app, systemClock, systemRandom)
  const ops = createOpsServer({
    registry,
    readiness: () => Promise.resolve(readiness(client, durability)),
  })
  watchWorkspaces(workspaces, metrics, log)
  const opsPort = await listen(ops, config.opsPort, 'OPS_PORT')
  const port = await listen(intake, config.port, 'PORT')
  onShutdown(async () => {
    log.info('stopping: finishing what is under way')
    stopping.abort()
    await closeServer(intake, FINISH_WITHIN_MS)
    guard.stop()
    durability.stop()
    workspaces.close()
    await closeServer(ops, 1_000)
    client.disconnect()
    log.info('stopped')
  })
  void guard.start()
  await durability.start()
  const { level } = durability.reached
  log.info('api started', { durability: level, port, opsPort, workspaces: workspaces.all().length })
}

function openDurability(client: RedisClient, config: Config, log: Logger): DurabilityGuard {
  const wanted = config.durability
  return new DurabilityGuard({
    client,
    wanted,
    onChange: ({ level, problem }) => {
      if (problem === null) log.info('durability reached', { wanted, reached: level })
      else log.warn('durability not reached', { wanted, reached: level, problem })
    },
  })
}

function watchWorkspaces(workspaces: WorkspaceDirectory, metrics: IntakeMetrics, log: Logger) {
  workspaces.watch({
    onChange: () => {
      for (const { appId } of workspaces.all()) metrics.preset(appId)
      log.info('workspaces file changed', { workspaces: workspaces.all().length })
    },
    onFault: (problems) => {
      const words = problems.map(({ where, problem }) => `${where} ${problem}`)
      log.error('workspaces file cannot be used; the last good one stays', { problems: words })
    },
  })
}

/** Ready: a post would be accepted, as far as one can know. */
function readiness(client: RedisClient, { reached, isMissing }: DurabilityGuard) {
  const { level, problem } = reached
  return {
    ready: client.status === 'ready' && !isMissing,
    checks: {
      redis: client.status,
      durability: level,
      ...(problem === null ? {} : { durability_problem: problem }),
    },
  }
}

interface IntakeParts {
  readonly config: Config
  readonly workspaces: WorkspaceDirectory
  readonly client: RedisClient
  readonly guard: BacklogGuard
  readonly durability: DurabilityGuard
  readonly observer: Reporter
  readonly signal: AbortSignal
}

/** The intake, wired to Redis. */
function openIntake(parts: IntakeParts) {
  const { config, workspaces, client, guard, durability, observer, signal } = parts
  const store = new RedisPostStore({
    client,
    deployment: new Deployment(client, config.prefix),
    prefix: config.prefix,
    clock: systemClock,
    layouts: new LayoutStore(client, config.prefix, config.partitions),
    refusal: (post) => (durability.isMissing ? 'durability' : guard.refusal(post)),
    compress: () => guard.compress(),
    durable: () => durability.durable(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  })
  return createIntakeApp({
    store,
    idempotency: new RedisIdempotency(client, config.prefix),
    quota: new RedisQuota({ client, prefix: config.prefix, backlog: () => guard }),
    clock: systemClock,
    random: systemRandom,
    observer,
    workspaces: (appId) => workspaces.get(appId),
    producers: config.producers,
    stopping: signal,
    limits: { ...DEFAULT_LIMITS, maxRequestBytes: config.maxRequestBytes },
  })
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(error instanceof ConfigError ? EXIT_CONFIG : 1)
})
