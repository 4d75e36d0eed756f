import { fileURLToPath } from 'node:url'
import { startChild } from '@relay/tools/process/child.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import { ADMIN_TOKEN, APP_ID, Relay, send } from '../support/relay.js'
import { numberedEvent, numbersOf } from '../support/shop.js'

const CLI = fileURLToPath(new URL('../../cli/bin/relay.mjs', import.meta.url))

/** Unlike each other, or Redis' own compression would hide them from a search. */
const BOBS = ['forgotten-bob', 'unread hugo', 'lonely/zoe', 'buried+max']
const LEASE_MS = 2_000

interface Answer {
  readonly id?: string
  readonly status?: 'pending' | 'done'
}

/** Asks relay to forget a customer; resolves with every status on the way to done. */
async function forgotten(relay: Relay, customer: string): Promise<string[]> {
  const read = async (method: string, path: string, body?: object) => {
    const answer = await relay.operate(method, path, body)
    expect(answer.status).toBe(200)
    return JSON.parse(answer.body) as Answer
  }
  const first = await read('POST', 'forget', { app_id: APP_ID, customer_id: customer })
  const statuses: string[] = [first.status ?? 'done']
  await waitFor(
    async () => {
      if (statuses.at(-1) === 'done') return true
      statuses.push((await read('GET', `forget/${first.id ?? ''}`)).status ?? '')
      return false
    },
    { what: 'the end of the erasure', timeoutMs: 30_000 },
  )
  return statuses
}

describe('relay forget, for any message that a worker receives or misses', () => {
  let relay: Relay

  beforeEach(async () => {
    const env = { RELAY_PARTITIONS: '1', RELAY_LEASE_MS: String(LEASE_MS) }
    relay = await Relay.start({ workers: 0, env })
  })
  afterEach(async () => {
    await relay.stop()
  })

  const arrivedOf = (customer: string) =>
    relay.simulator.record
      .ofCustomer(APP_ID, customer)
      .flatMap(({ raw }) => numbersOf(raw.toString()))

  async function postBoth(count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      const elements = ['bob', 'ann'].map((customer) => numberedEvent(customer, n))
      expect((await relay.postElements(elements)).status).toBe(200)
    }
  }

  /** A worker that may do everything but subscribe: its subscription never stops reconnecting. */
  async function addDeafWorker(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const client = connectRedis({ mode: 'single', url: relay.redis.url }, { commandTimeoutMs: 5_000 }) // prettier-ignore
    await new Promise((resolve) => client.once('ready', resolve))
    await client.call('ACL', 'SETUSER', 'deaf', 'on', '>pw', '~*', '&*', '+@all', '-subscribe')
    client.disconnect()
    const url = new URL(relay.redis.url)
    url.username = 'deaf'
    url.password = 'pw'
    await relay.addWorker({ ...env, REDIS_URL: url.href })
  }

  test('no data is sent after done, although no message ever reaches the worker', async () => {
    await addDeafWorker()
    relay.simulator.addFault({ id: 'down', action: { kind: 'answer', row: 'server_error' } })
    await postBoth(20)
    await relay.simulator.until(({ totals }) => totals.requests >= 2)
    await forgotten(relay, 'bob')
    relay.simulator.faults.remove('down')
    await relay.simulator.until(() => arrivedOf('ann').length >= 20, 20_000)
    expect(arrivedOf('bob')).toEqual([])
  })

  test('it is pending while a request with the data is open, and done after its end', async () => {
    await addDeafWorker({ RELAY_LEASE_MS: '8000' })
    relay.simulator.addFault({ count: 1, action: { kind: 'hang', maxMs: 3_000, processed: true } })
    await postBoth(1)
    await relay.simulator.until(({ totals }) => totals.events >= 2)
    const statuses = await forgotten(relay, 'bob')
    expect(statuses[0]).toBe('pending')
    expect(arrivedOf('bob')).toEqual([0])
    // ann's element is sent again, as its answer was lost; of bob only what is posted now.
    await postBoth(1)
    await relay.simulator.until(() => arrivedOf('ann').length >= 3, 20_000)
    expect(arrivedOf('bob')).toEqual([0, 0])
  })

  test('a frozen worker keeps it pending until its lease has ended, and sends nothing when it wakes', async () => {
    await relay.addWorker()
    const [frozen] = relay.workers
    relay.simulator.addFault({ id: 'down', action: { kind: 'answer', row: 'server_error' } })
    await postBoth(20)
    await relay.simulator.until(({ totals }) => totals.requests >= 1)
    frozen?.pause()
    const statuses = await forgotten(relay, 'bob')
    expect(statuses[0]).toBe('pending')
    relay.simulator.faults.remove('down')
    await relay.addWorker()
    frozen?.resume()
    await relay.simulator.until(() => arrivedOf('ann').length >= 20, 20_000)
    expect(arrivedOf('bob')).toEqual([])
  })
})

