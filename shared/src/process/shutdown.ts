import type { Server } from 'node:http'

/** Forced exit after SIGTERM, which must end in exit 0 within 15 s, ms. */
const MAX_SHUTDOWN_MS = 13_000

/** Runs `stop` once on the first SIGTERM or SIGINT, then exits 0; a second signal exits at once. */
export function onShutdown(stop: () => Promise<void>): void {
  let stopping = false
  const begin = (): void => {
    if (stopping) process.exit(1)
    stopping = true
    setTimeout(() => process.exit(0), MAX_SHUTDOWN_MS).unref()
    void stop().finally(() => process.exit(0))
  }
  process.on('SIGTERM', begin)
  process.on('SIGINT', begin)
}

/** Stops listening, closes idle keep-alive connections, and waits for requests in progress. */
export function closeServer(server: Server, mostMs: number): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
    setTimeout(() => {
      server.closeAllConnections()
      resolve()
    }, mostMs).unref()
  })
}

/**
 * Connections that wait to be accepted; for a further one, its caller tries again after a second. They
 * are accepted together, so fewer than the intake keeps without credentials: a producer's request is
 * read before newer connections close its own.
 */
const BACKLOG = 4_096

/** Names of the settings that say where a server listens. */
interface Address {
  readonly port: string
  readonly host: string
}
export const INTAKE_ADDRESS: Address = { port: 'PORT', host: 'HOST' }
export const OPS_ADDRESS: Address = { port: 'OPS_PORT', host: 'OPS_HOST' }

/** Starts listening; rejects with a person's words when the port cannot be had. */
export function listen(
  server: Server,
  port: number,
  settings: Address,
  host: string | null = null,
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (host !== null && error.code !== 'EADDRINUSE') {
        const reason = error.code ?? error.message
        reject(
          new Error(
            `cannot listen on ${host} (${reason}); set ${settings.host} to an address of this machine`,
          ),
        )
        return
      }
      const busy = error.code === 'EADDRINUSE'
      const problem = busy ? 'is in use by another process' : `cannot be used (${error.code ?? ''})`
      reject(new Error(`port ${port} ${problem}; set ${settings.port} to a free port`))
    })
    server.listen({ port, backlog: BACKLOG, ...(host === null ? {} : { host }) }, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}
