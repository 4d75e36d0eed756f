import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from '@relay/shared/clock.js'
import type { Random } from '@relay/shared/random.js'
import { createRequestId } from '@relay/shared/request-id.js'
import type { Refusal } from '../refusal.js'
import { refusalAnswer } from './envelope.js'

/** How patient the server is with its callers, ms. */
export const TIMEOUTS = {
  /** From the first byte to the end of the headers. */
  headersMs: 10_000,
  /** Above the usual 60 s of a load balancer, so that it never reuses a connection being closed. */
  keepAliveMs: 65_000,
  /**
   * Silence in both directions: ends callers that do not read their answers. Longer than anything
   * that is waited for: keep-alive, a body, a pause of an import.
   */
  silenceMs: 90_000,
  /** How often the above are enforced. */
  checkMs: 1_000,
} as const

/** Further ones are closed at once: descriptors and memory are bounded whatever comes. */
export const MAX_CONNECTIONS = 10_000

/** An HTTP server around the intake's handler that no slow or broken caller can hold up. */
export function createIntakeServer(
  listener: RequestListener,
  clock: Clock,
  random: Random,
  timeouts: { readonly [name in keyof typeof TIMEOUTS]: number } = TIMEOUTS,
): Server {
  const server = createServer(
    {
      headersTimeout: timeouts.headersMs,
      // How long a body may take is its route's to say: an import has no end to its length.
      requestTimeout: 0,
      keepAliveTimeout: timeouts.keepAliveMs,
      connectionsCheckingInterval: timeouts.checkMs,
      noDelay: true,
    },
    listener,
  )
  server.timeout = timeouts.silenceMs
  server.maxConnections = MAX_CONNECTIONS
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const requestId = createRequestId(clock.nowMs(), 0, 0, random)
    const { _httpMessage: response } = socket as WithResponse
    if (!socket.writable || response?.headersSent) socket.destroy()
    // The fault lies behind a whole request, which may be stored: it gets its own answer, the last.
    else if (response?.req.complete) response.shouldKeepAlive = false
    else
      socket.end(rawAnswer(BROKEN_REQUESTS[error.code ?? ''] ?? BAD_REQUEST, requestId), () =>
        socket.destroy(),
      )
  })
  return server
}

/** Node keeps the response that is due next on the socket. */
type WithResponse = Duplex & { readonly _httpMessage?: ServerResponse | null }

const BAD_REQUEST: Refusal = {
  status: 400,
  type: 'Bad Request',
  message: 'This is not a valid HTTP request',
}

/** By Node's error code. */
const BROKEN_REQUESTS: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    type: 'Headers too large',
    message: 'The request headers are too large',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    type: 'Request Timeout',
    message: 'The request took too long to arrive',
  },
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
}

function rawAnswer(refusal: Refusal, requestId: string): string {
  const { status, body } = refusalAnswer(refusal, requestId)
  return [
    `HTTP/1.1 ${String(status)} ${REASONS[status] ?? ''}`,
    'Content-Type: application/json',
    `Content-Length: ${String(Buffer.byteLength(body))}`,
    `X-Request-Id: ${requestId}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n')
}
