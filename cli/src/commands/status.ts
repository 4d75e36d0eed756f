import type { Command } from 'commander'
import { CommandError, EXIT, failureOf } from '../exit.js'
import { isTrouble, statusLines, type StatusView } from '../render/status.js'
import type { GlobalOptions } from '../settings.js'
import { print, type Context } from './context.js'

interface StatusOptions extends GlobalOptions {
  readonly watch?: boolean
}

const WATCH_EVERY_MS = 2_000

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
      else if (!(await show(context, options))) context.fail(EXIT.wrong)
    })
}

/** Shows the current state; false if something needs attention. */
async function show(context: Context, options: StatusOptions): Promise<boolean> {
  const text = await context.api(options).text('GET', '/admin/workspaces')
  const view = JSON.parse(text) as StatusView
  if (options.watch && !options.json) context.terminal.clear()
  print(context, options, text, () => statusLines(view))
  return !isTrouble(view)
}

async function watch(context: Context, options: StatusOptions): Promise<never> {
  for (;;) {
    await show(context, options).catch((error: unknown) => {
      // Keeps watching while the api restarts.
      if (!(error instanceof CommandError) || error.status !== EXIT.unavailable) throw error
      const { note } = failureOf(error, false)
      if (note !== null) context.terminal.note(note)
    })
    await context.sleep(WATCH_EVERY_MS)
  }
}
