import type { IncomingMessage, RequestListener, Server } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { NewConnections } from './new-connections.js'
import { connectionEvent } from '@relay/shared/process/pipelining.js'

export interface UnauthenticatedLimits {
  /** Maximum connections without credentials; the oldest is closed for a new one. */
  readonly max: number
  /** Maximum time of a connection without credentials, ms. */
  readonly stayMs: number
}

export const UNAUTHENTICATED: UnauthenticatedLimits = { max: 6_000, stayMs: 8_000 }

/** Connections on which a caller has authenticated. */
const authenticated = new WeakSet<Socket>()

/** The caller has authenticated: the connection now counts for its producer. */
export function markAuthenticated(socket: Socket): void {
  authenticated.add(socket)
}

export function isAuthenticated(socket: Socket): boolean {
  return authenticated.has(socket)
}

function tooLate(): Error {
  return Object.assign(new Error('no credentials in time'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
}

/** Steps per turn of the event loop; a 401 takes about 0.2 ms. */
const STEPS = 8

type Step = () => void

/**
 * Serves connections without credentials, a few requests per turn of the event loop and in turn over
 * the connections. Node would answer thousands that ask at the same moment in one turn.
 */
export class UnauthenticatedTurns {
  readonly #hasCredentials: (request: IncomingMessage) => boolean
  readonly #steps = new Map<Socket, Step[]>()
  readonly #answers = new UnauthenticatedAnswers()
  readonly newConnections = new NewConnections()
  #hasTurn = false

  constructor(hasCredentials: (request: IncomingMessage) => boolean) {
    this.#hasCredentials = hasCredentials
  }

  /** The steps of one connection run in the order in which they are added. */
  add(socket: Socket, step: Step): void {
    const steps = this.#steps.get(socket)
    if (steps === undefined) this.#steps.set(socket, [step])
    else steps.push(step)
    this.#takeTurn()
  }

  /** Serves a request at once if its caller has authenticated before, or does so with it. */
  listener(serve: RequestListener): RequestListener {
    return (request, response) => {
      const { socket } = request
      const mayGoFirst = authenticated.has(socket) || this.#hasCredentials(request)
      // Requests of one connection start in their order.
      if (mayGoFirst && !this.#steps.has(socket)) serve(request, response)
      else {
        this.add(socket, () => {
          serve(request, response)
          this.#answers.count(socket)
        })
      }
    }
  }

  #takeTurn(): void {
    if (this.#hasTurn) return
    this.#hasTurn = true
    setImmediate(this.#turn)
  }

  readonly #turn = (): void => {
    this.#hasTurn = false
    let left = this.newConnections.goFirst() ? 0 : STEPS
    while (left > 0 && this.#steps.size > 0) if (this.#next()) left--
    if (this.#steps.size > 0) this.#takeTurn()
  }

  /** False if the connection has gone, which costs nothing. */
  #next(): boolean {
    const [first] = this.#steps
    if (first === undefined) return false
    const [socket, steps] = first
    const step = steps.shift()
    this.#steps.delete(socket)
    if (socket.destroyed) return false
    // Behind all others.
    if (steps.length > 0) this.#steps.set(socket, steps)
    step?.()
    return true
  }
}

/** Maximum bytes of answers on open connections without credentials; the kernel holds unread ones. */
const MAX_ANSWER_BYTES = 32 * 1_048_576

/** Resets the oldest connections without credentials when their answers, read or not, take too much. */
class UnauthenticatedAnswers {
  /** In order of their first answers. */
  readonly #bytes = new Map<Socket, number>()
  #sumBytes = 0

  /** Counts what was written to a connection until now. */
  count(socket: Socket): void {
    if (authenticated.has(socket) || socket.destroyed || socket.bytesWritten === 0) return
    if (!this.#bytes.has(socket)) socket.once('close', () => { this.#set(socket, 0) }) // prettier-ignore
    this.#set(socket, socket.bytesWritten)
    for (const oldest of this.#bytes.keys()) {
      if (this.#sumBytes <= MAX_ANSWER_BYTES) break
      this.#set(oldest, 0)
      if (!authenticated.has(oldest)) reset(oldest)
    }
  }

  #set(socket: Socket, bytes: number): void {
    this.#sumBytes += bytes - (this.#bytes.get(socket) ?? 0)
    if (bytes > 0) this.#bytes.set(socket, bytes)
    else this.#bytes.delete(socket)
  }
}

/** Without a reset, the kernel would keep what is not read and try to send it for minutes. */
function reset(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy()
  else socket.resetAndDestroy()
}

/** Limits the number, age and processor time of connections without credentials. */
export function limitUnauthenticated(
  server: Server,
  { max, stayMs }: UnauthenticatedLimits,
  turns: UnauthenticatedTurns,
): void {
  /** In order of arrival; authenticated ones are removed when they are next looked at. */
  const unauthenticated = new Set<Socket>()
  const came = (socket: Socket): void => {
    unauthenticated.add(socket)
    const timer = setTimeout(() => {
      unauthenticated.delete(socket)
      // Answered and closed like any request that does not arrive in time.
      turns.add(socket, () => {
        if (!authenticated.has(socket)) server.emit('clientError', tooLate(), socket)
      })
    }, stayMs)
    socket.once('close', () => {
      clearTimeout(timer)
      unauthenticated.delete(socket)
    })
    while (unauthenticated.size > max) {
      const [oldest] = unauthenticated
      if (oldest === undefined) break
      unauthenticated.delete(oldest)
      if (!authenticated.has(oldest)) oldest.destroy()
    }
  }
  server.on(connectionEvent(server), came)
  turns.newConnections.watch(server)
}
