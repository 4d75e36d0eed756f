import { startProxy, type TcpProxy } from '@relay/test/support/proxy/tcp-proxy.js'
import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { systemClock } from '@relay/shared/clock.js'
import { Deployment } from '@relay/shared/queue/deployment.js'
import { LayoutStore } from '@relay/shared/queue/layout.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import { ADD_TIMEOUT_MS, RedisPostStore } from '../../src/enqueue/redis-post-store.js'

/** An answer of Redis is this late, ms: two of them together take longer than an add may. */
const DELAY_MS = ADD_TIMEOUT_MS * 0.6

let redis: TestRedis
let proxy: TcpProxy
let client: RedisClient

beforeAll(async () => {
  redis = await startRedis()
  proxy = await startProxy({ port: Number(new URL(redis.url).port) })
})
afterAll(async () => {
  client.disconnect()
  await proxy.stop()
  await redis.stop()
})

test('stores into an inactive partition although each answer of Redis is late', async () => {
  const url = `redis://127.0.0.1:${proxy.port}`
  client = connectRedis({ mode: 'single', url }, { commandTimeoutMs: ADD_TIMEOUT_MS })
  await new Promise((resolve) => client.once('ready', resolve))
  const prefix = redis.freshPrefix()
  const store = new RedisPostStore({
    ...{ client, prefix, clock: systemClock },
    deployment: new Deployment(client, prefix),
    layouts: new LayoutStore(client, prefix, { partitions: 1, mode: () => 'live' }),
    refusal: () => null,
    compress: () => false,
    durable: () => Promise.resolve(true),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  })
  proxy.set({ delayMs: DELAY_MS }, 'down')
  const json = Buffer.from('{"type":"customer","customer_id":"ann"}')
  const outcome = await store.store({
    ...{ appId: 'A', lane: 'realtime', requestId: '01JDBX3K5NPQRS000000000000', acceptedAtMs: 0 },
    elements: [{ kind: 'user', json, cost: 1, customer: 'customer', posted: 1 }],
    digest: undefined,
  })
  expect(outcome).toEqual({ outcome: 'stored' })
})
