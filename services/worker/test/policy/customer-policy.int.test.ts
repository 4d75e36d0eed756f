import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { customerKey } from '@relay/shared/identity.js'
import { CustomerCounts } from '@relay/shared/policy/customer-counts.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import { luaText } from '@relay/shared/redis/script.js'
import { seededRandom } from '@relay/shared/seeded-random.js'
import type { Batch } from '../../src/batch/body.js'
import { batchOf } from '../../src/batch/body.js'
import { Shapes } from '../../src/batch/shape.js'
import { CustomerPolicy } from '../../src/policy/customer-policy.js'
import { plainElement } from '../support/plain-element.js'
import { windowsOf } from '../support/windows.js'

const LIMITS = [
  { units: 500, windowMs: 60_000 },
  { units: 1_000, windowMs: 300_000 },
  { units: 5_000, windowMs: 3_600_000 },
  { units: 10_000, windowMs: 86_400_000 },
]
const OPEN_MS = 15_000
const START_MS = 1_800_000_000_000
const HOT = '0-0'

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

/** The policy's script on a clock of the test's. */
const CLOCK_KEY = 'test:clock'
const lua = (file: string) =>
  luaText(file).replaceAll(
    "redis.call('TIME')",
    `(function() local t = tonumber(redis.call('GET', '${CLOCK_KEY}')) return { math.floor(t / 1000), (t % 1000) * 1000 } end)()`,
  )

/** Workers that send of a hot customer as much as they may; the oracle is what arrived, and when. */
class Simulation {
  nowMs = START_MS
  /** By how much Redis' clock was set. */
  redisAheadMs = 0
  runId = 'run-1'
  readonly arrivals: { atMs: number; units: number }[] = []
  readonly held: string[] = []
  readonly random = seededRandom(11)
  readonly #prefix = redis.freshPrefix()
  #ids = 0

