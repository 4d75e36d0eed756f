import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { readBacklog } from '../../src/queue/backlog.js'
import { encodeChunk } from '../../src/queue/chunk.js'
import { Deployment } from '../../src/queue/deployment.js'
import { LayoutStore } from '../../src/queue/layout.js'
import { partitionKeys } from '../../src/queue/keys.js'
import { PartitionQueue } from '../../src/queue/partition-queue.js'
import { connectRedis, type RedisClient } from '../../src/redis/connect.js'

const NOW_MS = 1_800_000_000_000
const PARTITIONS = 4

describe('the backlog', () => {
  let redis: TestRedis
  let client: RedisClient
  let prefix: string

  beforeAll(async () => {
    redis = await startRedis({ appendonly: false })
    client = connectRedis({ mode: 'single', url: redis.url }, { commandTimeoutMs: 5_000 })
    await new Promise((resolve) => client.once('ready', resolve))
    prefix = redis.freshPrefix()
  })

  afterAll(async () => {
    client.disconnect()
    await redis.stop()
  })

  async function add(appId: string, partition: number, actions = 1): Promise<PartitionQueue> {
    const tag = `${appId}/backfill/0/${partition}`
    const json = Buffer.from('{"type":"event"}')
    const element = { kind: 'event', json, cost: actions, customer: 'customer', posted: 1 } as const
    const provenance = { requestId: 'r', acceptedAtMs: NOW_MS }
    const payload = encodeChunk([{ provenance, elements: [element] }], false)
    const counts = { bytes: payload.length, user: 0, event: 1, device: 0 }
    await new LayoutStore(client, prefix, { partitions: PARTITIONS, mode: () => 'live' }).get(appId)
    const added = { payload, counts, furtherActions: actions - 1, digests: [] }
    const queue = new PartitionQueue(client, prefix, tag)
    const reply = await queue.add(added, NOW_MS, Number.MAX_SAFE_INTEGER)
    if (reply.outcome === 'inactive') {
      await queue.add(added, NOW_MS, Number.MAX_SAFE_INTEGER, reply.activation)
    }
    return queue
  }

  async function scriptsRun(): Promise<number> {
    return Number(/cmdstat_evalsha:calls=(\d+)/.exec(await client.info('commandstats'))?.[1] ?? 0)
  }

  test('of one workspace is what all say of it, and asks none of the other partitions', async () => {
    const appIds = ['ONE', 'TWO', 'THREE']
    for (const appId of appIds) {
      for (let partition = 0; partition < PARTITIONS; partition += 1) await add(appId, partition)
    }
    const all = await readBacklog(client, prefix, appIds)
    expect(all.map(({ appId, elements }) => [appId, elements.event]).sort()).toEqual(
      appIds.map((appId) => [appId, PARTITIONS]).sort(),
    )
    const before = await scriptsRun()
    const one = await readBacklog(client, prefix, ['TWO'])
    expect((await scriptsRun()) - before).toBe(PARTITIONS)
    expect(one).toEqual(all.filter(({ appId }) => appId === 'TWO'))
    expect(await readBacklog(client, prefix, ['FOUR'])).toEqual([])
  })

  test('counts the actions of its events until their chunks are settled', async () => {
    const actions = async () => (await readBacklog(client, prefix, ['MANY']))[0]?.furtherActions
    await add('MANY', 0, 7_000)
    await add('MANY', 0)
    const queue = await add('MANY', 0, 3)
    await add('MANY', 1, 10)
    expect(await actions()).toBe(6_999 + 2 + 9)
    expect(await queue.claim('', 'claim', Number.MAX_SAFE_INTEGER)).toMatchObject({ claimed: true })
    const settle = async (most: number) => {
      const { chunks } = await queue.peek(0, most, 1e6, false)
      await queue.settle(
        { claim: 'claim', id: 's', after: null },
        chunks.map(({ id }) => id),
        [],
        0,
      )
    }
    await settle(1)
    expect(await actions()).toBe(2 + 9)
    await settle(2)
    expect(await actions()).toBe(9)
  })

  test('does not count actions that a former version settled', async () => {
    const queue = await add('FORMER', 0)
    const { control } = partitionKeys(prefix, 'FORMER/backfill/0/0')
    await client.hset(control, 'actions', 5)
    await queue.claim('', 'claim', Number.MAX_SAFE_INTEGER)
    const { chunks } = await queue.peek(0, 1, 1e6, false)
    await queue.settle({ claim: 'claim', id: 's', after: null }, [chunks[0]?.id ?? ''], [], 0)
    expect(await client.hexists(control, 'actions')).toBe(0)
  })

  test('counts a partition that the active set does not have', async () => {
    await add('FORGOTTEN', 3)
    expect(await new Deployment(client, prefix).active()).toEqual([])
    const [lane] = await readBacklog(client, prefix, ['FORGOTTEN'])
    expect(lane?.elements.event).toBe(1)
  })
})
