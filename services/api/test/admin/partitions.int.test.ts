import type { TestRedis } from '@relay/test/support/redis/test-redis.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'
import {
  deploymentKeys,
  partitionKeys,
  partitionTag,
  workspaceKeys,
} from '@relay/shared/queue/keys.js'
import { MAX_PARTITIONS } from '../../src/admin/views.js'
import { waitingPost } from '../support/waiting-post.js'
import { Operations, redisForTests } from './operations.js'

let redis: TestRedis
let client: RedisClient
let o: Operations

beforeAll(async () => {
  ;({ redis, client } = await redisForTests())
})
beforeEach(async () => {
  o = await new Operations(client, redis.freshPrefix()).start()
})
afterEach(async () => {
  await o.stop()
})
afterAll(async () => {
  client.disconnect()
  await redis.stop()
})

interface Shown {
  readonly total: number
  readonly partitions: readonly {
    readonly app_id: string
    readonly partition: number
    readonly chunks: number
    readonly elements: Readonly<Record<string, number>>
    readonly oldest_age_seconds: number | null
    readonly owner: string | null
  }[]
}

async function shown(): Promise<Shown> {
  return (await o.ask('GET', '/admin/partitions')).body as Shown
}

it('nothing is shown without the token', async () => {
  const { status } = await o.ask('GET', '/admin/partitions', undefined, { authorization: '' })
  expect(status).toBe(401)
})

it('partitions that hold elements, how many and since when, and nothing of whom', async () => {
  expect(await shown()).toEqual({ total: 0, partitions: [] })
  await o.store.store(waitingPost('APP', ['nobody-may-see-this', 'another', 'nobody-may-see-this']))
  const { text } = await o.ask('GET', '/admin/partitions')
  expect(text).not.toMatch(/nobody-may-see|another|Viewed/)
  const { total, partitions } = await shown()
  expect(total).toBe(partitions.length)
  expect(partitions.every(({ app_id, chunks }) => app_id === 'APP' && chunks === 1)).toBe(true)
  expect(partitions.reduce((sum, { elements }) => sum + (elements.event ?? 0), 0)).toBe(3)
  expect(partitions.every(({ oldest_age_seconds: age }) => age !== null && age < 60)).toBe(true)
})

it('the owner is a worker whose lease is valid; a claim of a dead worker is none', async () => {
  await o.store.store(waitingPost('APP', ['ada']))
  const [one] = (await shown()).partitions
  expect(one!.owner).toBeNull()
  const at = { appId: 'APP', lane: 'realtime', generation: 0, index: one!.partition } as const
  await client.hset(partitionKeys(o.prefix, partitionTag(at)).control, 'owner', 'worker-a:1')
  expect((await shown()).partitions[0]!.owner).toBeNull()
  const { sessions } = deploymentKeys(o.prefix)
  await client.zadd(sessions, Date.now() + 60_000, 'worker-a')
  expect((await shown()).partitions[0]!.owner).toBe('worker-a')
  await client.zadd(sessions, Date.now() - 60_000, 'worker-a')
  expect((await shown()).partitions[0]!.owner).toBeNull()
})

it('the fullest of very many, in order, and how many there are', async () => {
  const most = MAX_PARTITIONS
  const layout = { generation: '0', partitions: String(most + 20) }
  await o.store.store(waitingPost('APP', ['ada']))
  const { layout: key } = workspaceKeys(o.prefix, 'APP')
  await client.hset(key, layout)
  for (let index = 0; index < most + 20; index++) {
    const tag = partitionTag({ appId: 'APP', lane: 'backfill', generation: 0, index })
    const ids = Array.from({ length: index + 2 }, (_, n) => String(n))
    await client.rpush(partitionKeys(o.prefix, tag).wait, ...ids)
  }
  const { total, partitions } = await shown()
  expect(total).toBe(most + 21)
  expect(partitions.map(({ partition }) => partition)).toEqual(
    Array.from({ length: most }, (_, i) => i + 20),
  )
})
