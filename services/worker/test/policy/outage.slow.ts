import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { parseCustomerLimits } from '@relay/shared/config/customer-limits.js'
import { customerKey } from '@relay/shared/identity.js'
import { CustomerCounts } from '@relay/shared/policy/customer-counts.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import { luaText } from '@relay/shared/redis/script.js'
import { seededRandom } from '@relay/shared/seeded-random.js'
import { CUSTOMER_LIMITS } from '@relay/shared/vendor/limits.js'
import { pack } from '../../src/batch/pack.js'
import type { Batch } from '../../src/batch/body.js'
import { PartitionWindow } from '../../src/fetch/window.js'
import { CustomerPolicy } from '../../src/policy/customer-policy.js'
import { plainElement } from '../support/plain-element.js'

/**
 * An outage of four hours, drained in simulated time: relay's own packing and policy and a real Redis, with a
 * clock that is wound by hand; the budget, the worker's loop and the partition are modelled here.
 */
const OUTAGE_MIN = 240
const MINUTE_MS = 60_000
const START_MS = 1_800_000_000_000
const DRAIN_START_MS = START_MS + OUTAGE_MIN * MINUTE_MS
const HOT = 10
const HOT_PER_MINUTE = 300
const CUSTOMERS = 1_000_000
const OTHERS_PER_MINUTE = 1_250
const EVENTS_PER_MINUTE = 20_000
/** One request after the other, each with a round trip, ms. */
const ROUND_TRIP_MS = 100
const OPEN_MS = 15_000
const CHUNK = 200
const LIMITS = parseCustomerLimits(CUSTOMER_LIMITS) ?? []
const WORKSPACE = { usersPerWindow: 5_000, eventsPerWindow: EVENTS_PER_MINUTE, devicesPerWindow: null, maxBodyBytes: 128_000 } // prettier-ignore
const CLOCK_KEY = 'test:clock'
const lua = (file: string) =>
  luaText(file).replaceAll(
    "redis.call('TIME')",
    `(function() local t = tonumber(redis.call('GET', '${CLOCK_KEY}')) return { math.floor(t / 1000), (t % 1000) * 1000 } end)()`,
  )

let redis: TestRedis
let client: RedisClient

beforeAll(async () => {
  redis = await startRedis()
  client = connectRedis({ mode: 'single', url: redis.url }, { commandTimeoutMs: 5_000 })
  await new Promise((resolve) => client.once('ready', resolve))
})
afterAll(async () => {
  client.disconnect()
  await redis.stop()
})

const hotKeys = Array.from({ length: HOT }, (_, i) => customerKey(`hot-${i}`))
const JSON_TEXT = Buffer.from('{"type":"event","customer_id":"x","actions":[{"action":"Viewed"}]}'.padEnd(280)) // prettier-ignore

/** Who posted, minute by minute of the outage: hot customers among others. */
function* posted(): Generator<string> {
  const random = seededRandom(4)
  const perMinute = HOT * HOT_PER_MINUTE + OTHERS_PER_MINUTE
  for (let i = 0; i < OUTAGE_MIN * perMinute; i += 1) {
    const isHot = random.next() < (HOT * HOT_PER_MINUTE) / perMinute
    if (isHot) yield hotKeys[Math.floor(random.next() * HOT)] ?? ''
    else yield customerKey(`customer-${Math.floor(random.next() * CUSTOMERS)}`)
  }
}

/** The backlog in its order, loaded as it is wanted. */
class Backlog {
  readonly window: PartitionWindow
  readonly #posted = posted()
  #count = 0
  ended = false

  constructor() {
    const partition = { appId: 'APP', lane: 'realtime' as const, generation: 0, index: 0 }
    this.window = new PartitionWindow('APP/realtime/0/0', partition, 'me:1')
  }

