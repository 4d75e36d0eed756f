import { CommanderError } from 'commander'
import { CommandError, EXIT } from '../exit.js'

/** What a command that failed prints, and its exit status. */
export interface Failure {
  readonly status: number
  /** With `--json`, for standard output: `{"error":{"message","next","status"}}`. */
  readonly out: string | null
  /** For standard error. */
  readonly note: string | null
}

export function failureOf(error: unknown, asJson: boolean): Failure {
  // Commander has printed what is wrong.
  if (error instanceof CommanderError)
    return { status: error.exitCode === 0 ? EXIT.ok : EXIT.usage, out: null, note: null }
  const message = error instanceof Error ? error.message : String(error)
  const { status, remedy } =
    error instanceof CommandError ? error : { status: EXIT.wrong, remedy: null }
  if (asJson)
    return { status, out: JSON.stringify({ error: { message, next: remedy, status } }), note: null }
  return {
    status,
    out: null,
    note: `relay: ${message}${remedy === null ? '' : `\n  Next: ${remedy}`}`,
  }
}
