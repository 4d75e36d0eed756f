import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import type { Duplex } from 'node:stream'
import tls from 'node:tls'
import type { Clock } from '@relay/shared/clock.js'

/** Idle timeout of a connection, shorter than that of proxies (60 s and more). */
const IDLE_MS = 30_000

/**
 * A connection this old is not kept for another request, ms: MoEngage's addresses change, and a
 * name is only resolved for a new connection. A handshake every five minutes costs nothing.
 */
export const MAX_CONNECTION_AGE_MS = 300_000

/** Pause before the kernel probes a silent connection, ms: finds half-open ones. */
const TCP_KEEP_ALIVE_MS = 10_000

/** TCP socket under each TLS socket: TLS sockets cannot send a reset themselves. */
const carriers = new WeakMap<Duplex, net.Socket>()

export interface ConnectionOptions {
  readonly url: URL
  readonly maxSockets: number
  /** Trust only this PEM bundle instead of the system's; null: system plus NODE_EXTRA_CA_CERTS. */
  readonly ca: string | null
  readonly clock: Clock
}

/** Creates a keep-alive pool that verifies certificates regardless of the environment. */
export function openConnections({ url, maxSockets, ca, clock }: ConnectionOptions): http.Agent {
  const options = {
    keepAlive: true,
    keepAliveMsecs: TCP_KEEP_ALIVE_MS,
    maxSockets,
    maxFreeSockets: maxSockets,
    timeout: IDLE_MS,
  }
  const agent =
    url.protocol === 'https:'
      ? new TlsAgent({ ...options, rejectUnauthorized: true, ...(ca === null ? {} : { ca }) })
      : new http.Agent(options)
  return limitAge(agent, clock)
}

/** Has connections closed once they are too old. Their age counts from the end of their first request. */
function limitAge(agent: http.Agent, clock: Clock): http.Agent {
  const since = new WeakMap<Duplex, number>()
  const keep = agent.keepSocketAlive.bind(agent) as (socket: Duplex) => boolean
  agent.keepSocketAlive = (socket: Duplex): boolean => {
    const nowMs = clock.monotonicMs()
    const sinceMs = since.get(socket) ?? nowMs
    since.set(socket, sinceMs)
    return nowMs - sinceMs < MAX_CONNECTION_AGE_MS && keep(socket)
  }
  return agent
}

/** Closes with a TCP reset, which also discards what the kernel has not sent yet. */
export function resetSocket(socket: Duplex): void {
  const carrier = carriers.get(socket) ?? socket
  if (carrier instanceof net.Socket && !carrier.connecting && !carrier.destroyed) {
    carrier.resetAndDestroy()
  }
  socket.destroy()
}

type Created = (error: Error | null, socket: Duplex) => void

/**
 * Connects TCP first and TLS on top, so that the TCP socket is available for a reset; a plain `destroy`
 * would leave up to a whole body in the kernel, which may be delivered minutes later.
 */
class TlsAgent extends https.Agent {
  override createConnection(options: https.RequestOptions, created?: Created): undefined {
    const abandoned = (options as { abandoned?: AbortSignal }).abandoned
    const carrier = net.connect({
      host: options.host ?? 'localhost',
      port: Number(options.port ?? 443),
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    })
    const abandon = (): void => void carrier.destroy(new Error('abandoned'))
    abandoned?.addEventListener('abort', abandon, { once: true })
    const failed = (error: Error): void => created?.(error, carrier)
    carrier.once('error', failed)
    carrier.once('connect', () => {
      abandoned?.removeEventListener('abort', abandon)
      carrier.removeListener('error', failed)
      const secure = tls.connect({ ...(options as tls.ConnectionOptions), socket: carrier })
      carriers.set(secure, carrier)
      carrier.on('error', (error) => secure.destroy(error))
      created?.(null, secure)
    })
    return undefined
  }
}
