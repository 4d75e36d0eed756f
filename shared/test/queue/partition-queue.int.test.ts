import { Queue } from 'bullmq'
import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { encodeChunk } from '../../src/queue/chunk.js'
import { partitionKeys, queueName } from '../../src/queue/keys.js'
import { readRedisMs } from '../../src/redis/redis-clock.js'
import { GenerationKeys } from '../../src/queue/layout.js'
import { PartitionQueue, type NewChunk } from '../../src/queue/partition-queue.js'
import { connectStepped } from '../redis/stepped-redis.js'
import { connectRedis, type RedisClient } from '../../src/redis/connect.js'

const TAG = 'APP/realtime/0/0'
const FAR = Number.MAX_SAFE_INTEGER
const ME = { claim: 'me:1', id: 'settle', after: null }
const NOW_MS = 1_800_000_000_000

function chunkOf(name: string, digests: Buffer[] = []): NewChunk {
  const element = {
    kind: 'event' as const,
    json: Buffer.from(`{"name":"${name}"}`),
    cost: 1,
    customer: 'customer',
    posted: 1 as const,
  }
  const provenance = { requestId: name, acceptedAtMs: NOW_MS }
  const payload = encodeChunk([{ provenance, elements: [element, element] }], false)
  const counts = { bytes: payload.length, user: 0, event: 2, device: 0 }
  return { payload, counts, furtherActions: 0, digests }
}

