import * as http from 'node:http'
import * as https from 'node:https'
import { basicAuth, call, type Answer } from '@relay/shared/process/http-call.js'
import type { TrafficOptions } from './options.js'
import type { ShopElement } from './shop.js'

export type PostOutcome =
  | { readonly outcome: 'accepted' }
  /** An answer that trying again would not change. */
  | { readonly outcome: 'refused'; readonly status: number; readonly body: string }
  | { readonly outcome: 'unavailable'; readonly reason: string; readonly retryAfterMs: number }

const TIMEOUT_MS = 10_000
/** Pause when the other side names none. */
const DEFAULT_RETRY_MS = 1_000

/** Posts elements to relay over connections that stay open. */
export class Producer {
  readonly #options: TrafficOptions
  readonly #agent: http.Agent

  constructor(options: TrafficOptions, connections: number) {
    this.#options = options
    const { Agent } = options.url.startsWith('https:') ? https : http
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections })
  }

  /** One try; never rejects. The same key makes a second try safe. */
  post(elements: readonly ShopElement[], idempotencyKey: string): Promise<PostOutcome> {
    const { url, appId, secret, lane } = this.#options
    const headers = {
      'content-type': 'application/json',
      authorization: basicAuth(appId, secret),
      'moe-appkey': appId,
      'idempotency-key': idempotencyKey,
      'relay-lane': lane,
    }
    return call(`${url}/v1/transition/${encodeURIComponent(appId)}`, {
      ...{ method: 'POST', headers, agent: this.#agent, timeoutMs: TIMEOUT_MS },
      body: JSON.stringify({ type: 'transition', elements }),
    }).then(outcomeOf, (error: unknown) => {
      const { code, message } = error as NodeJS.ErrnoException
      const why = code ?? message
      return unavailable(
        why === 'ECONNREFUSED' ? `${why}: nothing listens at ${url}. ${NOT_THERE}` : why,
      )
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

const NOT_THERE = 'Next: start relay (npm start), or name its intake: --url http://HOST:PORT'

const unavailable = (reason: string, retryAfterMs = DEFAULT_RETRY_MS): PostOutcome => ({
  outcome: 'unavailable',
  reason,
  retryAfterMs,
})

function outcomeOf({ status, headers, body }: Answer): PostOutcome {
  if (status === 200) return { outcome: 'accepted' }
  if (status !== 429 && status < 500) return { outcome: 'refused', status, body }
  const seconds = Number(headers['retry-after'])
  const pauseMs = Number.isFinite(seconds) ? seconds * 1000 : DEFAULT_RETRY_MS
  return unavailable(`status ${status}`, pauseMs)
}
