import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Registry } from 'prom-client'
import { refusePipelining } from '../process/pipelining.js'
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
/** Scrapers, probes and a few operators; the oldest connection is closed for a further one. */
const MAX_CONNECTIONS = 500
/** Idle timeout of a connection, for callers that do not read responses. */
const SILENCE_MS = 90_000

/** `/metrics`, `/healthz` (the process lives) and `/readyz` (it can do its work). */
export function createOpsServer({ registry, readiness, fallback }: OpsServerOptions): Server {
  const page = new MetricsPage(registry)
  const unanswered = new WeakMap<Socket, readonly ServerResponse[]>()
  const server = createServer({ connectionsCheckingInterval: CHECK_MS }, (request, response) => {
    const due = unanswered.get(request.socket) ?? []
    unanswered.set(request.socket, [
      ...due.filter((earlier) => !earlier.writableFinished),
      response,
    ])
    const path = (request.url ?? '').split('?', 1)[0]
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    if (!isRead || !OWN_PATHS.has(path ?? '')) {
      if (fallback) fallback(request, response)
      else response.writeHead(404, { 'Content-Type': 'text/plain' }).end(ELSEWHERE)
      return
    }
    const answer = path === '/metrics' ? page.read() : health(path ?? '', readiness)
    answer.then(
      ({ status, type, body }) => {
        response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' })
        response.end(request.method === 'HEAD' ? undefined : body)
      },
      () => response.writeHead(500).end(),
    )
  })
  server.headersTimeout = 8_000
  server.requestTimeout = 30_000
  server.timeout = SILENCE_MS
  boundConnections(server)
  refusePipelining(server, {
    unanswered: (socket) => (unanswered.get(socket) ?? []).filter((due) => !due.writableFinished),
  })
  return server
}

/** Refusing the newest connection instead would shut out probes while callers hold theirs. */
function boundConnections(server: Server): void {
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    const [oldest] = open
    if (open.size <= MAX_CONNECTIONS || oldest === undefined) return
    open.delete(oldest)
    oldest.destroy()
  })
}

const ELSEWHERE =
  'Only /metrics, /healthz and /readyz are here. Producers post to the intake of an api.\n'
const OWN_PATHS = new Set(['/metrics', '/healthz', '/readyz'])

/** Pause after the page of metrics was rendered, in times of what that took, and at most, ms. */
const PAUSE_TIMES = 3
const MAX_PAUSE_MS = 100

/**
 * The page of metrics, rendered once for all requests that wait for it, in at most a quarter of the
 * time. A request never gets a page that was begun before it.
 */
class MetricsPage {
  readonly #registry: Registry
  #next: Promise<Answer> | null = null
  #rest: Promise<unknown> = Promise.resolve()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  read(): Promise<Answer> {
    this.#next ??= this.#rest.then(() => {
      this.#next = null
      const startedMs = performance.now()
      const answer = this.#render()
      const rest = () =>
        pause(Math.min((performance.now() - startedMs) * PAUSE_TIMES, MAX_PAUSE_MS))
      this.#rest = answer.then(rest, rest)
      return answer
    })
    return this.#next
  }

  async #render(): Promise<Answer> {
    // One buffer, which all responses share.
    const body = Buffer.from(await this.#registry.metrics())
    return { status: 200, type: this.#registry.contentType, body }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string | Buffer
}

async function health(path: string, readiness: () => Promise<Readiness>): Promise<Answer> {
  const { ready, checks } =
    path === '/healthz' ? { ready: true, checks: { process: 'up' } } : await readiness()
  const body = JSON.stringify({ status: ready ? 'ok' : 'unavailable', checks }) + '\n'
  return { status: ready ? 200 : 503, type: 'application/json', body }
}
