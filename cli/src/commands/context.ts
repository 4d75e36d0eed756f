import type { Clock } from '@relay/shared/clock.js'
import { CommandError, EXIT } from '../exit.js'
import { printable } from '../render/table.js'
import type { OperatorApi } from '../operator-api.js'
import type { GlobalOptions } from '../settings.js'
import type { Terminal } from '../terminal.js'

/** The context of every command. */
export interface Context {
  readonly terminal: Terminal
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly api: (options: GlobalOptions) => OperatorApi
  readonly sleep: (ms: number) => Promise<void>
  /** From now on Ctrl-C only asks to end; `release` makes it end the process again. */
  readonly interrupted: () => { readonly asked: () => boolean; readonly release: () => void }
  /** From now on Ctrl-C ends the process with success: the command has no other end. */
  readonly endsWithCtrlC: () => void
  /** Sets the exit status of a command that succeeded and found a problem. */
  readonly fail: (status: number) => void
}

/** Prints what the API answered: its JSON as sent, or in lines for a person, which it cannot add to. */
export function print(
  { terminal }: Context,
  { json }: GlobalOptions,
  text: string,
  lines: (view: unknown) => readonly string[],
): void {
  if (json) terminal.out(text)
  else for (const line of lines(JSON.parse(text))) terminal.out(printable(line))
}

/** Sends a request to the operator API, prints its answer and returns it. */
export async function show<View>(
  context: Context,
  options: GlobalOptions,
  [method, path, body]: readonly [method: string, path: string, body?: unknown],
  lines: (view: View, text: string) => readonly string[],
): Promise<View> {
  const text = await context.api(options).text(method, path, body)
  print(context, options, text, (view) => lines(view as View, text))
  return JSON.parse(text) as View
}

/** Asks before what is not undone easily; true to do it. Without a person `--yes` has to say so. */
export async function isConfirmed(
  { terminal }: Context,
  yes: boolean | undefined,
  { question, refusal }: { readonly question: string; readonly refusal: string },
): Promise<boolean> {
  if (yes) return true
  if (terminal.isLive) return terminal.confirm(question)
  throw new CommandError(EXIT.usage, refusal, 'Add --yes to do it.')
}

/** A resource of a workspace in the operator API. */
export function workspacePath(appId: string, what: string): string {
  return `/admin/workspaces/${encodeURIComponent(appId)}/${what}`
}
