import type { Command } from 'commander'
import { CommandError, EXIT } from '../exit.js'
import { counted } from '../render/table.js'
import type { GlobalOptions } from '../settings.js'
import { isConfirmed, type Context } from './context.js'

interface ForgetOptions extends GlobalOptions {
  readonly appId: string
  readonly customerId?: string
  readonly identifier?: readonly string[]
  readonly yes?: boolean
  readonly wait: boolean
}

interface Erasure {
  readonly id: string
  readonly status: 'pending' | 'done'
  readonly queued: number
  readonly dead_letters: number
  readonly workers_pending: number | null
}

const QUESTION = {
  question: 'Permanently erase this customer?',
  refusal: 'An erasure cannot be undone.',
}
/** Interval between polls of the erasure, ms. */
const ASK_EVERY_MS = 500

const HELP = `
Permanently erases a customer's data that was accepted before this command, from the queues and the
dead letters. Waits until no worker can send the data any more: until open requests end, or the lease
of an unresponsive worker expires. If interrupted, the erasure continues. Data that is posted later is
delivered as usual. Then delete the customer at MoEngage. Name the customer as the elements do.

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
    .option('-y, --yes', 'do not ask for confirmation')
    .option('--no-wait', 'return as soon as the erasure is accepted')
    .addHelpText('after', HELP)
    .action(async (_own: unknown, command: Command) => {
      const options = command.optsWithGlobals<ForgetOptions>()
      const body = bodyOf(options)
      if (!(await isConfirmed(context, options.yes, QUESTION))) return
      const begun = await context.api(options).json<Erasure>('POST', '/admin/forget', body)
      const erasure = options.wait ? await ended(context, options, begun) : begun
      context.terminal.out(options.json ? JSON.stringify(erasure) : sentenceOf(erasure))
    })
}

/** Polls until the erasure is done. */
async function ended(
  { api, terminal, sleep }: Context,
  options: ForgetOptions,
  begun: Erasure,
): Promise<Erasure> {
  let erasure = begun
  let noted = ''
  while (erasure.status === 'pending') {
    const note = waitingFor(erasure)
    if (note !== noted && !options.json) terminal.note(note)
    noted = note
    await sleep(ASK_EVERY_MS)
    erasure = await api(options).json<Erasure>('GET', `/admin/forget/${erasure.id}`)
  }
  return erasure
}

function waitingFor({ id, workers_pending: workers }: Erasure): string {
  const why =
    workers === null
      ? 'the api does not know all workers yet'
      : `${counted(workers, 'worker')} ${workers === 1 ? 'has' : 'have'} not confirmed`
  return `Erasure ${id} is pending: ${why}. It continues by itself.`
}

function sentenceOf({ id, status, queued, dead_letters: letters }: Erasure): string {
  const erased = `${counted(queued, 'queued element')} and ${counted(letters, 'dead letter')} erased`
  if (status === 'pending') return `Pending (${id}): ${erased} so far.`
  const found =
    queued + letters === 0
      ? 'Nothing was found: name the customer as the elements do.'
      : 'Elements in a request at that time may have reached MoEngage.'
  return `Done: ${erased}; no worker can send this customer's data. ${found}`
}

function bodyOf({ appId, customerId, identifier }: ForgetOptions): Record<string, unknown> {
  const isBoth = customerId !== undefined && identifier !== undefined
  if (isBoth || (customerId === undefined && identifier === undefined)) {
    throw new CommandError(
      EXIT.usage,
      isBoth
        ? 'Add --customer-id or --identifier, not both.'
        : 'Add --customer-id or --identifier.',
      'Use the same id or identifiers as the posted elements.',
    )
  }
  if (customerId !== undefined) return { app_id: appId, customer_id: customerId }
  return { app_id: appId, user_identifiers: identifiersOf(identifier ?? []) }
}

/** An erasure of identifiers that no element has finds nothing and looks done. */
function identifiersOf(pairs: readonly string[]): Record<string, string> {
  const identifiers = new Map<string, string>()
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    const [name, value] = [pair.slice(0, Math.max(at, 0)), pair.slice(at + 1)]
    if (name.trim() === '' || value.trim() === '') throw unusable(pair, 'is not NAME=VALUE')
    if (identifiers.has(name)) throw unusable(pair, `gives ${name} a second value`)
    identifiers.set(name, value)
  }
  return Object.fromEntries(identifiers)
}

function unusable(pair: string, why: string): CommandError {
  return new CommandError(
    EXIT.usage,
    `--identifier ${JSON.stringify(pair)} ${why}.`,
    'Example: --identifier email=ann@example.org',
  )
}
