import type { Server } from 'node:http'
import type { Socket } from 'node:net'

export interface StrangerLimits {
  /** Connections without credentials at one time; the oldest makes room for a new one. */
  readonly max: number
  /** How long one may stay without credentials, ms. */
  readonly stayMs: number
}

export const STRANGERS: StrangerLimits = { max: 2_000, stayMs: 8_000 }

/** Connections on which somebody has authenticated. */
const known = new WeakSet<Socket>()

/** The caller of this connection has shown credentials: it counts among its producer's. */
export function isKnownNow(socket: Socket): void {
  known.add(socket)
}

function tooLate(): Error {
  return Object.assign(new Error('no credentials in time'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
}

/** Bounds connections without credentials in number and time, apart from those of producers. */
export function boundStrangers(server: Server, { max, stayMs }: StrangerLimits): void {
  /** In the order in which they came; those that became known leave when they are looked at. */
  const strangers = new Set<Socket>()
  const came = (socket: Socket): void => {
    strangers.add(socket)
    const timer = setTimeout(() => {
      // Answered and closed as any request that does not arrive in time.
      if (!known.has(socket)) server.emit('clientError', tooLate(), socket)
      strangers.delete(socket)
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
  // Of TLS, requests name the inner socket.
  server.on('setSecureContext' in server ? 'secureConnection' : 'connection', came)
}
