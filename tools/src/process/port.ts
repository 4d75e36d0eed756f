import { randomInt } from 'node:crypto'
import { connect, createServer } from 'node:net'

export const LOOPBACK = '127.0.0.1'

/** Outgoing connections get theirs from 32,768 on by default on Linux, from 49,152 on elsewhere. */
const FIRST_PORT = 15_000
const STRIPES = 170
const PORTS_PER_STRIPE = 100

let drawn = randomInt(PORTS_PER_STRIPE)

/**
 * A loopback port that nobody listens on, for a process that is still to start. Neither an outgoing
 * connection nor, nearly always, another process that draws ports gets it meanwhile: each process
 * draws from a stripe of its own, one after the other.
 */
export async function freePort(): Promise<number> {
  const stripe = FIRST_PORT + (process.pid % STRIPES) * PORTS_PER_STRIPE
  for (let tries = 0; tries < PORTS_PER_STRIPE; tries += 1) {
    drawn += 1
    const port = stripe + (drawn % PORTS_PER_STRIPE)
    if (!(await isPortBusy(port))) return port
  }
  throw new Error(
    `every port from ${String(stripe)} on is in use, ${String(PORTS_PER_STRIPE)} of them`,
  )
}

/** Whether something else holds this port, on any address or on loopback. */
export async function isPortBusy(port: number): Promise<boolean> {
  return (await cannotListen(port, LOOPBACK)) || (await cannotListen(port))
}

function cannotListen(port: number, host?: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'EADDRINUSE' || error.code === 'EACCES')
    })
    server.listen({ port, ...(host === undefined ? {} : { host }), exclusive: true }, () => {
      server.close(() => {
        resolve(false)
      })
    })
  })
}

/** Whether something accepts connections on this loopback port. */
export function isListening(port: number, timeoutMs = 1_000): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: LOOPBACK, timeout: timeoutMs })
    const answer = (listening: boolean) => {
      socket.destroy()
      resolve(listening)
    }
    socket.once('connect', () => {
      answer(true)
    })
    socket.once('timeout', () => {
      answer(false)
    })
    socket.once('error', () => {
      answer(false)
    })
  })
}
