import type { RequestListener, Server } from 'node:http'
import type { Socket } from 'node:net'

export interface StrangerLimits {
  /** Maximum connections without credentials; the oldest is closed for a new one. */
  readonly max: number
  /** Maximum time of a connection without credentials, ms. */
  readonly stayMs: number
}

export const STRANGERS: StrangerLimits = { max: 2_000, stayMs: 8_000 }

/** Connections on which a caller has authenticated. */
const known = new WeakSet<Socket>()

/** The caller has authenticated: the connection now counts for its producer. */
export function isKnownNow(socket: Socket): void {
  known.add(socket)
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
export class StrangerTurns {
  readonly #steps = new Map<Socket, Step[]>()
  #hasTurn = false

  /** The steps of one connection run in the order in which they are added. */
  add(socket: Socket, step: Step): void {
    const steps = this.#steps.get(socket)
    if (steps === undefined) this.#steps.set(socket, [step])
    else steps.push(step)
    this.#takeTurn()
  }

  /** Serves a request at once if its caller has authenticated before. */
  listener(serve: RequestListener): RequestListener {
    return (request, response) => {
      const { socket } = request
      // Requests of one connection start in their order.
      if (known.has(socket) && !this.#steps.has(socket)) serve(request, response)
      else this.add(socket, serve.bind(null, request, response))
    }
  }

  #takeTurn(): void {
    if (this.#hasTurn) return
    this.#hasTurn = true
    setImmediate(() => {
      this.#hasTurn = false
      for (let left = STEPS; left > 0 && this.#steps.size > 0; left--) this.#next()
      if (this.#steps.size > 0) this.#takeTurn()
    })
  }

  #next(): void {
    const [first] = this.#steps
    if (first === undefined) return
    const [socket, steps] = first
    const step = steps.shift()
    this.#steps.delete(socket)
    if (socket.destroyed) return
    // Behind all others.
    if (steps.length > 0) this.#steps.set(socket, steps)
    step?.()
  }
}

/** Limits the number, age and processor time of connections without credentials. */
export function boundStrangers(
  server: Server,
  { max, stayMs }: StrangerLimits,
  turns: StrangerTurns,
): void {
  /** In order of arrival; authenticated ones are removed when they are next looked at. */
  const strangers = new Set<Socket>()
  const came = (socket: Socket): void => {
    strangers.add(socket)
    const timer = setTimeout(() => {
      strangers.delete(socket)
      // Answered and closed like any request that does not arrive in time.
      turns.add(socket, () => {
        if (!known.has(socket)) server.emit('clientError', tooLate(), socket)
      })
    }, stayMs)
    socket.once('close', () => {
      clearTimeout(timer)
      strangers.delete(socket)
    })
    while (strangers.size > max) {
      const [oldest] = strangers
      if (oldest === undefined) break
      strangers.delete(oldest)
      if (!known.has(oldest)) oldest.destroy()
    }
  }
  // With TLS, requests refer to the inner socket.
  server.on('setSecureContext' in server ? 'secureConnection' : 'connection', came)
}
