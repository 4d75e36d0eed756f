import { systemClock } from '@relay/shared/clock.js'
import type { Context } from './commands/context.js'
import { OperatorApi } from './operator-api.js'
import { createProgram } from './program.js'
import { EXIT, failureOf } from './exit.js'
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
  endsWithCtrlC: () => void process.once('SIGINT', () => process.exit(EXIT.ok)),
  fail: (status) => {
    process.exitCode = status
  },
}

// A reader that has seen enough, such as `head`, is no fault.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit()
  })
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
  const { status, out, note } = failureOf(error, process.argv.includes('--json'))
  process.exitCode = status
  if (out !== null) processTerminal.out(out)
  if (note !== null) processTerminal.note(note)
}
