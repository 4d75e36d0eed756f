import { createHash } from 'node:crypto'
import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { systemClock } from '@relay/shared/clock.js'
import { readBacklog } from '@relay/shared/queue/backlog.js'
import { Deployment } from '@relay/shared/queue/deployment.js'
import { workspaceKeys } from '@relay/shared/queue/keys.js'
import { LayoutStore } from '@relay/shared/queue/layout.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import type { Claim, ClaimOutcome } from '../../src/accept/ports.js'
import { RedisPostStore } from '../../src/enqueue/redis-post-store.js'
import { RedisIdempotency } from '../../src/guard/redis-idempotency.js'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const FORM = 'plain'
const FIRST = { requestId: 'first', form: FORM }

let redis: TestRedis
let client: RedisClient
let prefix: string
let idempotency: RedisIdempotency

beforeAll(async () => {
  redis = await startRedis()
  client = connectRedis({ mode: 'single', url: redis.url }, { commandTimeoutMs: 5_000 })
  await new Promise((resolve) => client.once('ready', resolve))
})
afterAll(async () => {
  client.disconnect()
  await redis.stop()
})
beforeEach(() => {
  prefix = redis.freshPrefix()
  idempotency = new RedisIdempotency(client, prefix, () => 1e9)
})

/** `nowMs`: by the wall clock of the api that asks. */
function claim(requestId: string, body: string, nowMs = Date.now()): Promise<ClaimOutcome> {
  const bodyHash = createHash('sha256').update(body).digest()
  const request = { producer: 'shop', appId: 'A', key: 'nightly', bodyHash, requestId, nowMs }
  return idempotency.claim(request)
}

function isClaim(outcome: ClaimOutcome): outcome is Claim {
  return outcome.state === 'new' || outcome.state === 'resumed'
}

async function claimed(requestId: string, body: string): Promise<Claim> {
  const outcome = await claim(requestId, body)
  if (!isClaim(outcome)) throw new Error(`the key is ${outcome.state}`)
  return outcome
}

/** Lets the key's first use lie so much longer ago: as if that time had passed. */
async function age(byMs: number): Promise<void> {
  const today = Math.floor(Date.now() / DAY_MS)
  for (const day of [today, today - 1]) {
    const key = workspaceKeys(prefix, 'A').idempotency(day)
    for (const field of await client.hkeysBuffer(key)) {
      if (field.length !== 12) continue
      const record = JSON.parse((await client.hget(key, field)) ?? '') as { since: number }
      await client.hset(key, field, JSON.stringify({ ...record, since: record.since - byMs }))
    }
  }
}

/** Stores one element, of which partition 0 keeps the digest; `age` does not reach that. */
async function store({ requestId, digest }: Claim): Promise<void> {
  const store = new RedisPostStore({
    client,
    prefix,
    deployment: new Deployment(client, prefix),
    layouts: new LayoutStore(client, prefix, { partitions: 1, mode: () => 'live' }),
    clock: systemClock,
    refusal: () => null,
    compress: () => false,
    durable: () => Promise.resolve(true),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  })
  const json = Buffer.from('{"type":"customer","customer_id":"ann","attributes":{"a":1}}')
  const element = { kind: 'user', json, cost: 1, customer: 'customer', posted: 1 } as const
  const post = { appId: 'A', lane: 'realtime', requestId, acceptedAtMs: 0, digest } as const
  expect(await store.store({ ...post, elements: [element] })).toEqual({ outcome: 'stored' })
}

async function waiting(): Promise<number> {
  const lanes = await readBacklog(client, prefix, ['A'])
  return lanes.reduce((sum, lane) => sum + lane.elements.user, 0)
}

