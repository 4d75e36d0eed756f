/** Exit statuses, of sysexits.h where one fits; listed in the help. */
export const EXIT = {
  ok: 0,
  /** Done, and something is wrong: a workspace is held, a check failed, lines were refused. */
  wrong: 1,
  usage: 64,
  /** The api cannot be reached, or Redis is away behind it. */
  unavailable: 69,
  /** The token is missing or wrong. */
  refused: 77,
  config: 78,
} as const

/** Ends the command: what is wrong, what to do about it, and with which status. */
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
