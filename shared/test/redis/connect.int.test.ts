import { startProxy, type TcpProxy } from '@relay/test/support/proxy/tcp-proxy.js'
import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { connectRedis, type RedisClient } from '../../src/redis/connect.js'

const COMMAND_TIMEOUT_MS = 150

let redis: TestRedis
let proxy: TcpProxy
let client: RedisClient

beforeAll(async () => {
  redis = await startRedis()
})

beforeEach(async () => {
  proxy = await startProxy({ port: Number(new URL(redis.url).port) })
  const url = `redis://127.0.0.1:${proxy.port}`
  client = connectRedis({ mode: 'single', url }, { commandTimeoutMs: COMMAND_TIMEOUT_MS })
  await waitFor(() => client.status === 'ready', { what: 'the connection' })
})

afterEach(async () => {
  client.disconnect()
  await proxy.stop()
})

afterAll(async () => {
  await redis.stop()
})

test('a connection whose other end is gone without a word is replaced', async () => {
  proxy.halfOpen('target')
  await expect(client.ping()).rejects.toThrow()
  await waitFor(async () => (await client.ping().catch(() => '')) === 'PONG', {
    what: 'an answer over a new connection',
  })
})

test('a connection without anything to ask stays, however long it is silent', async () => {
  await client.ping()
  const { connections } = proxy
  let closed = 0
  client.on('close', () => (closed += 1))
  // Two whole timeouts of silence, timed by a command on another connection.
  const other = connectRedis({ mode: 'single', url: redis.url }, { commandTimeoutMs: 5_000 })
  await waitFor(() => other.status === 'ready', { what: 'the other connection' })
  await other.blpop('nothing', (COMMAND_TIMEOUT_MS * 4) / 1000)
  other.disconnect()
  expect(await client.ping()).toBe('PONG')
  expect({ connections: proxy.connections, closed }).toEqual({ connections, closed: 0 })
})

test('a new connection asks nothing by itself: no one would hear of the failure', async () => {
  await client.subscribe('news')
  let closed = false
  client.once('close', () => (closed = true))
  proxy.cut()
  await waitFor(() => closed && client.status === 'ready', { what: 'the next connection' })
  // Answers at all: a connection that subscribes cannot be asked for anything else.
  expect(await client.pubsub('NUMSUB', 'news')).toEqual(['news', 0])
})
