import process from 'node:process'
import { ConfigError, EXIT_CONFIG } from '@relay/shared/config/fault.js'
import { parseSimulatorEnvironment } from './environment.js'
import { startSimulator } from './simulator.js'

const EXIT_FAILURE = 1

async function main(): Promise<void> {
  const settings = parseSimulatorEnvironment(process.env)
  const simulator = await startSimulator(settings)
  process.stdout.write(`MoEngage simulator: ${simulator.url}\n`)
  const stop = () => {
    void simulator.close().then(() => process.exit(0))
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
}

main().catch((error: unknown) => {
  const { code, message } = error as NodeJS.ErrnoException
  const busy = code === 'EADDRINUSE' ? ' (set PORT to a free port)' : ''
  process.stderr.write(`simulator: ${message}${busy}\n`)
  process.exitCode = error instanceof ConfigError ? EXIT_CONFIG : EXIT_FAILURE
})
