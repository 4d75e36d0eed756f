import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { customerKey } from '../../src/identity.js'
import { CustomerCounts, readHeldCustomers } from '../../src/policy/customer-counts.js'
import { workspaceKeys } from '../../src/queue/keys.js'
import { connectRedis, type RedisClient } from '../../src/redis/connect.js'
import { luaText } from '../../src/redis/script.js'
import { seededRandom } from '../../src/seeded-random.js'

const LIMITS = [
  { units: 500, windowMs: 60_000 },
  { units: 2_000, windowMs: 3_600_000 },
]
const START_MS = 1_800_000_000_000
/** Refusals follow one another if the next comes within this, ms; and customers shown, at most. */
const STILL_HELD_MS = 120_000
/** Without being asked for again, ms. */
const SHOWN_MS = 120_000
const MAX_HELD = 1_000

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

/** The scripts on a clock of the test's. */
const CLOCK_KEY = 'test:clock'
const withClock = (file: string) =>
  luaText(file).replaceAll(
    "redis.call('TIME')",
    `(function() local t = tonumber(redis.call('GET', '${CLOCK_KEY}')) return { math.floor(t / 1000), (t % 1000) * 1000 } end)()`,
  )

const hex = (name: string) => Buffer.from(customerKey(name), 'latin1').toString('hex')

class Policy {
  nowMs = START_MS
  readonly #prefix = redis.freshPrefix()
  readonly keys = workspaceKeys(this.#prefix, 'APP')
  readonly #counts = new CustomerCounts({
    ...{ client, prefix: this.#prefix, appId: 'APP', openMs: 15_000, lua: withClock },
    clock: { nowMs: () => this.nowMs, monotonicMs: () => this.nowMs },
  })

  async reserve(units: Readonly<Record<string, number>>) {
    await client.set(CLOCK_KEY, this.nowMs)
    const customers = Object.entries(units).map(([name, of]) => {
      return { customer: customerKey(name), units: of, single: false }
    })
    return this.#counts.reserve(LIMITS, customers)
  }

  async settle(how: 'answer' | 'refund', name: string, units: number, untilMs: number) {
    await client.set(CLOCK_KEY, this.nowMs)
    const customer = { customer: customerKey(name), units, single: false }
    await this.#counts.settle(how, LIMITS, [customer], untilMs)
  }

  async held() {
    await client.set(CLOCK_KEY, this.nowMs)
    return readHeldCustomers(client, this.#prefix, 'APP', { lua: withClock })
  }
}

/** What is told of the customers, from the answers alone. */
class Model {
  readonly #waits = new Map<string, { sinceMs: number; untilMs: number; shownMs: number }>()

  refused(name: string, waitMs: number, nowMs: number): void {
    const before = this.#waits.get(name)
    const follows = before !== undefined && before.shownMs > nowMs - STILL_HELD_MS
    const sinceMs = follows ? before.sinceMs : nowMs
    const shownMs = nowMs + Math.min(waitMs, SHOWN_MS)
    this.#waits.set(name, { sinceMs, untilMs: nowMs + waitMs, shownMs })
  }

