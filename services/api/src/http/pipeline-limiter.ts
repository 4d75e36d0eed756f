import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { NewConnections } from './new-connections.js'

export interface PipelineLimits {
  /** Concurrent requests of one connection; the next ones wait. */
  readonly mostServed: number
  /** Waiting requests over all connections of one producer. */
  readonly mostWaiting: number
}

interface Asked {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly producer: string
}

interface Connection {
  readonly socket: Socket
  served: number
  readonly unanswered: ServerResponse[]
  readonly waiting: Asked[]
  /** It is in the queue of the producer of its next waiting request. */
  isQueued: boolean
}

const NONE: readonly ServerResponse[] = []

/** Time in one turn of the event loop for requests that waited, ms. */
const TURN_MS = 4

/**
 * Limits the concurrent requests of a connection and stops reading while more are waiting, so that a
 * caller that pipelines thousands is slowed to the pace of its answers. Node would start all requests
 * that it has read. The first request of a connection is served at once; those that wait are served
 * for a few milliseconds per turn of the event loop, and in turn over the producers.
 */
export class PipelineLimiter {
  readonly #serve: RequestListener
  readonly #producerOf: (request: IncomingMessage) => string | null
  readonly #limits: PipelineLimits
  /** To watch the server. */
  readonly newConnections = new NewConnections()
  readonly #connections = new WeakMap<Socket, Connection>()
  /** Number of waiting requests. */
  readonly #waiting = new Map<string, number>()
  /** Connections whose next request may be served, by its producer. */
  readonly #queues = new Map<string, Set<Connection>>()
  #hasTurn = false

  constructor(
    serve: RequestListener,
    producerOf: (request: IncomingMessage) => string | null,
    limits: PipelineLimits,
  ) {
    this.#serve = serve
    this.#producerOf = producerOf
    this.#limits = limits
  }

  readonly listener: RequestListener = (request, response) => {
    const connection = this.#connectionOf(request.socket)
    connection.unanswered.push(response)
    response.once('finish', () => {
      connection.served--
      connection.unanswered.shift()
      this.#queue(connection)
    })
    if (connection.served === 0 && connection.waiting.length === 0) {
      connection.served++
      this.#serve(request, response)
      return
    }
    const producer = this.#producerOf(request) ?? ''
    connection.waiting.push({ request, response, producer })
    this.#count(producer, 1)
    // Only the last waiting request can be incomplete: no request being served needs another byte.
    request.socket.pause()
    this.#queue(connection)
  }

  /** Whether another request of its producer may wait. */
  admit(request: IncomingMessage): 'serve' | 'stop' {
    const waiting = this.#waiting.get(this.#producerOf(request) ?? '') ?? 0
    return waiting < this.#limits.mostWaiting ? 'serve' : 'stop'
  }

  /** Responses due on a connection, in the order they are due. */
  unanswered(socket: Socket): readonly ServerResponse[] {
    return this.#connections.get(socket)?.unanswered ?? NONE
  }

  #connectionOf(socket: Socket): Connection {
    const known = this.#connections.get(socket)
    if (known !== undefined) return known
    const connection: Connection = {
      ...{ socket, served: 0, unanswered: [], waiting: [] },
      isQueued: false,
    }
    this.#connections.set(socket, connection)
    // Node resumes the socket itself, for example when a body is read.
    socket.on('resume', () => {
      if (connection.waiting.length > 0) socket.pause()
    })
    socket.once('close', () => {
      for (const { producer } of connection.waiting) this.#count(producer, -1)
      connection.waiting.length = 0
    })
    return connection
  }

  #count(producer: string, change: number): void {
    const waiting = (this.#waiting.get(producer) ?? 0) + change
    if (waiting === 0) this.#waiting.delete(producer)
    else this.#waiting.set(producer, waiting)
  }

  #queue(connection: Connection): void {
    const [next] = connection.waiting
    if (next === undefined || connection.isQueued) return
    if (connection.served >= this.#limits.mostServed) return
    connection.isQueued = true
    const queue = this.#queues.get(next.producer)
    if (queue === undefined) this.#queues.set(next.producer, new Set([connection]))
    else queue.add(connection)
    this.#takeTurn()
  }

  #takeTurn(): void {
    if (this.#hasTurn) return
    this.#hasTurn = true
    setImmediate(this.#turn)
  }

  readonly #turn = (): void => {
    this.#hasTurn = false
    const endMs = this.newConnections.goFirst() ? 0 : performance.now() + TURN_MS
    while (this.#queues.size > 0 && performance.now() < endMs) this.#next()
    if (this.#queues.size > 0) this.#takeTurn()
  }

  #next(): void {
    for (const [producer, queue] of this.#queues) {
      // Behind all other producers.
      this.#queues.delete(producer)
      const [connection] = queue
      if (connection === undefined) return
      queue.delete(connection)
      if (queue.size > 0) this.#queues.set(producer, queue)
      connection.isQueued = false
      this.#begin(connection)
      return
    }
  }

  #begin(connection: Connection): void {
    const next = connection.waiting.shift()
    if (next === undefined) return
    this.#count(next.producer, -1)
    connection.served++
    this.#serve(next.request, next.response)
    if (connection.waiting.length === 0) connection.socket.resume()
    else this.#queue(connection)
  }
}
