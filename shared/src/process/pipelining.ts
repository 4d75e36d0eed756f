import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export interface PipeliningOptions {
  /** Responses of a connection that are not completely sent. */
  readonly unanswered: (socket: Socket) => readonly ServerResponse[]
  /** Whether to serve a request that came before the previous one was answered. */
  readonly mayPipeline?: (request: IncomingMessage) => Pipelined
}

/** `stop`: earlier requests are answered, then the connection is closed; `close`: it is closed now. */
export type Pipelined = 'serve' | 'stop' | 'close'

/** Node's parser of a connection, which the types of Node omit. */
interface Parsed extends Socket {
  readonly parser?: { onIncoming: (request: IncomingMessage, keepAlive: boolean) => number }
}

/** Makes the parser fail, so that it drops the rest of what was read. */
const STOP = -1

/**
 * Ends a connection that sends a request before its previous one is answered, unless it may. Node
 * parses all requests of a read, up to 2,600, before a handler can pause or destroy the connection;
 * this stops at the first one that is not to be served, so that the rest costs nothing.
 */
export function refusePipelining(
  server: Server,
  { unanswered, mayPipeline = () => 'close' }: PipeliningOptions,
): void {
  server.on(connectionEvent(server), (socket: Parsed) => {
    const { parser } = socket
    if (parser === undefined) return
    const begin = parser.onIncoming
    parser.onIncoming = (request, keepAlive) => {
      const what = isAnswered(unanswered(socket)) ? 'serve' : mayPipeline(request)
      if (what === 'serve') return begin(request, keepAlive)
      if (what === 'close') socket.destroy()
      return STOP
    }
  })
  // Node would answer at once, without any of the server's limits.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response))
}

/** With TLS, requests refer to the inner socket. */
export function connectionEvent(server: Server): 'connection' | 'secureConnection' {
  return 'setSecureContext' in server ? 'secureConnection' : 'connection'
}

/**
 * One ended response may still be in the socket: with TLS, a caller can read it and send its next
 * request before Node reports it as sent.
 */
function isAnswered([first, second]: readonly ServerResponse[]): boolean {
  return first === undefined || (second === undefined && first.writableEnded)
}
