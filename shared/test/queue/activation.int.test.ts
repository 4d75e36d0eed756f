import fc from 'fast-check'
import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { encodeChunk } from '../../src/queue/chunk.js'
import { Deployment } from '../../src/queue/deployment.js'
import { deploymentKeys, partitionKeys } from '../../src/queue/keys.js'
import { PartitionQueue } from '../../src/queue/partition-queue.js'
import { connectRedis, type RedisClient } from '../../src/redis/connect.js'

const TAG = 'APP/realtime/0/0'
const FAR = Number.MAX_SAFE_INTEGER
const NOW_MS = 1_800_000_000_000

/** One step of the calls that an api, or a worker that finds the partition empty, makes in turn. */
type Step = () => Promise<void>

describe('a partition that holds chunks is in the active set', () => {
  let redis: TestRedis
  let client: RedisClient
  let prefix: string

  beforeAll(async () => {
    redis = await startRedis({ appendonly: false })
    client = connectRedis({ mode: 'single', url: redis.url }, { commandTimeoutMs: 5_000 })
    await new Promise((resolve) => client.once('ready', resolve))
  })

  afterAll(async () => {
    client.disconnect()
    await redis.stop()
  })

  function payload(): Buffer {
    const json = Buffer.from('{"type":"event"}')
    const element = { kind: 'event', json, cost: 1, customer: 'customer', posted: 1 } as const
    return encodeChunk(
      [{ provenance: { requestId: 'r', acceptedAtMs: 1 }, elements: [element] }],
      false,
    )
  }

  /** An api's add: refused while inactive, then marked, then tried again, as often as need be. */
  function api(queue: PartitionQueue, deployment: Deployment): Step {
    let activation = ''
    let isMarked = true
    return async () => {
      if (!isMarked) {
        await deployment.mark([TAG])
        isMarked = true
        return
      }
      const bytes = payload()
      const counts = { bytes: bytes.length, user: 0, event: 1, device: 0 }
      const chunk = { payload: bytes, counts, furtherActions: 0, digests: [] }
      const reply = await queue.add(chunk, NOW_MS, FAR, activation)
      activation = reply.outcome === 'inactive' ? reply.activation : ''
      isMarked = reply.outcome !== 'inactive'
    }
  }

  /** A worker's pruning: reads the mark, deactivates, removes. The last call may be executed late. */
  function pruner(queue: PartitionQueue, deployment: Deployment): Step {
    const { active } = deploymentKeys(prefix)
    let mark: string | null = null
    let isInactive = false
    return async () => {
      if (isInactive) {
        await deployment.prune(new Map([[TAG, Number(mark)]]), -1_000)
        isInactive = false
      } else if (mark === null) {
        mark = await client.zscore(active, TAG)
      } else {
        isInactive = await queue.deactivate()
        if (!isInactive) mark = null
      }
    }
  }

  function settler(): Step {
    const { wait } = partitionKeys(prefix, TAG)
    return async () => {
      await client.rpop(wait)
    }
  }

  test('for any order in which apis add and workers prune', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 5, maxLength: 60 }),
        async (schedule) => {
          prefix = redis.freshPrefix()
          const queue = new PartitionQueue(client, prefix, TAG)
          const deployment = new Deployment(client, prefix)
          const actors = [
            api(queue, deployment),
            api(queue, deployment),
            pruner(queue, deployment),
            pruner(queue, deployment),
            settler(),
          ]
          for (const actor of schedule) {
            await actors[actor]?.()
            const waiting = await queue.waiting()
            const isActive = (await deployment.active()).includes(TAG)
            expect({ waiting, isActive: isActive || waiting === 0 }).toEqual({
              waiting,
              isActive: true,
            })
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  test('a chunk for an inactive partition is refused, and nothing of it is stored', async () => {
    prefix = redis.freshPrefix()
    const queue = new PartitionQueue(client, prefix, TAG)
    const bytes = payload()
    const counts = { bytes: bytes.length, user: 0, event: 1, device: 0 }
    const chunk = { payload: bytes, counts, furtherActions: 0, digests: [] }
    expect(await queue.add(chunk, NOW_MS, FAR)).toMatchObject({
      outcome: 'inactive',
      activation: '0',
    })
    expect(await queue.waiting()).toBe(0)
    expect(await queue.add(chunk, NOW_MS, FAR, '0')).toMatchObject({ outcome: 'stored' })
    expect(await queue.deactivate()).toBe(false)
  })
})
