import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { systemClock } from '@relay/shared/clock.js'
import type { Element } from '@relay/shared/element.js'
import { readBacklog } from '@relay/shared/queue/backlog.js'
import { Deployment } from '@relay/shared/queue/deployment.js'
import { LayoutStore, GenerationKeys } from '@relay/shared/queue/layout.js'
import type { Post } from '@relay/shared/queue/post.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import { RedisPostStore } from '../../src/enqueue/redis-post-store.js'

let redis: TestRedis
let client: RedisClient
let prefix: string

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
})

const layouts = (partitions: number) =>
  new LayoutStore(client, prefix, { partitions, mode: () => 'live' })

/** Another api process: it has no layout in memory. */
function openStore(partitions: number): RedisPostStore {
  return new RedisPostStore({
    client,
    prefix,
    deployment: new Deployment(client, prefix),
    layouts: layouts(partitions),
    clock: systemClock,
    refusal: () => null,
    compress: () => false,
    durable: () => Promise.resolve(true),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  })
}

/** What a worker does when the number of partitions is to be another. */
async function repartition(partitions: number): Promise<void> {
  const { generation, partitions: before } = await layouts(partitions).plan('A')
  await new GenerationKeys(client, prefix, 'A', {
    generation,
    partitions: before,
    mode: 'live',
  }).close()
  await layouts(partitions).flip('A', generation)
}

const elements = Array.from({ length: 300 }, (_, i): Element => {
  const customer = Buffer.alloc(8)
  customer.writeUInt32LE(Math.imul(i % 60, 2_654_435_761) >>> 0, 0)
  const json = Buffer.from(`{"n":${i},"x":"${'x'.repeat(2_000)}"}`)
  return { kind: 'user', json, cost: 1, customer: customer.toString('latin1'), posted: 1 }
})

const post = (some: readonly Element[], key: number | null): Post => ({
  appId: 'A',
  lane: 'backfill',
  requestId: '01JDBX3K5NPQRS000000000000',
  acceptedAtMs: 0,
  elements: some,
  digest: key === null ? undefined : Buffer.alloc(12, key),
})

async function waiting(): Promise<number> {
  const lanes = await readBacklog(client, prefix, ['A'])
  return lanes.reduce((sum, lane) => sum + lane.elements.user, 0)
}

describe('a keyed post that is repeated', () => {
  it('is stored once, however often the number of partitions changed meanwhile', async () => {
    const old = openStore(4)
    expect(await old.store(post(elements, 1))).toEqual({ outcome: 'stored' })
    for (const partitions of [6, 3, 8]) {
      await repartition(partitions)
      // One that knows the layout of now, and one that has yet to hear of it.
      expect(await openStore(partitions).store(post(elements, 1))).toEqual({ outcome: 'stored' })
      expect(await old.store(post(elements, 1))).toEqual({ outcome: 'stored' })
      expect(await waiting()).toBe(300)
    }
    expect(await old.store(post(elements, 2))).toEqual({ outcome: 'stored' })
    expect(await waiting()).toBe(600)
  })

  it('is completed, when only a part of it was stored before the change', async () => {
    // A partition that is closed early refuses its part: the rest of the post is in the others.
    await layouts(4).get('A')
    await client.hset(`${prefix}:{A/backfill/0/1}:relay`, 'closed', 1)
    const first = await openStore(4).store(post(elements, 1))
    expect(first.outcome).toBe('unknown')
    const before = await waiting()
    expect(before).toBeGreaterThan(100)
    expect(before).toBeLessThan(300)
    await repartition(6)
    expect(await openStore(6).store(post(elements, 1))).toEqual({ outcome: 'stored' })
    expect(await waiting()).toBe(300)
    await repartition(5)
    expect(await openStore(5).store(post(elements, 1))).toEqual({ outcome: 'stored' })
    expect(await waiting()).toBe(300)
  })

  it('without a key is another post', async () => {
    await openStore(4).store(post(elements, null))
    await openStore(4).store(post(elements, null))
    expect(await waiting()).toBe(600)
  })
})
