import type http from 'node:http'
import type { Clock } from '@relay/shared/clock.js'
import type { Answer, BulkRequest, NewSender, Sender, Withheld } from './answer.js'
import { openConnections } from './connections.js'
import { Exchange, type Destination } from './exchange.js'

export interface HttpSenderOptions {
  /** Origin (and path, if any) without trailing slash. */
  readonly baseUrl: string
  readonly appId: string
  /** Secret. */
  readonly apiKey: string
  readonly forwardedFor?: string | undefined
  /** Of relay, for `User-Agent`. */
  readonly version: string
  /** Maximum attempts in flight; each uses one connection. */
  readonly maxSockets: number
  readonly clock: Clock
  /** Trust only these certificates (PEM). Without it: the system's and NODE_EXTRA_CA_CERTS. */
  readonly ca?: string | null
}

/** Connections per workspace: at most one request per partition and lane is in flight. */
const MAX_SOCKETS = 64
/** A shorter key would be found in honest words; no real one is. */
const REDACTED_FROM = 8

/**
 * Speaks HTTP/1.1 to one workspace of MoEngage. Certificates are always verified; redirects are
 * answers like any other and never followed, because they would carry the credentials away.
 */
export class HttpSender implements Sender {
  readonly #destination: Destination
  readonly #agent: http.Agent
  readonly #clock: Clock
  readonly #maxSockets: number
  readonly #underWay = new Set<Exchange>()
  /** The API key as it travels and as it is. */
  readonly #secrets: readonly string[]
  #closed = false

  constructor(options: HttpSenderOptions) {
    const { baseUrl, appId, apiKey, version, maxSockets, clock, ca, forwardedFor } = options
    const url = new URL(`${baseUrl}/v1/transition/${encodeURIComponent(appId)}`)
    this.#agent = openConnections({ url, maxSockets, ca: ca ?? null, clock })
    this.#clock = clock
    this.#maxSockets = maxSockets
    const credentials = Buffer.from(`${appId}:${apiKey}`, 'utf8').toString('base64')
    this.#secrets = [credentials, apiKey].filter(({ length }) => length >= REDACTED_FROM)
    this.#destination = {
      url,
      agent: this.#agent,
      headers: {
        Authorization: `Basic ${credentials}`,
        'MOE-APPKEY': appId,
        'Content-Type': 'application/json',
        'User-Agent': `relay/${version}`,
        ...(forwardedFor === undefined ? {} : { 'X-Forwarded-For': forwardedFor }),
      },
    }
  }

  async attempt(request: BulkRequest): Promise<Answer> {
    const why = this.#refusalOf(request)
    if (why !== null) return { kind: 'not_sent', why, timings: { connectMs: null, totalMs: 0 } }
    const destination = {
      ...this.#destination,
      url: urlOf(this.#destination.url, request.projectCode),
    }
    const exchange = new Exchange(destination, request, this.#clock)
    this.#underWay.add(exchange)
    try {
      return this.#withoutKey(await exchange.run())
    } finally {
      this.#underWay.delete(exchange)
    }
  }

  /** A proxy's error page may quote the request's headers; nothing behind this gets to see them. */
  #withoutKey(answer: Answer): Answer {
    if (answer.kind !== 'response') return answer
    const body = this.#secrets.reduce((text, secret) => text.replaceAll(secret, '…'), answer.body)
    return { ...answer, body }
  }

  close(): void {
    this.#closed = true
    for (const exchange of this.#underWay) exchange.stop('closed')
    this.#agent.destroy()
  }

  #refusalOf({ signal, deadlineMonotonicMs }: BulkRequest): Withheld | null {
    if (this.#closed) return 'closed'
    if (signal.aborted) return 'aborted'
    if (this.#clock.monotonicMs() >= deadlineMonotonicMs) return 'expired'
    return this.#underWay.size >= this.#maxSockets ? 'busy' : null
  }
}

/** Senders of workspaces, each over dedicated connections. */
export function httpSenders(
  common: Pick<HttpSenderOptions, 'version' | 'clock' | 'ca'>,
): NewSender {
  return ({ baseUrl, appId, apiKey, forwardedFor }) =>
    new HttpSender({ ...common, baseUrl, appId, apiKey, forwardedFor, maxSockets: MAX_SOCKETS })
}

function urlOf(url: URL, projectCode: string | undefined): URL {
  if (projectCode === undefined) return url
  const ofProject = new URL(url)
  ofProject.search = `?project_code=${encodeURIComponent(projectCode)}`
  return ofProject
}
