import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export interface TurnLimits {
  /** Requests of one connection that are served at one time; those behind them wait. */
  readonly mostServed: number
  /** Requests that wait behind others, over all connections. */
  readonly mostWaiting: number
}

type Asked = readonly [IncomingMessage, ServerResponse]

/**
 * Lets one connection have a few requests under way, and reads no further while more of them wait:
 * a caller that pipelines thousands is slowed to the pace of its own answers, and takes from others
 * no more than its share. Node itself would begin all that it read.
 */
export class Turns {
  readonly #serve: RequestListener
  readonly #refuse: RequestListener
  readonly #limits: TurnLimits
  readonly #connections = new WeakMap<Socket, Connection>()
  #waiting = 0

  /** `refuse` answers what finds no place to wait. */
  constructor(serve: RequestListener, refuse: RequestListener, limits: TurnLimits) {
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
      // What waits is complete but for its last: nothing that is served needs another byte.
      request.socket.pause()
    }
  }

  /** Responses due on a connection, in the order they are due. */
  unanswered(socket: Socket): readonly ServerResponse[] {
    return this.#connections.get(socket)?.unanswered ?? []
  }

  #connectionOf(socket: Socket): Connection {
    const known = this.#connections.get(socket)
    if (known !== undefined) return known
    const connection: Connection = { socket, served: 0, unanswered: [], waiting: [] }
    this.#connections.set(socket, connection)
    // Node resumes it for reasons of its own, as it does when a body is read.
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
    // Not at once: what is answered without waiting for anything would follow one upon the other, all
    // that one read holds, before another connection is looked at.
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
