import type { Command } from 'commander'
import { print, type Context, isConfirmed, show, workspacePath } from './context.js'
import { CommandError, EXIT, failureOf } from '../exit.js'
import { isTrouble, statusLines, type StatusView } from '../render/status.js'
import {
  namesLines,
  type NamesView,
  shadowLines,
  traceLines,
  type ShadowView,
  type TraceView,
} from '../render/views.js'
import type { GlobalOptions } from '../settings.js'

interface StatusOptions extends GlobalOptions {
  readonly watch?: boolean
}

const WATCH_EVERY_MS = 2_000

/** Commands that show one resource of the operator API. */
export function addStatus(program: Command, context: Context): void {
  program
    .command('status')
    .description('workers and workspaces: state, backlog, budgets, holds, and what to do next')
    .option('-w, --watch', 'refresh every 2 seconds until Ctrl-C')
    .addHelpText(
      'after',
      '\nExamples:\n  relay status\n  relay status --watch\n  relay status --json',
    )
    .action(async (_own: unknown, command: Command) => {
      const options = command.optsWithGlobals<StatusOptions>()
      if (options.watch) await watch(context, options)
      else if (!(await look(context, options))) context.fail(EXIT.wrong)
    })
}

/** Shows the current state; false if something needs attention. */
async function look(context: Context, options: StatusOptions): Promise<boolean> {
  const text = await context.api(options).text('GET', '/admin/workspaces')
  const view = JSON.parse(text) as StatusView
  if (options.watch && !options.json) context.terminal.clear()
  print(context, options, text, () => statusLines(view))
  return !isTrouble(view)
}

async function watch(context: Context, options: StatusOptions): Promise<never> {
  context.endsWithCtrlC()
  for (;;) {
    await look(context, options).catch((error: unknown) => {
      // Keeps watching while the api restarts.
      if (!(error instanceof CommandError) || error.status !== EXIT.unavailable) throw error
      const { note } = failureOf(error, false)
      if (note !== null) context.terminal.note(note)
    })
    await context.sleep(WATCH_EVERY_MS)
  }
}

export function addAudit(program: Command, context: Context): void {
  program
    .command('audit')
    .description('what operators changed, newest first')
    .option('--limit <n>', 'maximum number, up to 1000', '50')
    .addHelpText('after', '\nExample:\n  relay audit --limit 10')
    .action(async (_own: unknown, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { readonly limit: string }>()
      const path = `/admin/audit?limit=${encodeURIComponent(options.limit)}`
      await show<Audit>(context, options, ['GET', path], auditLines)
    })
}

type Action = Readonly<Record<string, unknown>>

interface Audit {
  readonly actions: readonly Action[]
}

function auditLines({ actions }: Audit): string[] {
  return actions.length === 0 ? ['No operator has changed anything.'] : actions.map(actionLine)
}

function actionLine({ at, action, ...rest }: Action): string {
  const facts = Object.entries(rest).filter(([, value]) => value !== null)
  const words = facts.map(([name, value]) => `${name}=${String(value)}`)
  return [at, action, ...words].map(String).join('  ')
}

interface ResetOptions extends GlobalOptions {
  readonly reset?: boolean
  readonly yes?: boolean
}

/** Deletes at `path` if that is asked for and confirmed; false: it was not confirmed. */
async function reset(
  context: Context,
  options: ResetOptions,
  path: string,
  what: string,
): Promise<boolean> {
  const asked = { question: `delete ${what}?`, refusal: '--reset cannot be undone.' }
  if (!options.reset) return true
  if (!(await isConfirmed(context, options.yes, asked))) return false
  await context.api(options).text('DELETE', path)
  return true
}

type NamesOptions = ResetOptions & { readonly all?: boolean }

export function addNames(program: Command, context: Context): void {
  program
    .command('names')
    .description('names sent to a workspace, with doubtful ones')
    .argument('<app-id>', 'the workspace')
    .option('--all', 'list every name, not only doubtful ones')
    .option(
      '--reset',
      'delete the names and begin again, e.g. after names were removed at MoEngage',
    )
    .option('-y, --yes', 'do not ask for confirmation')
    .addHelpText(
      'after',
      "\nShows how near a workspace is to MoEngage's limits, above which MoEngage silently blocks new names.\n\nExamples:\n  relay names DEMO\n  relay names DEMO --all\n  relay names DEMO --reset",
    )
    .action(async (appId: string, _own: unknown, command: Command) => {
      const options = command.optsWithGlobals<NamesOptions>()
      const path = workspacePath(appId, 'names')
      if (!(await reset(context, options, path, `all names of ${appId}`))) return
      await show<NamesView>(context, options, ['GET', path], (view) =>
        namesLines(view, options.all === true),
      )
    })
}

export function addShadow(program: Command, context: Context): void {
  program
    .command('shadow')
    .description('show what a workspace in shadow refused, warned about and would have sent')
    .argument('<app-id>', 'the workspace')
    .option('--reset', 'delete the report and start a new one')
    .option('-y, --yes', 'do not ask for confirmation')
    .addHelpText(
      'after',
      '\nA workspace is in shadow with "mode": "shadow" in the workspaces file.\n\nExamples:\n  relay shadow DEMO\n  relay shadow DEMO --reset',
    )
    .action(async (appId: string, _own: unknown, command: Command) => {
      const options = command.optsWithGlobals<ResetOptions>()
      const path = workspacePath(appId, 'shadow')
      if (!(await reset(context, options, path, `the report of ${appId}`))) return
      await show<ShadowView>(context, options, ['GET', path], shadowLines)
    })
}

export function addTrace(program: Command, context: Context): void {
  program
    .command('trace')
    .description('where the elements of a request are now: queued, sent or dead-lettered')
    .argument('<request_id>', 'from the answer of the intake')
    .addHelpText('after', '\nExample:\n  relay trace 01JDBX3K5NPQRS000000000000')
    .action(async (requestId: string, _own: unknown, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>()
      const path = `/admin/requests/${encodeURIComponent(requestId)}`
      await show<TraceView>(context, options, ['GET', path], traceLines)
    })
}
