import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import type { WorkspaceMode } from '../../src/config/workspace.js'
import { LayoutStore } from '../../src/queue/layout.js'
import { connectRedis, type RedisClient } from '../../src/redis/connect.js'

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

it('generations that were closed one after the other are drained one after the other', async () => {
  const prefix = redis.freshPrefix()
  const at = (partitions: number, mode: WorkspaceMode) =>
    new LayoutStore(client, prefix, { partitions, mode: () => mode })
  expect(await at(4, 'live').get('A')).toMatchObject({ generation: 0, mode: 'live', draining: [] })
  // The same again changes nothing.
  expect(await at(4, 'live').plan('A')).toMatchObject({ next: null })
  expect(await at(4, 'shadow').plan('A')).toMatchObject({ generation: 0, next: 4 })
  expect(await at(4, 'shadow').flip('A', 0)).toMatchObject({ generation: 1, mode: 'shadow' })
  // Back before the first is empty, and with other partitions at that.
  await at(6, 'live').plan('A')
  const first = { generation: 0, partitions: 4, mode: 'live' }
  const second = { generation: 1, partitions: 4, mode: 'shadow' }
  expect(await at(6, 'live').flip('A', 1)).toEqual({
    ...{ generation: 2, partitions: 6, mode: 'live', next: null },
    draining: [first, second],
    previous: [
      { generation: 0, partitions: 4 },
      { generation: 1, partitions: 4 },
    ],
  })
  // Late repetitions change nothing.
  expect(await at(6, 'live').flip('A', 1)).toMatchObject({ generation: 2 })
  expect((await at(6, 'live').drained('A', 1)).draining).toEqual([first, second])
  expect((await at(6, 'live').drained('A', 0)).draining).toEqual([second])
  expect((await at(6, 'live').drained('A', 0)).draining).toEqual([second])
  expect((await at(6, 'live').drained('A', 1)).draining).toEqual([])
})

it('a layout of a relay that knew no shadow is live', async () => {
  const prefix = redis.freshPrefix()
  await client.hset(`${prefix}:{A}:layout`, { generation: 3, partitions: 8, draining: '2:4' })
  const store = new LayoutStore(client, prefix, { partitions: 8, mode: () => 'shadow' })
  expect(await store.get('A')).toMatchObject({
    ...{ generation: 3, mode: 'live' },
    draining: [{ generation: 2, partitions: 4, mode: 'live' }],
  })
})
