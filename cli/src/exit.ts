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
