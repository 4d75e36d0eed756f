import { CommandError, EXIT } from '../exit.js'
import { printable } from '../render/table.js'
import { basicAuth, call, type Answer } from '@relay/shared/process/http-call.js'
import type { Slice } from './slices.js'

/** The target of an import and its credentials. */
export interface ImportTarget {
  readonly intakeUrl: string
  readonly appId: string
  readonly secret: string
}

export interface RefusedLine {
  /** 1-based in the file. */
  readonly line: number
  readonly attribute: string
  readonly message: string
}

export interface SliceResult {
  /** Lines of the slice that are stored or refused. */
  readonly lines: number
  readonly accepted: number
  readonly rejected: number
  readonly refused: readonly RefusedLine[]
  /** Why some lines are not; null if all are. */
  readonly stop: Stop | null
}

export interface Stop {
  /** In words for a person. */
  readonly why: string
  /** The Retry-After of relay; null without one. */
  readonly retryAfterMs: number | null
  /** relay answered: it has no room or is restarting. */
  readonly answered: boolean
}

interface ImportAnswer {
  readonly accepted?: number
  readonly rejected?: number
  readonly errors?: readonly RefusedLine[]
  readonly last_line?: number
  readonly error?: { readonly message?: string }
}

const TIMEOUT_MS = 120_000
/** The maximum that relay lists: five per line of a slice. */
const MAX_ERRORS = 10_000
/** Statuses after which the rest can be sent again. */
const LATER: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504])

/**
 * Sends one slice. All requests of an import carry its key and line numbers, so that lines that were
 * stored without an answer are not stored again.
 */
export async function sendSlice(
  { intakeUrl, appId, secret }: ImportTarget,
  key: string,
  slice: Slice,
): Promise<SliceResult> {
  const parts = slice.lines.flatMap((line) => [line, NEWLINE])
  const query = `first_line=${slice.linesBefore + 1}&max_errors=${MAX_ERRORS}`
  const url = `${intakeUrl}/v1/import/${encodeURIComponent(appId)}?${query}`
  const answered = call(url, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/x-ndjson',
      Authorization: basicAuth(appId, secret),
      'Idempotency-Key': key,
    },
    body: Buffer.concat(parts),
    silenceMs: TIMEOUT_MS,
  })
  return answered.then(
    (answer) => read(answer, slice),
    (error: unknown) => unanswered(error, intakeUrl),
  )
}

const NEWLINE = Buffer.from('\n')

function unanswered(error: unknown, url: string): SliceResult {
  const { code, message } = error as NodeJS.ErrnoException
  const why = `relay does not answer at ${url} (${code ?? message}).\n  Next: start relay (npm start), or set its intake: --intake-url http://HOST:8080 or RELAY_INTAKE_URL.`
  const stop = { why, retryAfterMs: null, answered: false }
  return { lines: 0, accepted: 0, rejected: 0, refused: [], stop }
}

function read({ status, body: text, headers }: Answer, slice: Slice): SliceResult {
  const body = parse(text)
  const message = printable(body.error?.message ?? text.slice(0, 200))
  if (status !== 200 && !LATER.has(status)) throw refusal(status, message)
  const lastLine = body.last_line ?? slice.linesBefore
  const retryAfter = Number(headers['retry-after'])
  const retryAfterMs = Number.isFinite(retryAfter) ? retryAfter * 1000 : null
  const why = `relay answered ${status}: ${message}`
  return {
    lines: status === 200 ? slice.lines.length : lastLine - slice.linesBefore,
    accepted: body.accepted ?? 0,
    rejected: body.rejected ?? 0,
    refused: listed(body, slice),
    stop: status === 200 ? null : { why, retryAfterMs, answered: true },
  }
}

/** Refused lines; if relay did not list all of them, a last entry reports how many are missing. */
function listed({ errors = [], rejected = 0 }: ImportAnswer, slice: Slice): RefusedLine[] {
  const missing = rejected - new Set(errors.map(({ line }) => line)).size
  if (missing <= 0) return [...errors]
  const message = `and ${missing} more lines (not listed)`
  const line = errors.at(-1)?.line ?? slice.linesBefore + 1
  return [...errors, { line, attribute: '', message }]
}

function refusal(status: number, message: string): CommandError {
  const isAuth = status === 401 || status === 403
  const remedy = isAuth
    ? 'Check --app-id, and that RELAY_PRODUCER_SECRET is the secret of a producer that may post for it.'
    : null
  const exit = isAuth ? EXIT.refused : EXIT.wrong
  return new CommandError(exit, `The intake answered ${status}: ${message}`, remedy)
}

function parse(text: string): ImportAnswer {
  try {
    return JSON.parse(text) as ImportAnswer
  } catch {
    return {}
  }
}
