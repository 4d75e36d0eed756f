import type { Command } from 'commander'
import { CommandError, EXIT } from '../exit.js'
import { letterDetails, letterLines, type LetterView } from '../render/dead-letters.js'
import { counted } from '../render/table.js'
import type { GlobalOptions } from '../settings.js'
import { isConfirmed, show, type Context } from './context.js'

interface FilterOptions extends GlobalOptions {
  readonly appId?: string
  readonly reason?: string
  readonly customerId?: string
  readonly requestId?: string
  readonly since?: string
}

interface ListOptions extends FilterOptions {
  readonly limit?: string
  readonly cursor?: string
}

interface ChangeOptions extends FilterOptions {
  readonly yes?: boolean
}

interface Page {
  readonly dead_letters: readonly LetterView[]
  readonly next_cursor: string | null
}

const SPAN = /^(\d+)(s|m|h|d)$/
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

export function addDeadLetters(program: Command, context: Context): void {
  const group = program
    .command('dead-letters')
    .description('list, show, replay and purge elements that MoEngage refuses permanently')
    .addHelpText('after', '\nExample:\n  relay dead-letters list --app-id DEMO --since 24h')
  addList(group, context)
  addShow(group, context)
  addChange(group, context, {
    name: 'replay',
    description: "put letters back into their queues, each customer's in the order they died",
    method: 'POST',
    path: '/admin/dead-letters/replay',
    done: 'put back into their queues',
    refusal: 'A replay can overwrite newer values of the same customers.',
  })
  addChange(group, context, {
    name: 'purge',
    description: 'delete letters permanently',
    method: 'DELETE',
    path: '/admin/dead-letters',
    done: 'purged',
    refusal: 'purge cannot be undone.',
  })
}

function withFilter(command: Command): Command {
  return command
    .option('--app-id <id>', 'of this workspace')
    .option('--reason <reason>', 'element_refused, undecodable, too_large or expired')
    .option('--customer-id <id>', 'of this customer')
    .option('--request-id <id>', 'posted in this request')
    .option('--since <time>', 'dead since: 90m, 24h, 7d, ISO 8601 or epoch seconds')
}

function addList(group: Command, context: Context): void {
  withFilter(group.command('list').description('dead letters, newest first'))
    .option('--limit <n>', 'maximum number, up to 1000', '50')
    .option('--cursor <cursor>', 'continue a list from this cursor')
    .addHelpText(
      'after',
      '\nExamples:\n  relay dead-letters list --since 24h\n  relay dead-letters list --customer-id 4711 --json',
    )
    .action(async (_own: unknown, command: Command) => {
      const options = command.optsWithGlobals<ListOptions>()
      const { limit, cursor } = options
      const query = new URLSearchParams(given({ ...filterOf(context, options), limit, cursor }))
      const path = `/admin/dead-letters?${query.toString()}`
      const { next_cursor: next } = await show<Page>(context, options, ['GET', path], (page) =>
        letterLines(page.dead_letters),
      )
      if (next !== null && !options.json) {
        context.terminal.note(`More are available: add --cursor ${next}`)
      }
    })
}

function addShow(group: Command, context: Context): void {
  group
    .command('show')
    .description("one letter: the element, MoEngage's words, times")
    .argument('<id>')
    .addHelpText('after', '\nExample:\n  relay dead-letters show DEMO.realtime.0.3.17.0')
    .action(async (id: string, _own: unknown, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>()
      const path = `/admin/dead-letters/${encodeURIComponent(id)}`
      await show<LetterView>(context, options, ['GET', path], letterDetails)
    })
}

interface Change {
  readonly name: string
  readonly description: string
  readonly method: string
  readonly path: string
  readonly done: string
  /** Why it requires confirmation. */
  readonly refusal: string
}

function addChange(group: Command, context: Context, change: Change): void {
  const { name } = change
  withFilter(group.command(name).description(change.description))
    .argument('[ids...]', 'ids of the letters; otherwise use a filter')
    .option('-y, --yes', 'do not ask for confirmation')
    .addHelpText(
      'after',
      `\nWithout a terminal it requires --yes.\n\nExamples:\n  relay dead-letters ${name} DEMO.realtime.0.3.17.0\n  relay dead-letters ${name} --app-id DEMO --since 24h --yes`,
    )
    .action(async (ids: string[], _own: unknown, command: Command) => {
      const options = command.optsWithGlobals<ChangeOptions>()
      const filter = filterOf(context, options)
      if (ids.length === 0 && Object.keys(filter).length === 0) {
        throw new CommandError(
          EXIT.usage,
          'No letters are selected.',
          `Give ids or a filter: relay dead-letters ${name} --app-id APP_ID`,
        )
      }
      const what = ids.length > 0 ? counted(ids.length, 'letter') : 'all matching letters'
      const asked = { question: `${name} ${what}?`, refusal: change.refusal }
      if (!(await isConfirmed(context, options.yes, asked))) return
      const body = ids.length > 0 ? { ids, ...filter } : filter
      const request = [change.method, change.path, body] as const
      await show<{ readonly count: number }>(context, options, request, ({ count }) => [
        `${counted(count, 'dead letter')} ${change.done}.`,
      ])
    })
}

function filterOf({ clock }: Context, options: FilterOptions): Record<string, string> {
  const { appId, reason, customerId, requestId, since } = options
  const fields = {
    app_id: appId,
    reason,
    customer_id: customerId,
    request_id: requestId,
    since: since === undefined ? undefined : moment(since, clock.nowMs()),
  }
  return given(fields)
}

const given = (fields: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )

/** Converts a duration such as `24h` to the time that long ago; a time is passed to the API. */
function moment(text: string, nowMs: number): string {
  const span = SPAN.exec(text)
  if (!span) {
    if (/^\d+(\.\d+)?$/.test(text) || !Number.isNaN(Date.parse(text))) return text
    const next = 'Use a span (90m, 24h, 7d), ISO 8601 or epoch seconds.'
    throw new CommandError(EXIT.usage, `--since ${JSON.stringify(text)} is not a time.`, next)
  }
  const seconds = Number(span[1]) * (SECONDS[span[2] ?? ''] ?? 0)
  return new Date(nowMs - seconds * 1000).toISOString()
}
