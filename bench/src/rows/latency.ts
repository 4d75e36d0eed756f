import { createServer, request, Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AddressInfo } from 'node:net'
import { systemClock } from '@relay/shared/clock.js'
import { APP_ID } from '../contenders/names.js'
import { POST_HEADERS, relayEnvironment, Stage, startIntake } from '../contenders/start.js'
import { quantile } from '../measure/statistics.js'
import { atMost, of, type BenchOptions, type Row, type Sample } from './row.js'

const MOENGAGE_MS = 20
const LINGER_MS = 100
/** Half of 20,000 events a minute. */
const EVENTS_PER_SECOND = 20_000 / 60 / 2

/** Answers after a while, and notes when each element came. */
async function startListener(stage: Stage, arrived: (id: string, atMs: number) => void) {
  const server = createServer((incoming, response) => {
    const parts: Buffer[] = []
    incoming.on('data', (part: Buffer) => parts.push(part))
    incoming.on('end', () => {
      const atMs = systemClock.monotonicMs()
      const body = JSON.parse(Buffer.concat(parts).toString('utf8')) as {
        elements: { customer_id: string }[]
      }
      for (const { customer_id: id } of body.elements) arrived(id, atMs)
      setTimeout(() => response.end('{"status":"success"}'), MOENGAGE_MS)
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  stage.onEnd(() => {
    server.closeAllConnections()
    return new Promise((closed) => server.close(closed))
  })
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
}

function event(id: string): string {
  const attributes = { product: 'P-1', price: 19.9, currency: 'EUR', position: 3, in_stock: true }
  const current_time = new Date(systemClock.nowMs()).toISOString()
  const actions = [{ action: 'Product Viewed', attributes, platform: 'web', current_time }]
  return JSON.stringify({ type: 'event', customer_id: id, actions })
}

const agent = new Agent({ keepAlive: true })

function post(port: number, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const path = `/v1/event/${APP_ID}`
    const options = { port, path, host: '127.0.0.1', method: 'POST', headers: POST_HEADERS, agent }
    const sent = request(options, (response) => {
      response.resume()
      response.on('end', () => {
        if (response.statusCode === 200) resolve()
        else reject(new Error(`a post was answered ${String(response.statusCode)}`))
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

async function measure({ quick }: BenchOptions): Promise<Sample[]> {
  return Stage.run(async (stage) => {
    const acceptedAtMs = new Map<string, number>()
    const arrivedAtMs = new Map<string, number>()
    const redis = await stage.redis()
    const url = await startListener(stage, (id, atMs) => arrivedAtMs.set(id, atMs))
    const env = {
      ...relayEnvironment(redis.url, url),
      MOENGAGE_EVENTS_PER_MINUTE: '20000',
      MOENGAGE_USERS_PER_MINUTE: '5000',
      RELAY_LINGER_MS: String(LINGER_MS),
    }
    const { target } = await startIntake(stage, 'relay', redis.url, env)
    await stage.service('worker', env)
    const count = Math.round(EVENTS_PER_SECOND * (quick ? 2 : 20))
    const warmUp = Math.round(EVENTS_PER_SECOND * (quick ? 1 : 5))
    const startedMs = systemClock.monotonicMs()
    const posts: Promise<void>[] = []
    for (let i = 0; i < warmUp + count; i++) {
      const dueMs = startedMs + (i * 1000) / EVENTS_PER_SECOND
      await sleep(Math.max(0, dueMs - systemClock.monotonicMs()))
      const id = `customer-${String(i)}`
      const accepted = () => acceptedAtMs.set(id, systemClock.monotonicMs())
      posts.push(post(target.port, event(id)).then(accepted).then())
    }
    await Promise.all(posts)
    await sleep(1_000)
    const ids = [...acceptedAtMs.keys()].slice(warmUp)
    const waits = ids.map((id) =>
      Math.max(0, (arrivedAtMs.get(id) ?? Infinity) - (acceptedAtMs.get(id) ?? 0)),
    )
    const values = {
      'p50 ms': quantile(waits, 0.5),
      'p99 ms': quantile(waits, 0.99),
      'most ms': Math.max(...waits),
      elements: waits.length,
    }
    return [{ contender: 'relay', values }]
  })
}

export const LATENCY: Row = {
  name: 'latency',
  title:
    'Accepted → at MoEngage, at half the budget of events, posts of 1, MoEngage answers in 20 ms',
  columns: [
    { name: 'p50 ms', digits: 0 },
    { name: 'p99 ms', digits: 0 },
    { name: 'most ms', digits: 0 },
    { name: 'elements', digits: 0 },
  ],
  targets: [
    {
      what: 'p50',
      wanted: `≤ 20 ms + linger (${String(LINGER_MS)} ms)`,
      digits: 0,
      measured: (m) => of(m, 'relay', 'p50 ms'),
      isMet: atMost(MOENGAGE_MS + LINGER_MS),
    },
    {
      what: 'p99',
      wanted: '≤ 250 ms',
      digits: 0,
      measured: (m) => of(m, 'relay', 'p99 ms'),
      isMet: atMost(250),
    },
  ],
  measure,
}
