import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer, Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Clock } from '@relay/shared/clock.js'
import { type TlsFiles, readTexts, type TlsTexts } from '@relay/shared/config/tls-files.js'
import { watchFiles } from '@relay/shared/config/watch-files.js'
import { refusePipelining } from '@relay/shared/process/pipelining.js'
import type { Random } from '@relay/shared/random.js'
import { createRequestId } from '@relay/shared/request-id.js'
import { boundUnreadBody } from './body.js'
import { refusalAnswer, send } from './envelope.js'
import { PipelineLimiter, type PipelineLimits } from './pipeline-limiter.js'
import {
  limitUnauthenticated,
  isAuthenticated,
  UnauthenticatedTurns,
  UNAUTHENTICATED,
  type UnauthenticatedLimits,
} from './unauthenticated-connections.js'
import type { Refusal } from '../refusal.js'

/** Timeouts of the server, ms. */
export const TIMEOUTS = {
  /** From the first byte to the end of the headers. */
  headersMs: 8_000,
  /** Above the usual 60 s of a load balancer, so that it never reuses a closing connection. */
  keepAliveMs: 65_000,
  /**
   * Silence in both directions: ends callers that do not read their answers. Longer than all other
   * timeouts: keep-alive, a body, a pause of an import.
   */
  silenceMs: 90_000,
  /** How often the above are enforced. */
  checkMs: 1_000,
} as const

/** Further connections are closed at once, to bound descriptors and memory. */
const MAX_CONNECTIONS = 14_000

/**
 * Enough for normal pipelining. A read of 64 KB contains at most about 2,600 requests, so one
 * connection of a producer never reaches the second limit.
 */
const TURNS: PipelineLimits = { mostServed: 16, mostWaiting: 3_000 }

export interface IntakeServerParts {
  readonly clock: Clock
  readonly random: Random
  readonly timeouts?: { readonly [name in keyof typeof TIMEOUTS]: number }
  /** null: plain HTTP. */
  readonly tls?: TlsFiles | null
  readonly unauthenticated?: UnauthenticatedLimits
  /** The producer whose credentials a request has, for any workspace. */
  readonly producerOf: (request: IncomingMessage) => string | null
}

/** An HTTP server for the intake's handler that no slow or broken caller can block. */
export function createIntakeServer(listener: RequestListener, parts: IntakeServerParts): Server {
  const { clock, random, producerOf, timeouts = TIMEOUTS, tls = null } = parts
  const { unauthenticated = UNAUTHENTICATED } = parts
  const hasCredentials = (request: IncomingMessage) => producerOf(request) !== null
  const requestId = () => createRequestId(clock.nowMs(), 0, 0, random)
  const answerWith = (refusal: Refusal): RequestListener => {
    return (request, response) => {
      const id = requestId()
      if (!request.complete) boundUnreadBody(request, response)
      send(response, refusalAnswer(refusal, id), id)
    }
  }
  const noHost = answerWith(NO_HOST)
  const unexpected = answerWith(EXPECTATION)
  const unauthenticatedTurns = new UnauthenticatedTurns(hasCredentials)
  const turns = new PipelineLimiter(
    unauthenticatedTurns.listener((request, response) => {
      // RFC 9112 3.2: a request of HTTP/1.1 without Host is refused.
      const isLost = request.headers.host === undefined && request.httpVersion !== '1.0'
      if (isLost) response.shouldKeepAlive = false
      ;(isLost ? noHost : isUnmet(request) ? unexpected : listener)(request, response)
    }),
    producerOf,
    TURNS,
  )
  const server = openServer(
    tls,
    {
      headersTimeout: timeouts.headersMs,
      // The route limits the time of a body: an import can have any length.
      requestTimeout: 0,
      keepAliveTimeout: timeouts.keepAliveMs,
      connectionsCheckingInterval: timeouts.checkMs,
      noDelay: true,
      // Node's refusal has no body.
      requireHostHeader: false,
    },
    turns.listener,
  )
  // A half-closed caller must still be answered. Node's types lack this option.
  Object.assign(server, { httpAllowHalfOpen: true })
  server.timeout = timeouts.silenceMs
  server.maxConnections = MAX_CONNECTIONS
  refusePipelining(server, {
    unanswered: (socket) => turns.unanswered(socket),
    mayPipeline: (request) =>
      isAuthenticated(request.socket) || hasCredentials(request) ? turns.admit(request) : 'close',
  })
  limitUnauthenticated(server, unauthenticated, unauthenticatedTurns)
  turns.newConnections.watch(server)
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const due = turns.unanswered(socket)
    const lastWhole = due.findLast(({ req }) => req.complete)
    if (!socket.writable) socket.destroy()
    // Complete requests precede the invalid data and may be stored: they get their answers.
    else if (lastWhole !== undefined) closeBehind(lastWhole, socket)
    else if (due[0]?.headersSent) socket.destroy()
    else
      socket.end(rawAnswer(BROKEN_REQUESTS[error.code ?? ''] ?? BAD_REQUEST, requestId()), () =>
        socket.destroy(),
      )
  })
  return server
}

/**
 * Loads a renewed certificate for new connections without a restart; keeps the last valid one if a
 * file is invalid. Returns a function that stops it.
 */
export function watchTls(
  server: Server,
  files: TlsFiles | null,
  onChange: (taken: boolean) => void,
): () => void {
  if (files === null || !(server instanceof TlsServer)) return () => undefined
  const { certFile, keyFile, clientCaFile } = files
  const paths = [certFile, keyFile, ...(clientCaFile === null ? [] : [clientCaFile])]
  return watchFiles(paths, () => {
    const texts = readTexts(files)
    if (texts !== null) server.setSecureContext(contextOf(texts))
    onChange(texts !== null)
  })
}

function openServer(
  tls: TlsFiles | null,
  options: ServerOptions,
  listener: RequestListener,
): Server {
  if (tls === null) return createServer(options, listener)
  const texts = readTexts(tls)
  if (texts === null) throw new Error('the certificate of the intake is invalid')
  return createTlsServer(
    { ...options, ...contextOf(texts), handshakeTimeout: UNAUTHENTICATED.stayMs },
    listener,
  )
}

function contextOf({ cert, key, ca }: TlsTexts) {
  const mutual = ca === null ? {} : { ca, requestCert: true, rejectUnauthorized: true }
  return { cert, key, minVersion: 'TLSv1.2' as const, ...mutual }
}

/** RFC 9110 10.1.1: an expectation other than 100-continue gets 417. */
function isUnmet({ headers: { expect }, httpVersion }: IncomingMessage): boolean {
  return (
    expect !== undefined && httpVersion === '1.1' && !/(?:^|\W)100-continue(?:\W|$)/i.test(expect)
  )
}

/** Closes the connection after an answer. */
function closeBehind(response: ServerResponse, socket: Socket): void {
  if (response.headersSent)
    response.once('finish', () => { socket.destroySoon() }) // prettier-ignore
  else response.shouldKeepAlive = false
}

const NO_HOST: Refusal = {
  status: 400,
  type: 'Bad Request',
  message: 'The Host header is required',
}

const EXPECTATION: Refusal = {
  status: 417,
  type: 'Expectation Failed',
  message: 'Expect must be 100-continue or absent',
}

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
  const { status, body, headers } = refusalAnswer(refusal, requestId)
  return [
    `HTTP/1.1 ${status} ${REASONS[status] ?? ''}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
    ...(headers?.Link === undefined ? [] : [`Link: ${headers.Link}`]),
    'Connection: close',
    '',
    body,
  ].join('\r\n')
}
