import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Caller } from '../accept/fairness.js'

/**
 * How often a client that closed its sending side is probed while its request waits, ms. It may still
 * read, or be gone: only a write tells, by the reset that it provokes.
 */
const PROBE_MS = 200

/** The client at the other end of a connection. Costs nothing until its request has to wait. */
export class HttpCaller implements Caller {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request
    this.#response = response
  }

  get hasLeft(): boolean {
    return this.#request.socket.destroyed
  }

  onLeave(leave: () => void): () => void {
    const { socket } = this.#request
    let waiters = waitersOf.get(socket)
    if (waiters === undefined) {
      waiters = new Waiters(socket)
      waitersOf.set(socket, waiters)
    }
    return waiters.add({ leave, probe: this.#probe })
  }

  /** 102 may precede any answer of HTTP/1.1. Only the response whose turn it is has a socket. */
  readonly #probe = (): void => {
    const isAllowed = this.#request.httpVersionMajor === 1 && this.#request.httpVersionMinor >= 1
    if (isAllowed && this.#response.socket !== null) this.#response.writeProcessing()
  }
}

interface Waiter {
  readonly leave: () => void
  readonly probe: () => void
}

const waitersOf = new WeakMap<Socket, Waiters>()

/** Requests of one connection that wait. It has one listener however many there are. */
class Waiters {
  readonly #socket: Socket
  readonly #waiters = new Set<Waiter>()
  #timer: NodeJS.Timeout | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    socket.once('end', () => { this.#probeLater() }) // prettier-ignore
    socket.once('close', () => {
      for (const waiter of [...this.#waiters]) this.#leave(waiter)
    })
  }

  add(waiter: Waiter): () => void {
    this.#waiters.add(waiter)
    if (this.#socket.closed)
      setImmediate(() => { this.#leave(waiter) }) // prettier-ignore
    else if (this.#socket.readableEnded) this.#probeLater()
    return () => this.#waiters.delete(waiter)
  }

  #leave(waiter: Waiter): void {
    if (this.#waiters.delete(waiter)) waiter.leave()
  }

  /** Probes later, because short waits are cheap, and as long as a request waits. */
  #probeLater(): void {
    if (this.#timer !== undefined || this.#waiters.size === 0 || this.#socket.destroyed) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      for (const { probe } of this.#waiters) probe()
      this.#probeLater()
    }, PROBE_MS)
    this.#timer.unref()
  }
}