describe('a partition in Redis', () => {
  let redis: TestRedis
  let client: RedisClient
  let prefix: string
  let queue: PartitionQueue

  beforeAll(async () => {
    redis = await startRedis({ appendonly: false })
    client = connectRedis({ mode: 'single', url: redis.url }, { commandTimeoutMs: 5_000 })
    await new Promise((resolve) => client.once('ready', resolve))
  })

  beforeEach(() => {
    prefix = redis.freshPrefix()
    queue = new PartitionQueue(client, prefix, TAG)
  })

  afterAll(async () => {
    client.disconnect()
    await redis.stop()
  })

  async function names(): Promise<string[]> {
    const { chunks } = await queue.peek(0, 100, 1e9, false)
    return chunks.map(({ elements }) => elements[0]?.provenance.requestId ?? '')
  }

  function counts(): Promise<(string | null)[]> {
    return client.hmget(partitionKeys(prefix, TAG).control, 'bytes', 'event')
  }

  test('stores what BullMQ itself would store for a job, and BullMQ reads it', async () => {
    await queue.add(chunkOf('a'), NOW_MS, FAR, '0')
    const bull = new Queue(queueName(TAG), {
      prefix,
      connection: { url: redis.url, maxRetriesPerRequest: null },
    })
    try {
      await bull.add('chunk', { elements: 2 }, { timestamp: NOW_MS })
      expect(await bull.getWaitingCount()).toBe(2)
      const [theirs, ours] = await bull.getJobs(['waiting'])
      const shapeOf = async (id: string | undefined) => {
        const fields = await client.hgetall(`${partitionKeys(prefix, TAG).job}${id ?? ''}`)
        const own = new Set(['data', 'opts', 'chunk', 'counts'])
        return Object.fromEntries(Object.entries(fields).filter(([name]) => !own.has(name)))
      }
      expect(ours?.name).toBe('chunk')
      expect(ours?.timestamp).toBe(NOW_MS)
      expect(await shapeOf(ours?.id)).toEqual(await shapeOf(theirs?.id))
    } finally {
      await bull.close()
    }
  })

  test('a keyed post is stored once, for any clocks of its apis and over midnight', async () => {
    const MIDNIGHT_MS = Math.floor(NOW_MS / 86_400_000) * 86_400_000
    const stepped = await connectStepped(redis.url, `${prefix}clock`)
    const other = new PartitionQueue(stepped.client, prefix, TAG)
    const digest = Buffer.alloc(12, 7)
    const tries = [
      // The caller's clock and Redis', relative to midnight.
      { apiMs: 1, redisMs: -1 },
      { apiMs: -1, redisMs: -1 },
      { apiMs: -1, redisMs: 1 },
      { apiMs: 3 * 86_400_000, redisMs: 1 },
      // Redis' clock stepped back.
      { apiMs: 1, redisMs: -2 },
    ]
    for (const { apiMs, redisMs } of tries) {
      await stepped.setTime(MIDNIGHT_MS + redisMs)
      await other.add(chunkOf('keyed', [digest]), MIDNIGHT_MS + apiMs, FAR, '0')
    }
    expect(await names()).toEqual(['keyed'])
    stepped.client.disconnect()
  })

  test('the id of a chunk never recurs, although a failover takes the counter of ids back', async () => {
    await queue.add(chunkOf('before'), NOW_MS, FAR, '0')
    const [before = ''] = await queue.ids()
    await client.del(...(await client.keys(`${prefix}:*`)))
    await queue.add(chunkOf('after'), NOW_MS, FAR, '0')
    expect(await queue.ids()).not.toContain(before)
  })

  test('keeps chunks in the order they were added, however often they are looked at', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await queue.add(chunkOf(name), NOW_MS, FAR, '0')
    expect(await names()).toEqual(['a', 'b', 'c', 'd'])
    expect(await names()).toEqual(['a', 'b', 'c', 'd'])
    const { chunks, waiting } = await queue.peek(1, 2, 1e9, false)
    expect(chunks.map(({ elements }) => elements[0]?.provenance.requestId)).toEqual(['b', 'c'])
    expect(waiting).toBe(4)
  })

  test('a chunk after its deadline, or in a closed partition, is not stored', async () => {
    expect(await queue.add(chunkOf('late'), NOW_MS, 1, '0')).toMatchObject({ outcome: 'late' })
    await client.hset(partitionKeys(prefix, TAG).control, 'closed', 1)
    expect(await queue.add(chunkOf('closed'), NOW_MS, FAR, '0')).toMatchObject({
      outcome: 'closed',
    })
    expect(await names()).toEqual([])
  })

  test('a keyed piece is stored once, and nothing of a chunk that has one already', async () => {
    const digest = Buffer.from('0123456789ab')
    expect(await queue.add(chunkOf('a', [digest]), NOW_MS, FAR, '0')).toMatchObject({
      outcome: 'stored',
    })
    const again = await queue.add(
      chunkOf('a', [Buffer.from('other-digest'), digest]),
      NOW_MS,
      FAR,
      '0',
    )
    expect(again).toMatchObject({ outcome: 'seen', digests: [digest] })
    // For any day of the callers: an api's clock may be a day off, or just before midnight.
    for (const days of [-2, -1, 1, 2]) {
      const there = await queue.add(chunkOf('a', [digest]), NOW_MS + days * 86_400_000, FAR, '0')
      expect(there).toMatchObject({ outcome: 'seen' })
    }
    expect(await names()).toEqual(['a'])
  })

  test('a key is free again a day after it was first used, whenever its pieces were stored', async () => {
    const used = (atS: number): Buffer => {
      const digest = Buffer.from('0123456789ab....')
      digest.writeUInt32BE(atS, 12)
      return digest
    }
    const DAY_S = 86_400
    const firstS = Math.floor(NOW_MS / 1000)
    const redisNowMs = await readRedisMs(client)
    const outcomes = []
    for (const atS of [firstS, firstS, firstS + DAY_S - 1, firstS + DAY_S, firstS + DAY_S]) {
      const chunk = chunkOf(String(outcomes.length), [used(atS)])
      outcomes.push((await queue.add(chunk, NOW_MS + 1_000, FAR, '0')).outcome)
      expect(await queue.hasSeen(used(atS), redisNowMs)).toBe(true)
    }
    expect(outcomes).toEqual(['stored', 'seen', 'seen', 'stored', 'seen'])
    expect(await queue.hasSeen(used(firstS + 2 * DAY_S), redisNowMs)).toBe(false)
    expect(await names()).toEqual(['0', '3'])
  })

  test('settling removes what is finished, marks what is not, and may be repeated', async () => {
    for (const name of ['a', 'b']) await queue.add(chunkOf(name), NOW_MS, FAR, '0')
    await queue.claim('', 'me:1', FAR)
    const { chunks } = await queue.peek(0, 10, 1e9, false)
    const [a, b] = chunks
    const done = Buffer.from([0b01])
    const partly = [{ id: b?.id ?? '', done, counts: { bytes: 10, user: 0, event: 1, device: 0 } }]
    for (let i = 0; i < 3; i += 1) {
      expect(await queue.settle(ME, [a?.id ?? ''], partly, 0)).toEqual({
        outcome: 'settled',
        waiting: 1,
      })
      expect(await counts()).toEqual(['10', '1'])
    }
    const left = await queue.peek(0, 10, 1e9, false)
    expect(left.chunks.map(({ id }) => id)).toEqual([b?.id])
    expect(left.chunks[0]?.done).toEqual(done)
  })

  test('a settle that Redis executes late takes back nothing of a newer one', async () => {
    await queue.add(chunkOf('a'), NOW_MS, FAR, '0')
    await queue.claim('', 'me:1', FAR)
    const [a] = (await queue.peek(0, 10, 1e9, false)).chunks
    const settled = (bitmap: number, event: number) => [
      {
        id: a?.id ?? '',
        done: Buffer.from([bitmap]),
        counts: { bytes: 10, user: 0, event, device: 0 },
      },
    ]
    await queue.settle(ME, [], settled(0b01, 1), 0)
    await queue.settle(ME, [], settled(0b11, 0), 0)
    await queue.settle(ME, [], settled(0b01, 1), 0)
    expect((await queue.peek(0, 10, 1e9, false)).chunks[0]?.done).toEqual(Buffer.from([0b11]))
    expect(await counts()).toEqual(['10', '0'])
  })

  test('under a new claim nothing is settled if Redis lost an earlier settle', async () => {
    for (const name of ['a', 'b']) await queue.add(chunkOf(name), NOW_MS, FAR, '0')
    expect(await queue.claim('', 'me:1', FAR)).toMatchObject({ lastSettle: '' })
    const [a, b] = (await queue.peek(0, 10, 1e9, false)).chunks.map(({ id }) => id)
    await queue.settle({ claim: 'me:1', id: 'first', after: null }, [a ?? ''], [], 0)
    expect(await queue.claim('me:1', 'me:2', FAR)).toMatchObject({ lastSettle: 'first' })
    const settle = (after: string) =>
      queue.settle({ claim: 'me:2', id: 'second', after }, [b ?? ''], [], 0)
    expect(await settle('lost')).toEqual({ outcome: 'forgotten' })
    expect(await names()).toEqual(['b'])
    // The second time its reply was lost.
    for (let i = 0; i < 2; i += 1) {
      expect(await settle('first')).toEqual({ outcome: 'settled', waiting: 0 })
    }
  })

  test('a claim that Redis executes late is refused, so that no claim stands that no one serves', async () => {
    expect(await queue.claim('', 'me:1', 1)).toMatchObject({ claimed: false, owner: '' })
    expect(await queue.owner()).toBe('')
  })

  test('a generation is drained when no attempt with its elements may be processed any more', async () => {
    await queue.claim('', 'me:1', FAR)
    const keys = new GenerationKeys(client, prefix, 'APP', {
      generation: 0,
      partitions: 1,
      mode: 'live',
    })
    expect(await keys.isDrained(await readRedisMs(client))).toBe(true)
    await queue.settle(ME, [], [], 5_000)
    expect(await keys.isDrained(await readRedisMs(client))).toBe(false)
    expect(await keys.isDrained((await readRedisMs(client)) + 5_001)).toBe(true)
  })

  test('only the owner settles, and ownership changes hands once', async () => {
    await queue.add(chunkOf('a'), NOW_MS, FAR, '0')
    const { chunks } = await queue.peek(0, 10, 1e9, false)
    const ids = chunks.map(({ id }) => id)
    expect(await queue.claim('', 'one:1', FAR)).toMatchObject({ claimed: true, owner: 'one:1' })
    expect(await queue.claim('', 'two:1', FAR)).toMatchObject({ claimed: false, owner: 'one:1' })
    expect(await queue.claim('one:1', 'two:1', FAR)).toMatchObject({
      claimed: true,
      owner: 'two:1',
    })
    expect(await queue.settle({ ...ME, claim: 'one:1' }, ids, [], 0)).toEqual({ outcome: 'fenced' })
    expect(await names()).toEqual(['a'])
    expect(await queue.release('one:1')).toBe(false)
    expect(await queue.release('two:1')).toBe(true)
    expect(await queue.owner()).toBe('')
  })

  test('an add wakes the workers when nothing waited, or when the owner asked for it', async () => {
    const subscriber = connectRedis({ mode: 'single', url: redis.url }, { commandTimeoutMs: 5_000 })
    await new Promise((resolve) => subscriber.once('ready', resolve))
    const heard: string[] = []
    subscriber.on('message', (_channel: string, message: string) => heard.push(message))
    try {
      await subscriber.subscribe(`${prefix}:{deployment}:wake`)
      await queue.add(chunkOf('a'), NOW_MS, FAR, '0')
      await queue.add(chunkOf('b'), NOW_MS, FAR, '0')
      await queue.claim('', 'me:1', FAR)
      await queue.peek(0, 10, 1e9, true)
      await queue.add(chunkOf('c'), NOW_MS, FAR, '0')
      await queue.add(chunkOf('d'), NOW_MS, FAR, '0')
      await client.publish(`${prefix}:{deployment}:wake`, 'end')
      await new Promise<void>((resolve) => {
        const look = (): void => {
          if (heard.includes('end')) resolve()
          else setImmediate(look)
        }
        look()
      })
      expect(heard).toEqual([`wake ${TAG} `, `wake ${TAG} me:1`, 'end'])
    } finally {
      subscriber.disconnect()
    }
  })
})
