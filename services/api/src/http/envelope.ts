import type { ServerResponse } from 'node:http'
import type { Refusal } from '../refusal.js'

/** MoEngage's error envelope, as JSON text. */
function envelope(refusal: Refusal, requestId: string): string {
  const { message, type, attribute, details } = refusal
  return JSON.stringify({
    status: 'fail',
    error: {
      message,
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
  return { status, body: envelope(refusal, requestId), headers: { ...refusal.headers, ...retry } }
}

/** Writes an answer in one go; `requestId` is what the caller knows the request by. */
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
