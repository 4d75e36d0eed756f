import { randomInt } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

export const LOOPBACK = '127.0.0.1'

/** Outgoing connections get theirs from 32,768 on by default on Linux, from 49,152 on elsewhere. */
const FIRST_PORT = 15_000
const PORTS = 17_000

/** The claims of this process, by port. */
const claims = new Map<number, Socket>()
let drawn = FIRST_PORT + randomInt(PORTS)

/**
 * A loopback TCP port that is free, for a process that is still to start, or to start again. It
 * belongs to this process until `releasePort` or the end of this process: no other process that
 * draws ports gets it, nor does an outgoing connection. The claim is a UDP socket that is bound to
 * the same number: the system grants it to one process and takes it back when that process ends.
 */
export function freePort(): Promise<number> {
  drawn += 1
  return freePortAfter(drawn)
}

/** The first free port after this one. */
export async function freePortAfter(after: number): Promise<number> {
  for (let tries = 1; tries <= PORTS; tries += 1) {
    const port = FIRST_PORT + ((after - FIRST_PORT + tries) % PORTS)
    const claim = await claimPort(port)
    if (claim === null) continue
    if (!(await isPortBusy(port))) {
      claims.set(port, claim)
      return port
    }
    claim.close()
  }
  throw new Error(`all ${PORTS} ports from ${FIRST_PORT} on are in use`)
}

/** Other processes may draw this port again. */
export function releasePort(port: number): void {
  claims.get(port)?.close()
  claims.delete(port)
}

/** Null when another process, or this one, has claimed it. */
async function claimPort(port: number): Promise<Socket | null> {
  const socket = createSocket('udp4').bind({ port, address: LOOPBACK, exclusive: true })
  try {
    await once(socket, 'listening')
    return socket.unref()
  } catch (error) {
    socket.close()
    if (isTaken(error)) return null
    throw error
  }
}

const isTaken = (error: unknown): boolean =>
  ['EADDRINUSE', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')

/** Whether something else holds this port, on any address or on loopback. */
export async function isPortBusy(port: number): Promise<boolean> {
  return (await cannotListen({ port, host: LOOPBACK })) || (await cannotListen({ port }))
}

async function cannotListen(place: { port: number; host?: string }): Promise<boolean> {
  const server = createServer().listen({ ...place, exclusive: true })
  try {
    await once(server, 'listening')
  } catch (error) {
    return isTaken(error)
  }
  await once(server.close(), 'close')
  return false
}

/** Whether something accepts connections on this loopback port. */
export async function isListening(port: number): Promise<boolean> {
  const socket = connect({ port, host: LOOPBACK })
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(1_000) })
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
