import { Agent, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { urlOf } from '@relay/test/support/service.js'
import { call } from '@relay/shared/process/http-call.js'
import { systemClock } from '@relay/shared/clock.js'
import { APP_ID } from '../contenders/names.js'
import { POST_HEADERS, type Stage } from '../contenders/start.js'

/** MoEngage's answer comes after so long, ms. */
const MOENGAGE_MS = 20

/** Single events at a steady rate, each known by its customer, and when MoEngage has them. */
export class Trickle {
  readonly url: string
  readonly #arrivedAtMs: Map<string, number>
  readonly #acceptedAtMs: { readonly id: string; readonly atMs: number }[] = []
  readonly #agent = new Agent({ keepAlive: true })

  private constructor(url: string, arrivedAtMs: Map<string, number>) {
    this.url = url
    this.#arrivedAtMs = arrivedAtMs
  }

  /** Begins to listen as MoEngage. */
  static async start(stage: Stage): Promise<Trickle> {
    const arrived = new Map<string, number>()
    const url = await startListener(stage, (id, atMs) => {
      if (!arrived.has(id)) arrived.set(id, atMs)
    })
    const trickle = new Trickle(url, arrived)
    stage.onEnd(() => {
      trickle.#agent.destroy()
      return Promise.resolve()
    })
    return trickle
  }

  /** Posts `count` events to the api, one by one; resolves once all are accepted. */
  async post(port: number, count: number, perSecond: number): Promise<void> {
    const startedMs = systemClock.monotonicMs()
    const posts: Promise<void>[] = []
    for (let i = 0; i < count; i++) {
      const dueMs = startedMs + (i * 1000) / perSecond
      await sleep(Math.max(0, dueMs - systemClock.monotonicMs()))
      posts.push(this.#postOne(port))
    }
    await Promise.all(posts)
  }

  /** How long each event accepted from `sinceMs` on took to MoEngage, ms; those that are not there: Infinity. */
  waitsMs(sinceMs = -Infinity): number[] {
    return this.#acceptedAtMs
      .filter(({ atMs }) => atMs >= sinceMs)
      .map(({ id, atMs }) => Math.max(0, (this.#arrivedAtMs.get(id) ?? Infinity) - atMs))
  }

  async #postOne(port: number): Promise<void> {
    const id = `customer-${this.#acceptedAtMs.length}-${systemClock.monotonicMs()}`
    const { status } = await call(`${urlOf(port)}/v1/event/${APP_ID}`, {
      ...{ method: 'POST', headers: POST_HEADERS, agent: this.#agent, body: event(id) },
    })
    if (status !== 200) throw new Error(`a post was answered ${status}`)
    this.#acceptedAtMs.push({ id, atMs: systemClock.monotonicMs() })
  }
}

/** Answers after a while, and notes when each element came. */
async function startListener(stage: Stage, arrived: (id: string, atMs: number) => void) {
  const server = createServer((incoming, response) => {
    void json(incoming).then((body) => {
      const atMs = systemClock.monotonicMs()
      const { elements } = body as { elements: { customer_id: string }[] }
      for (const { customer_id: id } of elements) arrived(id, atMs)
      setTimeout(() => response.end('{"status":"success"}'), MOENGAGE_MS)
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  stage.onEnd(() => {
    server.closeAllConnections()
    return new Promise((closed) => server.close(closed))
  })
  return urlOf((server.address() as AddressInfo).port)
}

function event(id: string): string {
  const attributes = { product: 'P-1', price: 19.9, currency: 'EUR', position: 3, in_stock: true }
  const current_time = new Date(systemClock.nowMs()).toISOString()
  const actions = [{ action: 'Product Viewed', attributes, platform: 'web', current_time }]
  return JSON.stringify({ type: 'event', customer_id: id, actions })
}