  newWorker(limits = LIMITS): CustomerPolicy {
    const clock = { nowMs: () => this.nowMs, monotonicMs: () => this.nowMs }
    return new CustomerPolicy({
      counts: new CustomerCounts({
        ...{ client, prefix: this.#prefix, appId: 'APP', openMs: OPEN_MS, clock, lua },
      }),
      limits: () => limits,
      ...{ clock, openMs: OPEN_MS },
      runId: () => this.runId,
      workers: () => 2,
      newId: () => `sketch-${(this.#ids += 1)}`,
      onHeld: (customer) => this.held.push(customer),
    })
  }

  /** One attempt with so many units of the hot customer, and what becomes of it. Returns what was admitted. */
  async attempt(worker: CustomerPolicy, units: number): Promise<number> {
    await client.set(CLOCK_KEY, this.nowMs + this.redisAheadMs)
    const id = `attempt-${(this.#ids += 1)}`
    const batch = batchWith(units)
    const admission = await worker.admit(id, batch)
    if (admission.outcome === 'held') return 0
    const fate = this.random.next()
    if (fate < 0.05) {
      await worker.refund(id)
      return 0
    }
    const tookMs = Math.floor(this.random.next() * (fate < 0.2 ? OPEN_MS : 2_000))
    this.arrivals.push({ atMs: this.nowMs + Math.floor(tookMs * this.random.next()), units })
    this.nowMs += tookMs
    await client.set(CLOCK_KEY, this.nowMs)
    // Without an answer it counts until it can no longer arrive.
    if (fate >= 0.2) await worker.answered(id)
    return units
  }

  /** The fullest window of each length. */
  peaks(limits = LIMITS): number[] {
    const sorted = [...this.arrivals].sort((a, b) => a.atMs - b.atMs)
    return limits.map(({ windowMs }) => {
      let sum = 0
      let from = 0
      let peak = 0
      for (const { atMs, units } of sorted) {
        sum += units
        while ((sorted[from]?.atMs ?? Infinity) <= atMs - windowMs)
          sum -= sorted[from++]?.units ?? 0
        peak = Math.max(peak, sum)
      }
      return peak
    })
  }
}

let colds = 0

/** A batch with an event of so many units of the hot customer, beside one of another. */
function batchWith(units: number, others = 1): Batch {
  const event = (customer: number, cost: number) => ({ customer, kind: 'event' as const, bytes: 20, cost }) // prettier-ignore
  const windows = windowsOf([[[event(0, units), ...Array.from({ length: others }, (_, i) => event(1 + i, 1))]]]) // prettier-ignore
  const items = windows.flatMap((window) =>
    window.chunks.flatMap((chunk) =>
      chunk.elements.map((element, index) => {
        const customer = element.customer === HOT ? customerKey('hot') : customerKey(`cold-${(colds += 1)}`) // prettier-ignore
        return { window, chunk, index, element: { ...element, customer } }
      }),
    ),
  )
  const limits = { usersPerWindow: 1e9, eventsPerWindow: 1e9, devicesPerWindow: null, maxBodyBytes: 128_000 } // prettier-ignore
  return batchOf(items, limits, null)
}

test("no window of a customer is exceeded at arrival, for any retries, lanes, restarts, answers and steps of Redis' clock", async () => {
  const simulation = new Simulation()
  let workers = [simulation.newWorker(), simulation.newWorker()]
  let admitted = 0
  for (let step = 0; step < 4_000; step += 1) {
    // Both workers have asked before, so one of them notices.
    const isStep = step % 400 === 200
    if (isStep) simulation.redisAheadMs += Math.floor((simulation.random.next() - 0.4) * 1_200_000)
    // A worker dies, and another knows nothing of the customer.
    if (step % 400 < 190 && simulation.random.next() < 0.01) {
      const dies = Math.floor(simulation.random.next() * 2)
      workers = workers.map((worker, i) => (i === dies ? simulation.newWorker() : worker))
    }
    const worker = workers[step % 2]
    if (worker === undefined) throw new Error('no worker')
    const sent = await simulation.attempt(worker, 1 + Math.floor(simulation.random.next() * 100))
    admitted += sent
    if (sent === 0) simulation.nowMs += 30_000
  }
  simulation.peaks().forEach((peak, i) => expect(peak).toBeLessThanOrEqual(LIMITS[i]?.units ?? 0))
  // And of the scarcest window most is used: the day's limit, over the days that it took.
  const days = (simulation.nowMs - START_MS) / 86_400_000
  expect(days).toBeGreaterThan(1)
  expect(admitted / (10_000 * Math.ceil(days))).toBeGreaterThan(0.6)
}, 60_000)

test('holds back one customer and no other, and reports it once', async () => {
  const simulation = new Simulation()
  const worker = simulation.newWorker()
  await client.set(CLOCK_KEY, simulation.nowMs)
  expect((await worker.admit('a', batchWith(400))).outcome).toBe('admitted')
  const refused = await worker.admit('b', batchWith(400))
  expect(refused).toEqual({ outcome: 'held', customers: new Set([customerKey('hot')]) })
  expect([...(worker.allowances() ?? [])].map(([customer]) => customer)).toEqual([customerKey('hot')]) // prettier-ignore
  await worker.admit('c', batchWith(400))
  expect(simulation.held).toEqual([customerKey('hot')])
  simulation.nowMs += 61_000
  expect(worker.allowances()?.size).toBe(0)
})

test('a worker that has seen nothing of a customer knows what others sent', async () => {
  const simulation = new Simulation()
  await client.set(CLOCK_KEY, simulation.nowMs)
  expect((await simulation.newWorker().admit('a', batchWith(400))).outcome).toBe('admitted')
  expect((await simulation.newWorker().admit('b', batchWith(400))).outcome).toBe('held')
})

test('what a new run of Redis has forgotten of the last minutes is entered again', async () => {
  const simulation = new Simulation()
  const worker = simulation.newWorker()
  await client.set(CLOCK_KEY, simulation.nowMs)
  expect((await worker.admit('a', batchWith(400))).outcome).toBe('admitted')
  const keys = await client.keys('*customer*')
  await client.del(...keys)
  simulation.runId = 'run-2'
  expect((await worker.admit('b', batchWith(400))).outcome).toBe('held')
})

test('events of one customer that share an element are not taken for one that cannot be divided', async () => {
  const worker = new Simulation().newWorker()
  await client.set(CLOCK_KEY, START_MS)
  const events = Array.from({ length: 6 }, () => ({ customer: 0, kind: 'event' as const, bytes: 20, cost: 100 })) // prettier-ignore
  const items = windowsOf([[events]]).flatMap((window) =>
    window.chunks.flatMap((chunk) =>
      chunk.elements.map((element, index) => {
        const json = Buffer.from(`{"type":"event","customer_id":"hot","actions":[{"action":"${index}"}]}`) // prettier-ignore
        const own = plainElement({ ...element, json, customer: customerKey('one') })
        return { window, chunk, index, element: own }
      }),
    ),
  )
  const limits = { usersPerWindow: 1e9, eventsPerWindow: 1e9, devicesPerWindow: null, maxBodyBytes: 128_000 } // prettier-ignore
  const batch = batchOf(items, limits, new Shapes([]))
  expect(batch.runs).toHaveLength(1)
  expect((await worker.admit('a', batch)).outcome).toBe('held')
})

test('ordinary customers leave nothing in Redis', async () => {
  const simulation = new Simulation()
  const worker = simulation.newWorker()
  const before = await client.keys('*:customer:*')
  for (let i = 0; i < 50; i += 1) await worker.admit(`a${i}`, batchWith(1, 100))
  expect(await client.keys('*:customer:*')).toHaveLength(before.length + 1)
})

test('nothing is counted, and Redis not asked, when the limits are off', async () => {
  const worker = new Simulation().newWorker([])
  expect(await worker.admit('a', batchWith(1_000_000))).toEqual({ outcome: 'admitted' })
})
