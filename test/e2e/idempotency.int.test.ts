import { waitFor } from '@relay/tools/wait-for.js'
import { workspaceKeys } from '@relay/shared/queue/keys.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import { APP_ID, Relay } from '../support/relay.js'
import { numberedUser } from '../support/shop.js'

const CUSTOMERS = 60
const DAY_MS = 86_400_000
/** Answers of Redis reach the api this late: below what it waits for one. */
const LATE_MS = 400
/** The adds of one post take about half a second then. */
const SLOW_BYTES_PER_SECOND = 40_000

interface Moment {
  readonly name: string
  /** Commands reach Redis at once and answers late; or commands only little by little. */
  readonly slow: 'answers' | 'commands'
  readonly isReached: (seen: Redis) => Promise<boolean>
}

/** What lies in Redis, seen past the proxy. */
class Redis {
  readonly #client: RedisClient
  readonly #prefix: string

  constructor(client: RedisClient, prefix: string) {
    this.#client = client
    this.#prefix = prefix
  }

  /** The records of keys. */
  async claims(): Promise<string[]> {
    return (await Promise.all(this.#records().map((key) => this.#client.hvals(key)))).flat()
  }

  /** Partitions that have stored a piece of a keyed post. */
  async storedPieces(): Promise<number> {
    return (await this.#pieces()).length
  }

  /** As if no keyed post had ever come. */
  async forgetKeys(): Promise<void> {
    const keys = [...this.#records(), ...(await this.#pieces())]
    await Promise.all(keys.map((key) => this.#client.del(key)))
  }

  /** Of today and, around midnight, yesterday. */
  #records(): string[] {
    const day = Math.floor(Date.now() / DAY_MS)
    const { idempotency } = workspaceKeys(this.#prefix, APP_ID)
    return [day, day - 1].map((one) => idempotency(one))
  }

  #pieces(): Promise<string[]> {
    return this.#client.keys(`${this.#prefix}:{${APP_ID}/*:seen:*`)
  }

  close(): void {
    this.#client.disconnect()
  }
}

const MOMENTS: readonly Moment[] = [
  {
    name: 'claimed, and does not know it',
    slow: 'answers',
    isReached: async (redis) => (await redis.claims()).length > 0,
  },
  {
    name: 'some of it stored',
    slow: 'commands',
    isReached: async (redis) => (await redis.storedPieces()) > 0,
  },
  {
    name: 'stored, and does not know it',
    slow: 'answers',
    isReached: async (redis) => (await redis.storedPieces()) === 8,
  },
  {
    name: 'its answer noted, and not given',
    slow: 'answers',
    isReached: async (redis) => (await redis.claims()).some((text) => text.includes('"status"')),
  },
]

describe('a keyed post whose api is killed between claim and answer', () => {
  let relay: Relay
  let redis: Redis
  /** Elements that have to be at MoEngage by now, each once. */
  let delivered = 0

  beforeAll(async () => {
    relay = await Relay.start({ redisProxy: true })
    const client = connectRedis(
      { mode: 'single', url: relay.redis.url },
      { commandTimeoutMs: 5_000 },
    )
    await waitFor(() => client.status === 'ready', { what: 'the connection' })
    redis = new Redis(client, relay.env.RELAY_PREFIX ?? '')
  })
  beforeEach(() => redis.forgetKeys())
  afterAll(async () => {
    redis.close()
    await relay.stop()
  })

  test.each(MOMENTS)('$name: posted again it is one delivery', async (moment) => {
    const { name, slow, isReached } = moment
    // Marks and layout are known then: a keyed post is claim, adds and answer.
    expect((await relay.postElements([numberedUser('before', 0)])).status).toBe(200)
    await relay.simulator.until(({ totals }) => totals.elements > delivered)
    delivered += 1
    const names = Array.from({ length: CUSTOMERS }, (_, c) => `${name} ${c}`)
    const elements = names.map((customer, n) => numberedUser(customer, n))
    const headers = { 'Idempotency-Key': 'order-1' }
    if (slow === 'answers') relay.apiRedis?.set({ delayMs: LATE_MS }, 'down')
    else relay.apiRedis?.set({ bytesPerSecond: SLOW_BYTES_PER_SECOND }, 'up')
    const first = relay.postElements(elements, headers).then(
      ({ status }) => status,
      () => null,
    )
    await waitFor(() => isReached(redis), { what: 'the moment', everyMs: 2, timeoutMs: 10_000 })
    relay.api.kill('SIGKILL')
    // No one was told that it is stored, or there would be nothing to repeat.
    expect(await first).not.toBe(200)
    await relay.api.exited
    relay.apiRedis?.heal()
    relay.apiRedis?.cut()
    await relay.restartApi()

    const again = async () => (await relay.postElements(elements, headers)).status
    await waitFor(async () => (await again()) === 200, { what: 'a 200', everyMs: 200 })
    expect(await again()).toBe(200)
    await relay.simulator.until(({ totals }) => totals.elements >= delivered + CUSTOMERS)
    // A post that comes after it, to the same partitions, arrives after anything left of it.
    await relay.postElements(names.map((customer) => numberedUser(customer, 1_000)))
    delivered += 2 * CUSTOMERS
    await relay.simulator.until(({ totals }) => totals.elements >= delivered)
    for (const customer of names) {
      expect(relay.simulator.record.ofCustomer(APP_ID, customer)).toHaveLength(2)
    }
    expect(relay.simulator.record.totals.elements).toBe(delivered)
  })
})
