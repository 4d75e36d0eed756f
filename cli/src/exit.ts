import { CommanderError } from 'commander'

/** Exit statuses, of sysexits.h where one fits; listed in the help. */
export const EXIT = {
  ok: 0,
  /** The command succeeded and found a problem: a held workspace, a failed check, refused lines. */
  wrong: 1,
  usage: 64,
  /** The api cannot be reached, or its Redis is down. */
  unavailable: 69,
  /** The token is missing or wrong. */
  refused: 77,
  config: 78,
} as const

/** Ends the command with a problem, a remedy and an exit status. */
export class CommandError extends Error {
  readonly status: number
  readonly remedy: string | null

  constructor(status: number, message: string, remedy: string | null = null) {
    super(message)
    this.name = 'CommandError'
    this.status = status
    this.remedy = remedy
  }
}

/** What a command that failed prints, and its exit status. */
interface Failure {
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
