import { createHash } from 'node:crypto'
import { CommandError, EXIT } from '../exit.js'
import { callHttp, type HttpAnswer } from '../http.js'
import type { Slice } from './slices.js'

/** Where lines go, and who sends them. */
export interface ImportTarget {
  readonly intakeUrl: string
  readonly appId: string
  readonly secret: string
  /** Stands for the file in idempotency keys. */
  readonly fingerprint: string
}

export interface RefusedLine {
  /** 1-based in the file. */
  readonly line: number
  readonly attribute: string
  readonly message: string
}

export interface SliceResult {
  /** Lines of the slice that are dealt with; fewer than it has when relay stopped on the way. */
  readonly lines: number
  readonly accepted: number
  readonly rejected: number
  readonly refused: readonly RefusedLine[]
}

interface ImportAnswer {
  readonly accepted?: number
  readonly rejected?: number
  readonly errors?: readonly RefusedLine[]
  readonly last_line?: number
  readonly error?: { readonly message?: string }
}

const TIMEOUT_MS = 120_000

/**
 * Sends one slice. The same lines carry the same Idempotency-Key, so that a slice without an answer
 * can be sent again. `null`: no answer, or relay had no room at all: try again later.
 */
export async function sendSlice(target: ImportTarget, slice: Slice): Promise<SliceResult | null> {
  const { intakeUrl, appId, secret } = target
  const body = `${slice.lines.map((line) => line.toString('latin1')).join('\n')}\n`
  const answer = await callHttp({
    method: 'POST',
    url: `${intakeUrl}/v1/import/${encodeURIComponent(appId)}`,
    headers: {
      'Content-Type': 'application/x-ndjson',
      Authorization: `Basic ${Buffer.from(`${appId}:${secret}`).toString('base64')}`,
      'Idempotency-Key': keyOf(target, slice),
    },
    body: Buffer.from(body, 'latin1'),
    timeoutMs: TIMEOUT_MS,
  }).catch(() => null)
  return answer === null ? null : read(answer, slice)
}

function keyOf({ appId, fingerprint }: ImportTarget, { linesBefore, lines }: Slice): string {
  const hash = createHash('sha256').update(`${appId}\0${fingerprint}\0${String(linesBefore)}\0`)
  for (const line of lines) hash.update(line).update('\n')
  return `import-${hash.digest('base64url')}`
}

function read({ status, text }: HttpAnswer, slice: Slice): SliceResult | null {
  const body = parse(text)
  const counts = {
    accepted: body.accepted ?? 0,
    rejected: body.rejected ?? 0,
    refused: (body.errors ?? []).map((e) => ({ ...e, line: e.line + slice.linesBefore })),
  }
  switch (status) {
    case 200:
      return { lines: slice.lines.length, ...counts }
    case 409:
    case 429:
      return null
    case 503:
      return body.last_line ? { lines: body.last_line, ...counts } : null
    default:
      throw refusal(status, body.error?.message ?? text.slice(0, 200))
  }
}

function refusal(status: number, message: string): CommandError {
  const isAuth = status === 401 || status === 403
  const remedy = isAuth ? 'Give a producer that may post: --secret or RELAY_PRODUCER_SECRET.' : null
  const exit = isAuth ? EXIT.refused : EXIT.wrong
  return new CommandError(exit, `The intake answered ${String(status)}: ${message}`, remedy)
}

function parse(text: string): ImportAnswer {
  try {
    return JSON.parse(text) as ImportAnswer
  } catch {
    return {}
  }
}
