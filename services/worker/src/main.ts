import { Registry } from 'prom-client'
import { systemClock } from '@relay/shared/clock.js'
import { workspaceWarnings } from '@relay/shared/config/warnings.js'
import { parseEnvironment } from '@relay/shared/config/environment.js'
import { ConfigError, EXIT_CONFIG } from '@relay/shared/config/fault.js'
import { FileWorkspaceDirectory } from '@relay/shared/config/workspace-directory.js'
import { createLogger, logPlainOutput } from '@relay/shared/observability/logger.js'
import { observeSharedState } from '@relay/shared/observability/state-metrics.js'
import { observeProcess } from '@relay/shared/observability/process-metrics.js'
import { createOpsServer, redisChecks } from '@relay/shared/observability/ops-server.js'
import { LoopDelay } from '@relay/shared/process/loop-delay.js'
import { closeServer, listen, onShutdown, OPS_ADDRESS } from '@relay/shared/process/shutdown.js'
import { systemRandom } from '@relay/shared/random.js'
import { connectRedis } from '@relay/shared/redis/connect.js'
import { watchRedis } from '@relay/shared/redis/explain.js'
import { openTracer } from '@relay/shared/telemetry/open-tracer.js'
import { VERSION } from '@relay/shared/version.js'
import { createWorkerMetrics } from './observe/metrics.js'
import { Reporter } from './observe/reporter.js'
import { httpSenders } from './send/http-sender.js'
import { Worker } from './worker.js'

const DEFAULT_OPS_PORT = 9465
/** A script that takes longer is given up; it may still be executed. */
const COMMAND_TIMEOUT_MS = 2_000

async function main(): Promise<void> {
  const config = parseEnvironment(process.env, DEFAULT_OPS_PORT)
  const workspaces = new FileWorkspaceDirectory(config)
  const faults = workspaces.load()
  if (faults.length > 0) throw new ConfigError(faults)
  const log = createLogger('relay-worker', config.logLevel)
  logPlainOutput(log)
  for (const warning of workspaceWarnings(workspaces.all())) {
    log.warn('configuration warning', { ...warning })
  }
  const { tracing: target } = config
  const tracer = await openTracer({ target, service: 'relay-worker', clock: systemClock, log })
  const registry = new Registry()
  const reloaded = observeProcess(registry, 'worker', workspaces)
  const metrics = createWorkerMetrics(registry)
  const client = connectRedis(config.redis, {
    commandTimeoutMs: COMMAND_TIMEOUT_MS,
  })
  const subscriber = connectRedis(config.redis, {
    commandTimeoutMs: COMMAND_TIMEOUT_MS,
  })
  const redisProblem = watchRedis(client, log, systemClock, new LoopDelay(systemClock))
  observeSharedState({ registry, client, config, workspaces, clock: systemClock })
  const worker = new Worker({
    ...{ config, workspaces, client, subscriber, log, metrics, reloaded },
    clock: systemClock,
    random: systemRandom,
    observer: new Reporter(metrics, log, tracer),
    newSender: httpSenders({ version: VERSION, ca: config.vendorCa, clock: systemClock }),
  })
  const ops = createOpsServer({
    registry,
    readiness: () =>
      Promise.resolve({
        ready: client.status === 'ready' && worker.alive,
        checks: {
          redis: client.status,
          ...redisChecks(redisProblem()),
          lease: worker.alive ? 'held' : 'none',
        },
      }),
  })
  const opsPort = await listen(ops, config.opsPort, OPS_ADDRESS, config.opsHost)
  onShutdown(async () => {
    log.info('stopping: finishing requests in flight')
    await worker.stop()
    await Promise.all([closeServer(ops, 1_000), tracer?.stop()])
    client.disconnect()
    subscriber.disconnect()
    log.info('stopped')
  })
  await worker.start()
  log.info('worker started', { opsPort, workspaces: workspaces.all().length })
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(error instanceof ConfigError ? EXIT_CONFIG : 1)
})
