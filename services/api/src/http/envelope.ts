import type { ServerResponse } from 'node:http'
import { anchorOf } from '../openapi/errors.js'
import type { Refusal } from '../refusal.js'

/** The page about an error type, as a path of the intake. */
function pageOf(type: string): string {
  return `/docs/errors.md#${anchorOf(type)}`
}

/** MoEngage's error envelope as JSON text; its members are fixed, so the message contains the link. */
function envelope(refusal: Refusal, requestId: string): string {
  const { message, type, attribute, details } = refusal
  return JSON.stringify({
    status: 'fail',
    error: {
      message: `${message}${/[.?]$/.test(message) ? '' : '.'} See ${pageOf(type)}`,
      type,
      request_id: requestId,
      ...(attribute === undefined ? {} : { attribute }),
      ...(details === undefined ? {} : { details }),
    },
  })
}

export interface Answer {
  readonly status: number
  /** JSON text. */
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

export function refusalAnswer(refusal: Refusal, requestId: string): Answer {
  const { status, retryAfterMs } = refusal
  const retry =
    retryAfterMs === undefined
      ? {}
      : { 'Retry-After': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) }
  const help = { Link: `<${pageOf(refusal.type)}>; rel="help"` }
  const headers = { ...help, ...refusal.headers, ...retry }
  return { status, body: envelope(refusal, requestId), headers }
}

/** Writes an answer in one call; `requestId` is the id that the caller knows. */
export function send(response: ServerResponse, answer: Answer, requestId: string): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(answer.status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(answer.body),
    'X-Request-Id': requestId,
    ...answer.headers,
  })
  response.end(answer.body)
}
