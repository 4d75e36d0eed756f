import { startProxy, type TcpProxy } from '@relay/test/support/proxy/tcp-proxy.js'
import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { LayoutStore, GenerationKeys } from '@relay/shared/queue/layout.js'
import { workspaceKeys } from '@relay/shared/queue/keys.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import { Partitioning } from '../../src/ownership/partitioning.js'

let redis: TestRedis
let proxy: TcpProxy
let client: RedisClient
let prefix: string

beforeAll(async () => {
  redis = await startRedis()
})

beforeEach(async () => {
  prefix = redis.freshPrefix()
  proxy = await startProxy({ port: redis.port })
  const url = `redis://127.0.0.1:${proxy.port}`
  client = connectRedis({ mode: 'single', url }, { commandTimeoutMs: 1_000 })
  await waitFor(() => client.status === 'ready', { what: 'the connection' })
})

afterEach(async () => {
  client.disconnect()
  await proxy.stop()
})

afterAll(async () => {
  await redis.stop()
})

const storeOf = (wanted: number) =>
  new LayoutStore(client, prefix, { partitions: wanted, mode: () => 'live' })

const partitioning = (partitions: number, layouts = storeOf(partitions)) =>
  new Partitioning({
    ...{ appId: 'P', layouts },
    keysOf: (generation) => new GenerationKeys(client, prefix, 'P', generation),
    redisNowMs: () => 0,
    onChange: () => undefined,
  })

const partitions = async () => (await storeOf(1).get('P')).partitions

test('a number of partitions counts although Redis was away when the worker started', async () => {
  expect((await storeOf(4).get('P')).partitions).toBe(4)
  const worker = partitioning(3)
  proxy.refuse()
  proxy.cut()
  await waitFor(() => client.status !== 'ready', { what: 'Redis to be away' })
  await worker.plan()
  proxy.heal()
  const isApplied = async () => (await partitions().catch(() => 0)) === 3
  await waitFor(isApplied, { what: 'three partitions' })
  worker.stop()
})

test('after Redis lost a change of partitions nothing is served before it was made again', async () => {
  await storeOf(4).get('P')
  const worker = partitioning(3)
  await worker.plan()
  const changed = { appId: 'P', lane: 'realtime', generation: 1, index: 0 } as const
  expect(worker.mayServe(changed)).toBe(true)
  const { layout } = workspaceKeys(prefix, 'P')
  await client.del(layout)
  await client.hset(layout, { generation: 0, partitions: 4, mode: 'live' })
  const again = worker.distrust()
  expect(worker.mayServe(changed)).toBe(false)
  await again
  expect(await partitions()).toBe(3)
  expect(worker.mayServe(changed)).toBe(true)
  worker.stop()
})

test.each(['distrust', 'plan'] as const)(
  '%s: an older answer does not count as a layout submitted since',
  async (again) => {
    const store = storeOf(3)
    const layout = await store.get('P')
    let answerFormer: () => void = () => undefined
    const former = new Promise<typeof layout>((resolve) => (answerFormer = () => resolve(layout)))
    let submitted = 0
    store.plan = () => {
      submitted += 1
      return submitted === 1 ? former : Promise.reject(new Error('Redis is away'))
    }
    const worker = partitioning(3, store)
    const first = worker.plan()
    await worker[again]()
    answerFormer()
    await first
    await waitFor(() => submitted >= 3, { what: 'the layout to be submitted again' })
    worker.stop()
  },
)
