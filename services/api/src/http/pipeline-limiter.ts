import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export interface PipelineLimits {
  /** Concurrent requests of one connection; the next ones wait. */
  readonly mostServed: number
  /** Waiting requests over all connections. */
  readonly mostWaiting: number
}

type Asked = readonly [IncomingMessage, ServerResponse]

const NONE: readonly ServerResponse[] = []

/**
 * Limits the concurrent requests of a connection and stops reading while more are waiting, so that a
 * caller that pipelines thousands is slowed to the pace of its answers and does not delay others.
 * Node would start all requests that it has read.
 */
export class PipelineLimiter {
  readonly #serve: RequestListener
  readonly #refuse: RequestListener
  readonly #limits: PipelineLimits
  readonly #connections = new WeakMap<Socket, Connection>()
  #waiting = 0

  /** `refuse` answers a request for which the queue has no room. */
  constructor(serve: RequestListener, refuse: RequestListener, limits: PipelineLimits) {
    this.#serve = serve
    this.#refuse = refuse
    this.#limits = limits
  }

  readonly listener: RequestListener = (request, response) => {
    const connection = this.#connectionOf(request.socket)
    connection.unanswered.push(response)
    response.once('finish', () => {
      this.#answered(connection)
    })
    if (connection.served < this.#limits.mostServed) {
      connection.served++
      this.#serve(request, response)
    } else if (this.#waiting >= this.#limits.mostWaiting) {
      connection.served++
      this.#refuse(request, response)
    } else {
      connection.waiting.push([request, response])
      this.#waiting++
      // Only the last waiting request can be incomplete: no request being served needs another byte.
      request.socket.pause()
    }
  }

  /** Responses due on a connection, in the order they are due. */
  unanswered(socket: Socket): readonly ServerResponse[] {
    return this.#connections.get(socket)?.unanswered ?? NONE
  }

  #connectionOf(socket: Socket): Connection {
    const known = this.#connections.get(socket)
    if (known !== undefined) return known
    const connection: Connection = { socket, served: 0, unanswered: [], waiting: [] }
    this.#connections.set(socket, connection)
    // Node resumes the socket itself, for example when a body is read.
    socket.on('resume', () => {
      if (connection.waiting.length > 0) socket.pause()
    })
    socket.once('close', () => {
      this.#waiting -= connection.waiting.length
      connection.waiting.length = 0
    })
    return connection
  }

  #answered(connection: Connection): void {
    connection.served--
    connection.unanswered.shift()
    const next = connection.waiting.shift()
    if (next === undefined) return
    this.#waiting--
    connection.served++
    // Not at once: requests that are answered synchronously would all be served in one turn, before
    // any other connection.
    setImmediate(() => {
      this.#serve(...next)
    })
    if (connection.waiting.length === 0) connection.socket.resume()
  }
}

interface Connection {
  readonly socket: Socket
  served: number
  readonly unanswered: ServerResponse[]
  readonly waiting: Asked[]
}
