import type { TestRedis } from '@relay/test/support/redis/test-redis.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import type { Claim } from '../../src/accept/ports.js'
import { RedisIdempotency } from '../../src/guard/redis-idempotency.js'
import { redisForTests } from '../admin/operations.js'

const DAY_MS = 86_400_000
const bodyHash = Buffer.alloc(32, 1)
const use = { producer: 'shop', appId: 'APP', key: 'k', bodyHash }
const form = 'event lenient 0123456789abcdef'

describe('what a key was used for', () => {
  let redis: TestRedis
  let client: RedisClient
  let keys: RedisIdempotency
  beforeAll(async () => {
    ;({ redis, client } = await redisForTests())
  })
  beforeEach(() => {
    keys = new RedisIdempotency(client, redis.freshPrefix(), () => 1e9)
  })
  afterAll(async () => {
    client.disconnect()
    await redis.stop()
  })

  const claim = async (nowMs: number) =>
    (await keys.claim({ ...use, requestId: 'id', nowMs })) as Claim

  it('is recalled without claiming it', async () => {
    const nowMs = Date.now()
    expect(await keys.recall({ ...use, nowMs })).toBeNull()
    const claimed = await claim(nowMs)
    expect(claimed.state).toBe('new')
    expect(await keys.recall({ ...use, nowMs })).toBeNull()
    await keys.complete(claimed, form)
    expect(await keys.recall({ ...use, nowMs })).toEqual({
      state: 'replay',
      first: { requestId: 'id', acceptedAtMs: nowMs, form },
    })
    const other = { ...use, bodyHash: Buffer.alloc(32, 2), nowMs }
    expect(await keys.recall(other)).toEqual({ state: 'mismatch' })
    expect(await keys.recall({ ...other, producer: 'crm' })).toBeNull()
    expect(await keys.recall({ ...other, appId: 'OTHER' })).toBeNull()
  })

  it('is recalled over midnight, and for a day', async () => {
    const nowMs = Date.now()
    await keys.complete(await claim(nowMs), form)
    const nextDayMs = (Math.floor(nowMs / DAY_MS) + 1) * DAY_MS
    expect(await keys.recall({ ...use, nowMs: nextDayMs })).toMatchObject({ state: 'replay' })
    expect(await keys.recall({ ...use, nowMs: nowMs + DAY_MS + 60_000 })).toBeNull()
  })

  it('is not known while Redis is away', async () => {
    const nowhere = { mode: 'single', url: 'redis://127.0.0.1:1' } as const
    const away = connectRedis(nowhere, { commandTimeoutMs: 100 })
    const unreachable = new RedisIdempotency(away, 'relay', () => 1e9)
    const recalled = await unreachable.recall({ ...use, nowMs: Date.now() })
    expect(recalled).toEqual({ state: 'unavailable' })
    away.disconnect()
  })
})