describe('relay forget', () => {
  let relay: Relay
  let redis: RedisClient
  /** Whom `relay forget` is about, and the others; every test has its own. */
  let bob = ''
  let ann = ''
  let customers: readonly string[] = []
  let tests = 0
  /** What had arrived when the test began. */
  let before: Readonly<Record<'requests' | 'events', number>>

  beforeEach(() => {
    const others = ['carl', 'dora', 'eve', 'finn'].map((name) => `${name}-${tests}`)
    ann = `ann-${tests}`
    bob = BOBS[tests] ?? ''
    customers = [ann, bob, ...others]
    tests += 1
    before = { ...relay.simulator.record.totals }
  })
  beforeAll(async () => {
    // One partition and one worker: everybody shares chunks with bob.
    const env = { RELAY_PARTITIONS: '1', RELAY_LEASE_MS: String(LEASE_MS) }
    relay = await Relay.start({ env })
    const target = { mode: 'single', url: relay.redis.url } as const
    redis = connectRedis(target, { commandTimeoutMs: 5_000 })
    await new Promise((resolve) => redis.once('ready', resolve))
  })
  afterAll(async () => {
    redis.disconnect()
    await relay.stop()
  })

  async function operate(method: string, path: string, body?: object): Promise<unknown> {
    const answer = await relay.operate(method, path, body)
    expect(answer.status).toBe(200)
    return JSON.parse(answer.body)
  }

  const forget = (id: string) => operate('POST', 'forget', { app_id: APP_ID, customer_id: id })

  /** Posts `count` numbered events of every customer, several customers to a request. */
  async function post(from: number, count: number): Promise<void> {
    for (let n = from; n < from + count; n++) {
      const elements = customers.map((customer) => numberedEvent(customer, n))
      expect((await relay.postElements(elements)).status).toBe(200)
    }
  }

  const arrivedOf = (customer: string) =>
    relay.simulator.record
      .ofCustomer(APP_ID, customer)
      .flatMap(({ raw }) => numbersOf(raw.toString()))

  /** Whether any value in Redis holds the text. */
  async function isInRedis(text: string): Promise<boolean> {
    const keys = await redis.keys('*')
    const dumps = await Promise.all(keys.map((key) => redis.dumpBuffer(key)))
    return dumps.some((dump) => dump.includes(text))
  }

  test('erases a customer from the queues; all others are delivered, in order', async () => {
    await relay.pause()
    await post(0, 30)
    expect(await isInRedis(bob)).toBe(true)
    expect(await forget(bob)).toMatchObject({ queued: 30, dead_letters: 0 })
    expect(await isInRedis(bob)).toBe(false)
    expect(await forget(bob)).toMatchObject({ queued: 0, dead_letters: 0 })
    // Later elements are treated like those of any other customer.
    await post(30, 5)
    await relay.resume()
    await relay.simulator.until(({ totals }) => totals.events >= before.events + 5 * 35 + 5)
    for (const customer of customers) {
      const first = customer === bob ? 30 : 0
      const expected = Array.from({ length: 35 - first }, (_, i) => first + i)
      expect(arrivedOf(customer)).toEqual(expected)
    }
    await emptied()
  })

  test('a worker drops what it had read ahead, and retries nothing of it', async () => {
    relay.simulator.addFault({ id: 'down', action: { kind: 'answer', row: 'server_error' } })
    await post(0, 20)
    await relay.simulator.until(({ totals }) => totals.requests >= before.requests + 2)
    expect(await forget(bob)).toMatchObject({ queued: 20 })
    relay.simulator.faults.remove('down')
    await relay.simulator.until(({ totals }) => totals.events >= before.events + 5 * 20, 20_000)
    await emptied()
    expect(arrivedOf(bob)).toEqual([])
    expect(arrivedOf(ann)).toEqual(Array.from({ length: 20 }, (_, i) => i))
  })

  test('a partition with nothing but that customer is empty afterwards', async () => {
    await relay.pause()
    for (let n = 0; n < 10; n++) await relay.postElements([numberedEvent(bob, n)])
    expect(await forget(bob)).toMatchObject({ queued: 10 })
    await relay.resume()
    await emptied()
    await relay.postElements([numberedEvent(bob, 10)])
    await relay.simulator.until(({ totals }) => totals.events > before.events)
    expect(arrivedOf(bob)).toEqual([10])
  })

  test('erases dead letters, is traced, and is audited under another name', async () => {
    const rule = { path: 'customer_id', equals: bob }
    relay.simulator.addFault({ when: rule, action: { kind: 'refuse' } })
    const answer = await relay.postElements(customers.map((customer) => numberedEvent(customer, 1)))
    const { request_id: id } = JSON.parse(answer.body) as { request_id: string }
    await waitFor(async () => (await relay.deadLetters()).length === 1, {
      what: 'the dead letter',
    })
    const child = await startChild({
      name: 'relay forget',
      entry: CLI,
      args: ['forget', '--app-id', APP_ID, '--customer-id', bob, '--yes'],
      env: { RELAY_ADMIN_URL: relay.opsUrl, RELAY_ADMIN_TOKEN: ADMIN_TOKEN },
    })
    expect((await child.exited).code).toBe(0)
    expect(child.lastLines().join('\n')).toContain('0 queued elements and 1 dead letter erased')
    expect(await relay.deadLetters()).toEqual([])
    expect(await isInRedis(bob)).toBe(false)
    expect(await operate('GET', `requests/${id}`)).toMatchObject({ counts: { purged: 1 } })
    const audit = (await operate('GET', 'audit')) as {
      actions: readonly { readonly dead_letters?: number }[]
    }
    const actions = audit.actions.filter(({ dead_letters }) => dead_letters === 1)
    expect(actions).toEqual([
      expect.objectContaining({ action: 'forget', appId: APP_ID, dead_letters: 1, queued: 0 }),
    ])
    expect(actions[0]).toMatchObject({
      customer: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
    })
    expect(JSON.stringify([relay.api.logs(), actions])).not.toContain(bob)
  })

  /** Until relay reports an empty backlog: every element is accounted for. */
  async function emptied(): Promise<void> {
    const backlog = async () => {
      const text = (await send(`${relay.opsUrl}/metrics`, 'GET', '', {})).body
      const lines = text.split('\n').filter((line) => line.startsWith('relay_backlog_'))
      return lines.filter((line) => !line.includes('limit') && !line.endsWith(' 0'))
    }
    await waitFor(async () => (await backlog()).length === 0, {
      what: 'an empty backlog',
      timeoutMs: 20_000,
    })
  }
})