  load(chunks: number): void {
    const loaded = []
    for (let c = 0; c < chunks && !this.ended; c += 1) {
      const elements = []
      while (elements.length < CHUNK && !this.ended) {
        const { value, done } = this.#posted.next()
        if (done === true) this.ended = true
        else {
          const provenance = { requestId: String(this.#count), acceptedAtMs: START_MS + this.#count } // prettier-ignore
          elements.push(plainElement({ kind: 'event', cost: 1, posted: 1, customer: value, json: JSON_TEXT, provenance })) // prettier-ignore
          this.#count += 1
        }
      }
      if (elements.length > 0) loaded.push({ id: String(this.#count), bytes: 1, done: Buffer.alloc(0), elements }) // prettier-ignore
    }
    this.window.load(loaded, this.window.chunks.length + loaded.length)
  }
}

interface Drained {
  /** Arrival of every ordinary element, by its place in the backlog, ms. */
  readonly others: ReadonlyMap<string, number>
  readonly hot: ReadonlyMap<string, { readonly atMs: number; readonly units: number }[]>
  /** Units sent of the budget until the last ordinary element arrived, 0..1. */
  readonly used: number
  readonly held: number
}

async function drain(limits: typeof LIMITS): Promise<Drained> {
  let nowMs = DRAIN_START_MS
  let ids = 0
  let held = 0
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs }
  const policy = new CustomerPolicy({
    counts: new CustomerCounts({ client, prefix: redis.freshPrefix(), appId: 'APP', openMs: OPEN_MS, clock, lua }), // prettier-ignore
    limits: () => limits,
    clock,
    runId: () => 'run',
    workers: () => 1,
    openMs: OPEN_MS,
    newId: () => `sketch-${(ids += 1)}`,
    onHeld: () => (held += 1),
  })
  const backlog = new Backlog()
  const others = new Map<string, number>()
  const hot = new Map(hotKeys.map((key) => [key, [] as { atMs: number; units: number }[]]))
  let sent = 0
  let lastOther = { sent: 0, atMs: nowMs }
  const affordable = { users: 0, events: 1e9, devices: 0 }
  const packed = (): Batch =>
    pack([backlog.window], {
      ...{ bodyBytes: 128_000, affordable, most: affordable, limits: WORKSPACE, shapes: null },
      ...{ allowances: policy.allowances(), mostWindows: 1, windowByWindow: false },
    })
  for (;;) {
    let batch = packed()
    while (batch.bodyBytes < 120_000 && !backlog.ended) {
      backlog.load(8)
      batch = packed()
    }
    if (batch.items.length === 0) {
      if (backlog.window.chunks.length === 0) break
      nowMs += 15_000
      await client.set(CLOCK_KEY, nowMs)
      continue
    }
    await client.set(CLOCK_KEY, nowMs)
    const id = `attempt-${(ids += 1)}`
    if ((await policy.admit(id, batch)).outcome === 'held') continue
    const arrivedMs = nowMs + ROUND_TRIP_MS / 2
    for (const { element } of batch.items) {
      const own = hot.get(element.customer)
      if (own === undefined) others.set(element.provenance.requestId, arrivedMs)
      else own.push({ atMs: arrivedMs, units: 1 })
    }
    sent += batch.cost.events
    // The budget paces what the round trip does not.
    nowMs += Math.max(ROUND_TRIP_MS, (batch.cost.events / EVENTS_PER_MINUTE) * MINUTE_MS)
    await client.set(CLOCK_KEY, nowMs)
    await policy.answered(id)
    backlog.window.settle(batch.items)
    if (batch.items.some(({ element }) => !hot.has(element.customer))) lastOther = { sent, atMs: nowMs } // prettier-ignore
  }
  const budget = ((lastOther.atMs - DRAIN_START_MS) / MINUTE_MS) * EVENTS_PER_MINUTE
  return { others, hot, used: lastOther.sent / budget, held }
}

/** The most units in any window of this length. */
function peakOf(arrivals: readonly { atMs: number; units: number }[], windowMs: number): number {
  let sum = 0
  let from = 0
  let peak = 0
  for (const { atMs, units } of arrivals) {
    sum += units
    while ((arrivals[from]?.atMs ?? Infinity) <= atMs - windowMs) sum -= arrivals[from++]?.units ?? 0 // prettier-ignore
    peak = Math.max(peak, sum)
  }
  return peak
}

test('ten hot customers of a million after four hours: no window is exceeded, and no other customer waits for it', async () => {
  const free = await drain([])
  const guarded = await drain(LIMITS)
  const peaks = LIMITS.map(({ windowMs }) => {
    return Math.max(...[...guarded.hot.values()].map((arrivals) => peakOf(arrivals, windowMs)))
  })
  const unguarded = LIMITS.map(({ windowMs }) => {
    return Math.max(...[...free.hot.values()].map((arrivals) => peakOf(arrivals, windowMs)))
  })
  const later = [...guarded.others].map(([id, atMs]) => atMs - (free.others.get(id) ?? Infinity))
  later.sort((a, b) => a - b)
  const p99Ms = later[Math.floor(later.length * 0.99)] ?? Infinity
  const count = [...guarded.hot.values()].reduce((sum, { length }) => sum + length, 0)
  const facts = { others: guarded.others.size, hot: count, held: guarded.held, used: guarded.used, p99Ms, peaks, unguarded } // prettier-ignore
  process.stdout.write(`${JSON.stringify(facts)}\n`)
  // Else the policy would have had nothing to do.
  expect(unguarded.some((peak, i) => peak > (LIMITS[i]?.units ?? 0))).toBe(true)
  peaks.forEach((peak, i) => expect(peak).toBeLessThanOrEqual(LIMITS[i]?.units ?? 0))
  expect(guarded.others.size + count).toBe(free.others.size + [...free.hot.values()].flat().length)
  expect(p99Ms).toBeLessThanOrEqual(2_000)
  expect(guarded.used).toBeGreaterThanOrEqual(0.98)
}, 600_000)
