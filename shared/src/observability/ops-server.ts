import { createServer, type RequestListener, type Server } from 'node:http'
import type { Registry } from 'prom-client'
import type { RedisProblem } from '../redis/explain.js'

export interface Readiness {
  readonly ready: boolean
  /** Each check by name, in words. */
  readonly checks: Readonly<Record<string, string>>
}

export interface OpsServerOptions {
  readonly registry: Registry
  readonly readiness: () => Promise<Readiness>
  /** Everything but metrics and health. */
  readonly fallback?: RequestListener
}

/** State of the connection to Redis, with the cause and the remedy when it is unavailable. */
export function redisChecks(found: RedisProblem | null): Record<string, string> {
  return found === null ? {} : { redis_problem: found.problem, redis_next: found.next }
}

/** How often the time limits are enforced. Node's own half minute would treble them. */
const CHECK_MS = 1_000
/** Scrapers, probes and a few operators; further connections are closed at once. */
const MAX_CONNECTIONS = 500
/** Idle timeout of a connection, for callers that do not read responses. */
const SILENCE_MS = 90_000

/** `/metrics`, `/healthz` (the process lives) and `/readyz` (it can do its work). */
export function createOpsServer({ registry, readiness, fallback }: OpsServerOptions): Server {
  const server = createServer({ connectionsCheckingInterval: CHECK_MS }, (request, response) => {
    const path = (request.url ?? '').split('?', 1)[0]
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    if (!isRead || !OWN_PATHS.has(path ?? '')) {
      if (fallback) fallback(request, response)
      else response.writeHead(404).end()
      return
    }
    const answer = path === '/metrics' ? metrics(registry) : health(path ?? '', readiness)
    answer.then(
      ({ status, type, body }) => {
        response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' })
        response.end(request.method === 'HEAD' ? undefined : body)
      },
      () => {
        response.writeHead(500).end()
      },
    )
  })
  server.headersTimeout = 10_000
  server.requestTimeout = 30_000
  server.timeout = SILENCE_MS
  server.maxConnections = MAX_CONNECTIONS
  return server
}

const OWN_PATHS = new Set(['/metrics', '/healthz', '/readyz'])

async function metrics(registry: Registry) {
  return { status: 200, type: registry.contentType, body: await registry.metrics() }
}

async function health(path: string, readiness: () => Promise<Readiness>) {
  const { ready, checks } =
    path === '/healthz' ? { ready: true, checks: { process: 'up' } } : await readiness()
  const body = JSON.stringify({ status: ready ? 'ok' : 'unavailable', checks }) + '\n'
  return { status: ready ? 200 : 503, type: 'application/json', body }
}
