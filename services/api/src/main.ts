import { systemClock } from '@relay/shared/clock.js'
import { CredentialDirectory } from '@relay/shared/config/credential-directory.js'
import { configWarnings } from '@relay/shared/config/warnings.js'
import { parseEnvironment } from '@relay/shared/config/environment.js'
import { ConfigError, EXIT_CONFIG, type ConfigFault } from '@relay/shared/config/fault.js'
import { tlsFaults } from '@relay/shared/config/tls-files.js'
import { FileWorkspaceDirectory } from '@relay/shared/config/workspace-directory.js'
import { createLogger, logPlainOutput } from '@relay/shared/observability/logger.js'
import { onShutdown } from '@relay/shared/process/shutdown.js'
import { openTracer } from '@relay/shared/telemetry/open-tracer.js'
import { Api } from './api.js'

const DEFAULT_OPS_PORT = 9464

const ONE_PORT: ConfigFault = {
  ...{ where: 'OPS_PORT', problem: 'is also PORT', accepted: 'another port than PORT' },
}

async function main(): Promise<void> {
  const config = parseEnvironment(process.env, DEFAULT_OPS_PORT)
  const workspaces = new FileWorkspaceDirectory(config, { readsKeys: false })
  const credentials = new CredentialDirectory(config)
  const faults = [...workspaces.load(), ...credentials.load(), ...tlsFaults(config.tls)]
  const isOnePort = config.port === config.opsPort && config.host === config.opsHost
  if (isOnePort && config.port !== 0) faults.push(ONE_PORT)
  if (faults.length > 0) throw new ConfigError(faults)
  const log = createLogger('relay-api', config.logLevel)
  logPlainOutput(log)
  for (const warning of configWarnings(workspaces.all(), credentials)) {
    log.warn('configuration warning', { ...warning })
  }
  const { tracing: target } = config
  const tracer = await openTracer({ target, service: 'relay-api', clock: systemClock, log })
  const api = new Api(config, { workspaces, credentials }, log, tracer)
  onShutdown(async () => {
    log.info('stopping: finishing requests in flight')
    await api.stop()
    log.info('stopped')
  })
  await api.start()
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(error instanceof ConfigError ? EXIT_CONFIG : 1)
})
