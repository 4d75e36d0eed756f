import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { Deployment } from '@relay/shared/queue/deployment.js'
import { deploymentKeys, partitionKeys, partitionTag } from '@relay/shared/queue/keys.js'
import { LayoutStore } from '@relay/shared/queue/layout.js'
import { PartitionQueue } from '@relay/shared/queue/partition-queue.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import { Reconciler } from '../../src/ownership/reconciler.js'

let redis: TestRedis
let client: RedisClient
let prefix: string
let deployment: Deployment
let found: string[]
let reconciler: Reconciler

const tagOf = (index: number) =>
  partitionTag({ appId: 'APP', lane: 'backfill', generation: 0, index })

beforeAll(async () => {
  redis = await startRedis()
  client = connectRedis({ mode: 'single', url: redis.url }, { commandTimeoutMs: 5_000 })
  await new Promise((resolve) => client.once('ready', resolve))
})

beforeEach(async () => {
  prefix = redis.freshPrefix()
  deployment = new Deployment(client, prefix)
  await new LayoutStore(client, prefix, { partitions: 4, mode: () => 'live' }).get('APP')
  found = []
  reconciler = new Reconciler({
    ...{ client, prefix, deployment },
    queueOf: (tag) => new PartitionQueue(client, prefix, tag),
    appIds: () => ['APP', 'NEVER-POSTED-TO'],
    onFound: (tags) => found.push(...tags),
  })
})

afterEach(() => reconciler.stop())

afterAll(async () => {
  client.disconnect()
  await redis.stop()
})

test('finds partitions with chunks that the active set has lost, and puts them in again', async () => {
  for (const index of [1, 3]) await client.lpush(partitionKeys(prefix, tagOf(index)).wait, 'chunk')
  await deployment.mark([tagOf(1)])
  await reconciler.look()
  expect(found).toEqual([tagOf(3)])
  expect((await deployment.active()).sort()).toEqual([tagOf(1), tagOf(3)])
  await reconciler.look()
  expect(found).toEqual([tagOf(3)])
})

test('finds nothing in health', async () => {
  await deployment.mark([tagOf(1)])
  await client.lpush(partitionKeys(prefix, tagOf(1)).wait, 'chunk')
  await reconciler.look()
  expect(found).toEqual([])
  expect(await client.zcard(deploymentKeys(prefix).active)).toBe(1)
})

test('looks no more once it is stopped', async () => {
  await reconciler.stop()
  await client.lpush(partitionKeys(prefix, tagOf(2)).wait, 'chunk')
  await reconciler.look()
  expect(found).toEqual([])
})
