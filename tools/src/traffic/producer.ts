import * as http from 'node:http'
import * as https from 'node:https'
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
  readonly #target: URL
  readonly #agent: http.Agent

  constructor(options: TrafficOptions, connections: number) {
    this.#options = options
    this.#target = new URL(`${options.url}/v1/transition/${encodeURIComponent(options.appId)}`)
    const settings = { keepAlive: true, maxSockets: connections }
    const secure = this.#target.protocol === 'https:'
    this.#agent = secure ? new https.Agent(settings) : new http.Agent(settings)
  }

  /** One try; never rejects. The same key makes a second try safe. */
  post(elements: readonly ShopElement[], idempotencyKey: string): Promise<PostOutcome> {
    const body = Buffer.from(JSON.stringify({ type: 'transition', elements }))
    const { appId, secret, lane } = this.#options
    const headers = {
      'content-type': 'application/json',
      'content-length': body.length,
      authorization: `Basic ${Buffer.from(`${appId}:${secret}`).toString('base64')}`,
      'moe-appkey': appId,
      'idempotency-key': idempotencyKey,
      'relay-lane': lane,
    }
    const request = this.#target.protocol === 'https:' ? https.request : http.request
    return new Promise((resolve) => {
      const options = { method: 'POST', headers, agent: this.#agent, timeout: TIMEOUT_MS }
      const sent = request(this.#target, options, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          resolve(outcomeOf(response, Buffer.concat(chunks).toString('utf8')))
        })
        response.on('error', (error) => {
          resolve(unavailable(error.message))
        })
      })
      sent.on('timeout', () => sent.destroy(new Error('no answer within 10 s')))
      sent.on('error', (error: NodeJS.ErrnoException) => {
        resolve(unavailable(error.code ?? error.message))
      })
      sent.end(body)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

const unavailable = (reason: string, retryAfterMs = DEFAULT_RETRY_MS): PostOutcome => ({
  outcome: 'unavailable',
  reason,
  retryAfterMs,
})

function outcomeOf({ statusCode = 0, headers }: http.IncomingMessage, body: string): PostOutcome {
  if (statusCode === 200) return { outcome: 'accepted' }
  if (statusCode !== 429 && statusCode < 500)
    return { outcome: 'refused', status: statusCode, body }
  const seconds = Number(headers['retry-after'])
  const pauseMs = Number.isFinite(seconds) ? seconds * 1000 : DEFAULT_RETRY_MS
  return unavailable(`status ${String(statusCode)}`, pauseMs)
}
