import { CommanderError } from 'commander'
import { systemClock } from '@relay/shared/clock.js'
import type { Context } from './commands/context.js'
import { CommandError, EXIT } from './exit.js'
import { OperatorApi } from './operator-api.js'
import { createProgram } from './program.js'
import { accessFrom } from './settings.js'
import { processTerminal } from './terminal.js'

const context: Context = {
  terminal: processTerminal,
  env: process.env,
  clock: systemClock,
  api: (options) => new OperatorApi(accessFrom(options, process.env)),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  interrupted: () => {
    let isAsked = false
    const ask = (): void => {
      isAsked = true
      processTerminal.note('\nFinishing the current request …')
    }
    process.once('SIGINT', ask)
    return { asked: () => isAsked, release: () => void process.off('SIGINT', ask) }
  },
  fail: (status) => {
    process.exitCode = status
  },
}

try {
  const program = createProgram(context)
  for (const command of [
    program,
    ...program.commands,
    ...program.commands.flatMap((c) => c.commands),
  ]) {
    command.exitOverride()
  }
  await program.parseAsync()
} catch (error) {
  process.exitCode = statusOf(error)
}

function statusOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (error instanceof CommandError) {
    process.stderr.write(`relay: ${error.message}\n`)
    if (error.remedy !== null) process.stderr.write(`  Next: ${error.remedy}\n`)
    return error.status
  }
  process.stderr.write(`relay: ${error instanceof Error ? error.message : String(error)}\n`)
  return EXIT.wrong
}