describe('an Idempotency-Key', () => {
  it('gives the first answer for a day', async () => {
    await idempotency.complete(await claimed('first', 'body'), FORM)
    await age(DAY_MS - HOUR_MS)
    expect(await claim('second', 'body')).toMatchObject({ state: 'replay', first: FIRST })
    expect(await claim('third', 'other body')).toEqual({ state: 'mismatch' })
  })

  it('is free after a day: what is posted with it then is stored, and stored once', async () => {
    const first = await claimed('first', 'body')
    await store(first)
    await idempotency.complete(first, FORM)
    await age(DAY_MS + HOUR_MS)
    // The digest of the first use is still there: it was kept a day at least, by its day.
    const second = await claimed('second', 'other body')
    expect(second).toMatchObject({ state: 'new', requestId: 'second' })
    // As the first was used a day and an hour ago, its digest says so.
    await ageDigests(DAY_MS + HOUR_MS)
    await store(second)
    expect(await waiting()).toBe(2)
    await idempotency.release(second, 'unknown')
    const again = await claimed('third', 'other body')
    expect(again).toMatchObject({ state: 'resumed', requestId: 'second' })
    await store(again)
    expect(await waiting()).toBe(2)
  })

  it.each([HOUR_MS, DAY_MS / 2, -HOUR_MS, -DAY_MS / 2])(
    'is known to an api whose clock is %d ms off',
    async (offMs) => {
      const beforeMidnightMs = Math.ceil(Date.now() / DAY_MS) * DAY_MS - HOUR_MS / 2
      const first = await claim('first', 'body', beforeMidnightMs)
      if (!isClaim(first)) throw new Error(`the key is ${first.state}`)
      await idempotency.complete(first, FORM)
      for (const atMs of [beforeMidnightMs, beforeMidnightMs + HOUR_MS]) {
        expect(await claim('second', 'body', atMs + offMs)).toMatchObject({
          state: 'replay',
          first: FIRST,
        })
      }
    },
  )
})

describe('what a key leaves in Redis', () => {
  const keysLeft = () => client.keys(`${prefix}:*`)

  it('is nothing when nothing of the post was stored', async () => {
    await idempotency.release(await claimed('first', 'body'), 'refused')
    expect(await keysLeft()).toEqual([])
  })

  it('stays when the post was answered, although a late call reports that nothing was stored', async () => {
    const first = await claimed('first', 'body')
    await idempotency.complete(first, FORM)
    await idempotency.release(first, 'refused')
    expect(await claim('second', 'body')).toMatchObject({ state: 'replay', first: FIRST })
  })

  it('stays when an earlier try may have stored something', async () => {
    await idempotency.release(await claimed('first', 'body'), 'unknown')
    await idempotency.release(await claimed('second', 'body'), 'refused')
    expect(await claimed('third', 'body')).toMatchObject({ state: 'resumed', requestId: 'first' })
  })

  it('is bounded per producer: then further keys are refused, and known ones are not', async () => {
    idempotency = new RedisIdempotency(client, prefix, () => 700)
    const use = (producer: string, key: string) =>
      idempotency.claim({ producer, appId: 'A', key, bodyHash: Buffer.alloc(32), requestId: key, nowMs: Date.now() }) // prettier-ignore
    const states = []
    for (const key of ['a', 'b', 'c']) states.push((await use('shop', key)).state)
    expect(states).toEqual(['new', 'new', 'full'])
    expect((await use('shop', 'a')).state).toBe('running')
    expect((await use('crm', 'c')).state).toBe('new')
    const first = (await use('crm', 'd')) as Claim
    expect((await use('crm', 'e')).state).toBe('full')
    await idempotency.release(first, 'refused')
    expect((await use('crm', 'e')).state).toBe('new')
  })
})

/** What partition 0 noted of a key's first use is as old as `age` makes the record. */
async function ageDigests(byMs: number): Promise<void> {
  for (const key of await client.keys(`${prefix}:{A/realtime/0/0}:seen:*`)) {
    for (const digest of await client.hkeysBuffer(key)) {
      const usedAt = (await client.hgetBuffer(key, digest)) ?? Buffer.alloc(4)
      usedAt.writeUInt32BE(usedAt.readUInt32BE(0) - byMs / 1000, 0)
      await client.hset(key, digest, usedAt)
    }
  }
}
