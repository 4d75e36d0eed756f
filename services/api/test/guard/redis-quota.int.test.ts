import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { parseRedisUrl } from '@relay/shared/config/redis-url.js'
import type { LaneBacklog } from '@relay/shared/queue/backlog.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import type { QuotaRequest } from '../../src/accept/ports.js'
import { RedisQuota, type BacklogView } from '../../src/guard/redis-quota.js'

describe('quotas', () => {
  let redis: TestRedis
  const clients: RedisClient[] = []
  let prefix: string

  const connect = async () => {
    const target = parseRedisUrl(redis.url)
    if (target === null) throw new Error('no Redis')
    const client = connectRedis(target, { commandTimeoutMs: 5_000 })
    clients.push(client)
    await waitFor(() => client.status === 'ready', { what: 'a connection' })
    return client
  }

  beforeAll(async () => {
    redis = await startRedis()
    await connect()
    await connect()
  })
  beforeEach(() => {
    prefix = redis.freshPrefix()
  })
  afterAll(async () => {
    for (const client of clients) client.disconnect()
    await redis.stop()
  })

  const backlog: BacklogView = { lanes: [], limitBytes: 10_000 }
  const quotaOf = (process: number, change: { windowMs?: number; view?: () => BacklogView } = {}) =>
    new RedisQuota({
      client: clients[process]!,
      prefix,
      backlog: change.view ?? (() => backlog),
      ...(change.windowMs === undefined ? {} : { windowMs: change.windowMs }),
    })
  const ask = (change: Partial<QuotaRequest>): QuotaRequest => ({
    producer: 'shop',
    appId: 'APP',
    lane: 'realtime',
    quota: { elementsPerMinute: 50 },
    elements: 1,
    bytes: 100,
    ...change,
  })

  it('grants exactly as many elements as allowed, over all processes together', async () => {
    const processes = [quotaOf(0), quotaOf(1)]
    const outcomes = await Promise.all(
      Array.from({ length: 120 }, (_, i) => processes[i % 2]!.take(ask({}))),
    )
    expect(outcomes.filter(({ granted }) => granted)).toHaveLength(50)
    const refused = outcomes.find(({ granted }) => !granted)
    expect(refused).toMatchObject({ granted: false, exceeded: '50 elements per minute' })
  })

  it('says when to come back, and grants then', async () => {
    const quota = quotaOf(0, { windowMs: 600 })
    await quota.take(ask({ elements: 50 }))
    const refused = await quota.take(ask({ elements: 1 }))
    if (refused.granted) throw new Error('granted beyond the quota')
    expect(refused.retryAfterMs).toBeGreaterThan(0)
    expect(refused.retryAfterMs).toBeLessThanOrEqual(610)
    const again = async () => (await quota.take(ask({ elements: 50 }))).granted
    await waitFor(again, { what: 'the window to move on' })
  })

  it('keeps producers and workspaces apart', async () => {
    const quota = quotaOf(0)
    await quota.take(ask({ elements: 50 }))
    expect(await quota.take(ask({ producer: 'crm', elements: 50 }))).toEqual({ granted: true })
    expect(await quota.take(ask({ appId: 'OTHER', elements: 50 }))).toEqual({ granted: true })
    expect((await quota.take(ask({ elements: 1 }))).granted).toBe(false)
  })

  it('takes nothing when it refuses, and gives back what was not stored', async () => {
    const quota = quotaOf(0)
    await quota.take(ask({ elements: 40 }))
    expect((await quota.take(ask({ elements: 11 }))).granted).toBe(false)
    expect((await quota.take(ask({ elements: 10 }))).granted).toBe(true)
    await quota.giveBack(ask({ elements: 10 }))
    expect((await quota.take(ask({ elements: 10 }))).granted).toBe(true)
  })

  it('tells a request that is larger than the quota to become smaller', async () => {
    const outcome = await quotaOf(0).take(ask({ elements: 51 }))
    expect(outcome).toMatchObject({ granted: false })
    expect(JSON.stringify(outcome)).toContain('smaller requests')
  })

  it('bounds the backlog of a producer by its share, and leaves the others theirs', async () => {
    const waits = (bytes: number, ageMs = 5_000): LaneBacklog[] => [
      {
        appId: 'APP',
        lane: 'realtime',
        bytes,
        elements: { user: 1, event: 0, device: 0 },
        furtherActions: 0,
        oldestMs: bytes === 0 ? null : Date.now() - ageMs,
      },
    ]
    let lanes: LaneBacklog[] = []
    const quota = quotaOf(0, { view: () => ({ lanes, limitBytes: 10_000 }) })
    const half = (bytes: number, producer = 'shop') =>
      quota.take(ask({ producer, quota: { backlogShare: 0.5 }, bytes }))
    expect((await half(4_000)).granted).toBe(true)
    // All that waits is at most what it posted …
    lanes = waits(9_000)
    expect((await half(1_001)).granted).toBe(false)
    expect((await half(900)).granted).toBe(true)
    // … and at most the whole backlog.
    lanes = waits(3_000)
    expect((await half(1_500)).granted).toBe(true)
    lanes = waits(9_000)
    expect((await half(1)).granted).toBe(false)
    expect((await half(4_000, 'crm')).granted).toBe(true)
    lanes = waits(0)
    expect((await half(4_900)).granted).toBe(true)
  })

  it('lets everything pass while Redis is away: the store refuses then', async () => {
    const away = connectRedis({ mode: 'single', url: 'redis://127.0.0.1:1' }, { commandTimeoutMs: 100 }) // prettier-ignore
    const quota = new RedisQuota({ client: away, prefix, backlog: () => backlog })
    expect(await quota.take(ask({}))).toEqual({ granted: true })
    await quota.giveBack(ask({}))
    away.disconnect()
  })
})
