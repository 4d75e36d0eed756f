import { Command } from 'commander'
import { VERSION } from '@relay/shared/version.js'
import { addCheck } from './commands/check.js'
import { addCompletion } from './commands/completion.js'
import type { Context } from './commands/context.js'
import { CommandError, EXIT } from './exit.js'
import { addDeadLetters } from './commands/dead-letters.js'
import { addForget } from './commands/forget.js'
import { addHashSecret } from './commands/hash-secret.js'
import { addImport } from './commands/import.js'
import { addPauseAndResume } from './commands/pause.js'
import { addAudit, addNames, addShadow, addStatus, addTrace } from './commands/views.js'

const FOOTER = `
Access:
  The operator API is looked for at --url, RELAY_ADMIN_URL, or 127.0.0.1:9464; the token is
  RELAY_ADMIN_TOKEN, or the one that npm start keeps in .relay/.

Exit status:
  0 success   1 problem found   64 usage error   69 unavailable   77 token refused   78 configuration

Examples:
  relay status --watch
  relay dead-letters list --app-id DEMO --since 24h
  relay trace 01JDBX3K5NPQRS000000000000
  relay check --credentials`

/** The whole command line. */
export function createProgram(context: Context): Command {
  const program = new Command('relay')
    .description("relay: delivers posts to MoEngage's Data API, batched and within budget")
    .version(VERSION)
    .option('--url <url>', 'the operator API, e.g. http://127.0.0.1:9464')
    .option(
      '--token <token>',
      'the admin token; the process list shows it: set RELAY_ADMIN_TOKEN instead',
    )
    .option('--json', 'print JSON')
    .showHelpAfterError('(run with --help for usage)')
    .addHelpText('after', FOOTER)
  program.hook('preAction', (_program, action) => {
    warnOfSecrets(action.optsWithGlobals(), context)
    refuseEmpty(action)
  })
  addStatus(program, context)
  addDeadLetters(program, context)
  addPauseAndResume(program, context)
  addTrace(program, context)
  addForget(program, context)
  addAudit(program, context)
  addNames(program, context)
  addShadow(program, context)
  addImport(program, context)
  addCheck(program, context)
  addHashSecret(program, context)
  addCompletion(program, context)
  return program
}

/** An empty argument, as of an unset variable of the shell, would be part of another path. */
function refuseEmpty({ args, registeredArguments }: Command): void {
  const empty = args.findIndex((arg) => arg.trim() === '')
  if (empty < 0) return
  const name = (registeredArguments[empty] ?? registeredArguments.at(-1))?.name() ?? 'argument'
  throw new CommandError(EXIT.usage, `<${name}> is empty.`)
}

/** Where a secret that is an option belongs. */
const SECRET_OPTIONS = { token: 'RELAY_ADMIN_TOKEN', secret: 'RELAY_PRODUCER_SECRET' } as const

/** Every user of the host can read the arguments of a process, and the shell keeps them. */
function warnOfSecrets(options: Readonly<Record<string, unknown>>, { terminal }: Context): void {
  for (const [name, variable] of Object.entries(SECRET_OPTIONS)) {
    if (options[name] === undefined) continue
    terminal.note(`relay: --${name} is visible in the process list; set ${variable} instead.`)
  }
}
