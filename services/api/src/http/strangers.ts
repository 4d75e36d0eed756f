import type { Server } from 'node:http'
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

/** Limits the number and age of connections without credentials. */
export function boundStrangers(server: Server, { max, stayMs }: StrangerLimits): void {
  /** In order of arrival; authenticated ones are removed when they are next looked at. */
  const strangers = new Set<Socket>()
  const came = (socket: Socket): void => {
    strangers.add(socket)
    const timer = setTimeout(() => {
      // Answered and closed like any request that does not arrive in time.
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
  // With TLS, requests refer to the inner socket.
  server.on('setSecureContext' in server ? 'secureConnection' : 'connection', came)
}
