import type { Command } from 'commander'
import { CommandError, EXIT } from '../exit.js'
import { count } from '../render/table.js'
import type { GlobalOptions } from '../settings.js'
import type { Context } from './context.js'

interface ForgetOptions extends GlobalOptions {
  readonly appId: string
  readonly customerId?: string
  readonly identifier?: readonly string[]
  readonly yes?: boolean
}

interface Done {
  readonly queued: number
  readonly dead_letters: number
}

const HELP = `
Erases what waits for a customer in the queues and among the dead letters, for good. An element that
is being sent at this moment cannot be called back: run it again until it finds nothing. Have the
customer erased at MoEngage afterwards. The customer is named as the elements name it.

Examples:
  relay forget --app-id DEMO --customer-id 4711
  relay forget --app-id DEMO --identifier email=ann@example.org --yes`

export function addForget(program: Command, context: Context): void {
  program
    .command('forget')
    .description('erase one customer from queues and dead letters')
    .requiredOption('--app-id <id>', 'of this workspace')
    .option('--customer-id <id>', 'the customer_id of the elements')
    .option('--identifier <name=value...>', 'the identifiers of elements without customer_id')
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', HELP)
    .action(async (_own: unknown, command: Command) => {
      const options = command.optsWithGlobals<ForgetOptions>()
      const body = bodyOf(options)
      if (!(await isConfirmed(context, options))) return
      const done = await context.api(options).json<Done>('POST', '/admin/forget', body)
      context.terminal.out(
        options.json
          ? JSON.stringify(done)
          : `${count(done.queued)} queued elements and ${count(done.dead_letters)} dead letters erased.`,
      )
      if (!options.json && done.queued + done.dead_letters > 0) {
        context.terminal.note('Run it again until it finds nothing: some may have been under way.')
      }
    })
}

function bodyOf({ appId, customerId, identifier }: ForgetOptions): Record<string, unknown> {
  if ((customerId === undefined) === (identifier === undefined)) {
    throw new CommandError(
      EXIT.usage,
      'Give --customer-id or --identifier.',
      'Name the customer as the posted elements do.',
    )
  }
  if (customerId !== undefined) return { app_id: appId, customer_id: customerId }
  const pairs = (identifier ?? []).map((pair) => {
    const at = pair.indexOf('=')
    return [pair.slice(0, at), pair.slice(at + 1)] as const
  })
  return { app_id: appId, user_identifiers: Object.fromEntries(pairs) }
}

async function isConfirmed({ terminal }: Context, { yes }: ForgetOptions): Promise<boolean> {
  if (yes) return true
  if (terminal.isLive) return terminal.confirm('Erase this customer for good?')
  throw new CommandError(EXIT.usage, 'Forgetting cannot be undone.', 'Add --yes to do it.')
}
