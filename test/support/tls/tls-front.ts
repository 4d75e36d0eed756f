import { connect, type AddressInfo } from 'node:net'
import { createServer, type TlsOptions } from 'node:tls'
import { LOOPBACK } from '@relay/tools/process/port.js'

/** TLS in front of a plain server on loopback. */
export interface TlsFront {
  readonly port: number
  /** Connections that came through the handshake. */
  accepted(): number
  stop(): Promise<void>
}

export async function startTlsFront(target: number, options: TlsOptions): Promise<TlsFront> {
  let accepted = 0
  const open = new Set<{ destroy(): void }>()
  const server = createServer(options, (secure) => {
    accepted++
    const plain = connect(target, LOOPBACK)
    for (const socket of [secure, plain]) {
      open.add(socket)
      socket.on('error', () => undefined)
      socket.once('close', () => {
        open.delete(socket)
        secure.destroy()
        plain.destroy()
      })
    }
    secure.pipe(plain).pipe(secure)
  })
  // Who trusts another authority ends the handshake.
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve))
  return {
    port: (server.address() as AddressInfo).port,
    accepted: () => accepted,
    stop: async () => {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
