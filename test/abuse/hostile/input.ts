export type Listener = 'intake' | 'ops'

/** Something that no honest producer sends, and what is to come of it. */
export interface HostileInput {
  readonly name: string
  readonly listener: Listener
  /** All of it on one connection, in these pieces. */
  readonly pieces: () => readonly (string | Buffer)[]
  /** Status of every answer, in order, until the connection is closed; empty: closed unanswered. */
  readonly answers: readonly number[]
  /** So many connections do the same at one time. */
  readonly connections: number
  /** What the client does once all is written. */
  readonly then: 'read' | 'half-close' | 'reset' | 'read nothing'
  /** The connection is closed by then, ms. */
  readonly withinMs: number
  /** Longer than a test may take: only for the report. */
  readonly isSlow: boolean
}

/** What of an input its name does not say. */
export function lastIn({ connections }: HostileInput): string {
  return connections === 1 ? '' : ` (${connections} connections)`
}

type Unusual = Partial<Omit<HostileInput, 'name' | 'pieces' | 'answers'>>

/** A row of the table; `bytes` are made late, as some are large. */
export function input(
  name: string,
  answers: number | readonly number[],
  bytes: () => string | Buffer | readonly (string | Buffer)[],
  unusual: Unusual = {},
): HostileInput {
  return {
    name,
    listener: 'intake',
    pieces: () => {
      const made = bytes()
      return typeof made === 'string' || Buffer.isBuffer(made) ? [made] : made
    },
    answers: typeof answers === 'number' ? [answers] : answers,
    connections: 1,
    then: 'read',
    withinMs: 1_500,
    isSlow: false,
    ...unusual,
  }
}
