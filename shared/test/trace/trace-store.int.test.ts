import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { connectRedis, type RedisClient } from '../../src/redis/connect.js'
import { createRequestId } from '../../src/request-id.js'
import { seededRandom } from '../../src/seeded-random.js'
import { bulkNames, listOf } from '../../src/trace/trace-entry.js'
import { TraceStore } from '../../src/trace/trace-store.js'

const random = seededRandom(7)
const T0 = 1_760_000_040_000
const MINUTE_MS = 60_000
const id = (atMs: number, tag = 1): string => createRequestId(atMs, 5, tag, random)
const one = (requestId: string) => [{ requestId, elements: 1 }]

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

it('a request is listed with those of its producer and its minute of acceptance', () => {
  for (const atMs of [0, T0, T0 + 59_999, 2 ** 48 - 1]) {
    for (const producerTag of [0, 1, 0x1234, 0xffff]) {
      const minute = Math.floor(atMs / MINUTE_MS)
      expect(listOf(id(atMs, producerTag))).toEqual({ producerTag, minute })
    }
  }
})

it('finds each request in every bulk request that carried some of it, with its count', async () => {
  const traces = new TraceStore(client, redis.freshPrefix(), 1e6)
  const [a, b, c] = [id(T0), id(T0 + 5), id(T0 + 2 * MINUTE_MS)]
  const shares = [a, b, a, c, a].map((requestId) => ({ requestId, elements: 1 }))
  await traces.note('APP', 'sent', shares, 'bulk-1', T0 + 100)
  await traces.note('APP', 'sent', [{ requestId: a, elements: 2 }], 'bulk-2', T0 + 200)
  await traces.note('APP', 'purged', one(b), '', T0 + 300)
  expect(await traces.find('APP', a)).toEqual([
    { event: 'sent', atMs: T0 + 100, bulkId: 'bulk-1', elements: 3 },
    { event: 'sent', atMs: T0 + 200, bulkId: 'bulk-2', elements: 2 },
  ])
  expect(await traces.find('APP', b)).toEqual([
    { event: 'sent', atMs: T0 + 100, bulkId: 'bulk-1', elements: 1 },
    { event: 'purged', atMs: T0 + 300, bulkId: '', elements: 1 },
  ])
  expect((await traces.find('APP', c))?.length).toBe(1)
  expect(await traces.find('APP', id(T0))).toEqual([])
})

it("keeps MoEngage's name of a bulk request, as a single word of bounded length", async () => {
  const traces = new TraceStore(client, redis.freshPrefix(), 1e6)
  const a = id(T0)
  await traces.note('APP', 'sent', one(a), bulkNames('bulk-1', 'oWvxnUuo'), T0)
  await traces.note('APP', 'sent', one(a), bulkNames('bulk-2', null), T0)
  await traces.note('APP', 'sent', one(a), bulkNames('bulk-3', `a b\n${'x'.repeat(500)}`), T0)
  expect(await traces.find('APP', a)).toEqual([
    { event: 'sent', atMs: T0, bulkId: 'bulk-1', elements: 1, vendorRequestId: 'oWvxnUuo' },
    { event: 'sent', atMs: T0, bulkId: 'bulk-2', elements: 1 },
    { event: 'sent', atMs: T0, bulkId: 'bulk-3', elements: 1, vendorRequestId: `a?b?${'x'.repeat(124)}` },
  ]) // prettier-ignore
})

it('notes together what a worker sent, as if each had been noted by itself', async () => {
  const traces = new TraceStore(client, redis.freshPrefix(), 1e6)
  const [a, b] = [id(T0), id(T0 + 5 * MINUTE_MS)]
  traces.sent('APP', [...one(a), ...one(b)], 'bulk-1', T0 + 100)
  traces.sent('APP', one(a), 'bulk-2', T0 + 200)
  traces.shadowed('OTHER', one(b), T0 + 300)
  await traces.flush()
  expect(await traces.find('APP', a)).toEqual([
    { event: 'sent', atMs: T0 + 100, bulkId: 'bulk-1', elements: 1 },
    { event: 'sent', atMs: T0 + 200, bulkId: 'bulk-2', elements: 1 },
  ])
  expect((await traces.find('APP', b))?.map(({ bulkId }) => bulkId)).toEqual(['bulk-1'])
  expect((await traces.find('OTHER', b))?.map(({ event }) => event)).toEqual(['shadowed'])
})