  held(nowMs: number) {
    return [...this.#waits]
      .filter(([, { shownMs }]) => shownMs > nowMs)
      .map(([name, { sinceMs, untilMs }]) => ({ customer: hex(name), sinceMs, untilMs }))
      .sort((a, b) => a.sinceMs - b.sinceMs || (a.customer < b.customer ? -1 : 1))
  }
}

test.each([1, 2, 3])(
  'held is who was refused last and whose wait has not passed, also after repeated, late and settled calls: seed %s',
  async (seed) => {
    const [policy, model, random] = [new Policy(), new Model(), seededRandom(seed)]
    const names = ['ann', 'bob', 'cleo']
    const upTo = (n: number) => Math.floor(random.next() * n)
    const open: { name: string; units: number; untilMs: number }[] = []
    let refusals = 0
    let ends = 0
    let calls: Record<string, number>[] = []
    for (let step = 0; step < 400; step += 1) {
      policy.nowMs += upTo(random.next() < 0.1 ? 900_000 : 20_000)
      const done = open[upTo(open.length + 2)]
      if (done !== undefined) {
        open.splice(open.indexOf(done), 1)
        await policy.settle(random.next() < 0.5 ? 'answer' : 'refund', done.name, done.units, done.untilMs) // prettier-ignore
      }
      const given = Object.fromEntries(names.slice(upTo(3)).map((name) => [name, 1 + upTo(200)]))
      // Now and then an earlier call again: repeated, late, or after a newer one.
      const units = random.next() < 0.2 ? (calls[upTo(calls.length)] ?? given) : given
      calls = [...calls.slice(-9), units]
      const counted = await policy.reserve(units)
      if (counted.outcome === 'granted') {
        for (const [name, of] of Object.entries(units)) {
          open.push({ name, units: of, untilMs: counted.untilMs })
        }
      } else {
        for (const { customer, waitMs } of counted.refused) {
          model.refused(names.find((n) => customerKey(n) === customer) ?? '', waitMs, policy.nowMs)
        }
        refusals += 1
      }
      if (random.next() < 0.3) policy.nowMs += upTo(90_000)
      const expected = model.held(policy.nowMs)
      if (refusals > 0 && expected.length === 0) ends += 1
      expect(await policy.held()).toEqual({ count: expected.length, longest: expected })
    }
    // Both happened, often.
    expect(refusals).toBeGreaterThan(40)
    expect(ends).toBeGreaterThan(10)
  },
  60_000,
)

test('a customer that is refused and granted in turns is held since the first refusal', async () => {
  const policy = new Policy()
  await policy.reserve({ hot: 500 })
  for (let minute = 0; minute < 4; minute += 1) {
    const refused = await policy.reserve({ hot: 500 })
    if (refused.outcome === 'granted') throw new Error('more than the limit was granted')
    const { longest } = await policy.held()
    expect(longest).toMatchObject([{ customer: hex('hot'), sinceMs: START_MS }])
    policy.nowMs += refused.refused[0]?.waitMs ?? 0
    expect((await policy.held()).count).toBe(0)
    if (minute < 3) expect((await policy.reserve({ hot: 500 })).outcome).toBe('granted')
  }
})

test('a customer for which no worker asks any more is not held, however long its wait', async () => {
  const policy = new Policy()
  for (let part = 0; part < 4; part += 1) {
    expect((await policy.reserve({ hot: 500 })).outcome).toBe('granted')
    policy.nowMs += 120_000
  }
  expect((await policy.reserve({ hot: 100 })).outcome).toBe('refused')
  const { longest } = await policy.held()
  expect(longest[0]?.untilMs).toBeGreaterThan(policy.nowMs + 1_800_000)
  policy.nowMs += SHOWN_MS
  expect((await policy.held()).count).toBe(0)
  // A worker was late: it waits still, since the same moment.
  await policy.reserve({ hot: 100 })
  expect((await policy.held()).longest[0]?.sinceMs).toBe(longest[0]?.sinceMs)
})

test('a refusal that is executed after room was made is none', async () => {
  const policy = new Policy()
  const first = await policy.reserve({ hot: 500 })
  if (first.outcome !== 'granted') throw new Error('the first was refused')
  await policy.settle('refund', 'hot', 500, first.untilMs)
  expect((await policy.reserve({ hot: 400 })).outcome).toBe('granted')
  expect((await policy.held()).count).toBe(0)
})

test('the sets are bounded and expire; those that wait shortest are left out', async () => {
  const policy = new Policy()
  const names = Array.from({ length: MAX_HELD + 50 }, (_, i) => `c${i}`)
  for (let i = 0; i < names.length; i += 50) {
    policy.nowMs += 1
    const units = Object.fromEntries(names.slice(i, i + 50).map((name) => [name, 501]))
    expect((await policy.reserve(units)).outcome).toBe('refused')
  }
  const { count, longest } = await policy.held()
  expect(count).toBe(MAX_HELD)
  expect(longest).toHaveLength(10)
  const { customersHeld, customersHeldTimes } = policy.keys
  expect(await client.zcard(customersHeld)).toBe(MAX_HELD)
  expect(await client.hlen(customersHeldTimes)).toBe(MAX_HELD)
  for (const key of [customersHeld, customersHeldTimes]) {
    expect(await client.pttl(key)).toBeGreaterThan(3_600_000)
  }
})