it('keeps within its bytes by dropping the oldest minutes, and knows that it did', async () => {
  const prefix = redis.freshPrefix()
  const traces = new TraceStore(client, prefix, 400)
  const ids = Array.from({ length: 30 }, (_, n) => id(T0 + n * MINUTE_MS))
  for (const requestId of ids) await traces.note('APP', 'sent', one(requestId), 'bulk', T0)
  const found = await Promise.all(ids.map((requestId) => traces.find('APP', requestId)))
  const kept = found.filter((trace) => trace !== null).length
  expect(kept).toBeGreaterThan(8)
  expect(kept).toBeLessThan(14)
  expect(found.slice(0, 30 - kept)).toEqual(Array.from({ length: 30 - kept }, () => null))
  expect((await client.keys(`${prefix}*`)).length).toBe(kept + 3)
})

it('a request is unknown when its minute alone exceeded the bytes', async () => {
  const traces = new TraceStore(client, redis.freshPrefix(), 400)
  const ids = Array.from({ length: 30 }, (_, n) => id(T0 + n))
  for (const requestId of ids) await traces.note('APP', 'sent', one(requestId), 'bulk', T0)
  expect(await traces.find('APP', ids[0] ?? '')).toBeNull()
  expect(await traces.find('APP', ids[29] ?? '')).toHaveLength(1)
})

it('drops those of the producer with most bytes: the others keep theirs', async () => {
  const prefix = redis.freshPrefix()
  const traces = new TraceStore(client, prefix, 400)
  const quiet = id(T0, 2)
  await traces.note('APP', 'sent', one(quiet), 'bulk', T0)
  const loud = Array.from({ length: 30 }, (_, n) => id(T0 + n * MINUTE_MS, 1))
  for (const requestId of loud) await traces.note('APP', 'sent', one(requestId), 'bulk', T0)
  expect(await traces.find('APP', quiet)).toHaveLength(1)
  expect(await traces.find('APP', loud[0] ?? '')).toBeNull()
  expect(await client.zcard(`${prefix}:{APP}:trace:producers`)).toBe(2)
  expect(Number(await client.hget(`${prefix}:{APP}:trace:kept`, 'bytes'))).toBeLessThanOrEqual(400)
})

it('keeps within its bytes although the minutes of a silent producer have run out', async () => {
  const prefix = redis.freshPrefix()
  const traces = new TraceStore(client, prefix, 400)
  for (let n = 0; n < 10; n++) await traces.note('APP', 'sent', one(id(T0 + n, 2)), 'bulk', T0)
  await client.del(`${prefix}:{APP}:trace:2`, `${prefix}:{APP}:trace:2:${T0 / MINUTE_MS}`)
  for (let n = 0; n < 9; n++) await traces.note('APP', 'sent', one(id(T0 + n, 1)), 'bulk', T0)
  expect(await traces.find('APP', id(T0, 1))).toEqual([])
  expect(await client.zrange(`${prefix}:{APP}:trace:producers`, '0', '-1')).toEqual(['1'])
})

it('accounts for lists that have run out', async () => {
  const prefix = redis.freshPrefix()
  const traces = new TraceStore(client, prefix, 1e6)
  await traces.note('APP', 'sent', one(id(T0)), 'bulk', T0)
  const before = await client.hget(`${prefix}:{APP}:trace:kept`, 'bytes')
  await client.del(`${prefix}:{APP}:trace:1:${T0 / MINUTE_MS}`)
  await traces.note('APP', 'sent', one(id(T0 + MINUTE_MS)), 'bulk', T0)
  expect(await client.hget(`${prefix}:{APP}:trace:kept`, 'bytes')).toBe(before)
})

it('with no bytes allowed notes nothing', async () => {
  const prefix = redis.freshPrefix()
  await new TraceStore(client, prefix, 0).note('APP', 'sent', one(id(T0)), 'bulk', T0)
  expect(await client.keys(`${prefix}*`)).toEqual([])
})

it('lists run out a day after their last entry', async () => {
  const prefix = redis.freshPrefix()
  await new TraceStore(client, prefix, 1e6).note('APP', 'sent', one(id(T0)), 'bulk', T0)
  const ttl = await client.ttl(`${prefix}:{APP}:trace:1:${T0 / MINUTE_MS}`)
  expect(ttl).toBeGreaterThan(86_000)
  expect(ttl).toBeLessThanOrEqual(86_400)
})
