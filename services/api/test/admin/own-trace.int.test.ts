import type { TestRedis } from '@relay/test/support/redis/test-redis.js'
import type { LaneBacklog } from '@relay/shared/queue/backlog.js'
import { systemClock } from '@relay/shared/clock.js'
import { systemRandom } from '@relay/shared/random.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'
import { createRequestId, MAX_COUNTED_ELEMENTS, producerTag } from '@relay/shared/request-id.js'
import { traceOwnRequest, stateOf } from '../../src/admin/request-trace.js'
import { letter, Operations, redisForTests } from './operations.js'

describe('a producer’s own request', () => {
  let redis: TestRedis
  let client: RedisClient
  let o: Operations
  let lanes: readonly LaneBacklog[] | null
  beforeAll(async () => {
    ;({ redis, client } = await redisForTests())
  })
  beforeEach(() => {
    lanes = null
    o = new Operations(client, redis.freshPrefix())
  })
  afterAll(async () => {
    client.disconnect()
    await redis.stop()
  })

  const newId = (atMs = Date.now()) => createRequestId(atMs, 2, producerTag('shop'), systemRandom)
  const trace = async (requestId: string, producer = 'shop', appId = 'APP') => {
    const parts = { traces: o.traces, letters: o.letters, clock: systemClock, lanes: () => lanes }
    const appIds = ['APP', 'OTHER']
    const found = await traceOwnRequest(parts, { requestId, producer, appId, appIds })
    return found === null ? null : stateOf(found)
  }
  const send = (requestId: string, appId: string) =>
    o.traces.note(appId, 'sent', [{ requestId, elements: 2 }], 'bulk', Date.now())

  it('waits until something of it is known', async () =>
    expect(await trace(newId())).toBe('queued'))

  it('is unknown when it neither waits nor is noted: Redis lost it', async () => {
    const old = newId(Date.now() - 60_000)
    const waiting: LaneBacklog = {
      ...{ appId: 'APP', lane: 'realtime', bytes: 1, furtherActions: 0 },
      ...{ elements: { user: 1, event: 0, device: 0 }, oldestMs: Date.now() },
    }
    expect(await trace(old)).toBe('queued')
    lanes = [waiting]
    expect(await trace(old)).toBe('queued')
    lanes = [{ ...waiting, oldestMs: null }]
    expect(await trace(old)).toBe('unknown')
    // What was just sent is noted within seconds.
    expect(await trace(newId())).toBe('queued')
    await send(old, 'APP')
    expect(await trace(old)).toBe('sent')
  })

  it('of an import is unknown: how many elements it stored is not kept', async () => {
    const id = createRequestId(Date.now(), MAX_COUNTED_ELEMENTS, producerTag('shop'), systemRandom)
    expect(await trace(id)).toBe('unknown')
    await send(id, 'APP')
    expect(await trace(id)).toBe('unknown')
  })

  it('is sent if MoEngage took all of it, also what an erasure took from the queue meanwhile', async () => {
    const id = newId()
    await send(id, 'APP')
    await o.traces.note('APP', 'purged', [{ requestId: id, elements: 1 }], '', Date.now())
    expect(await trace(id)).toBe('sent')
  })

  it.each(['APP', 'OTHER'])(
    'is found as whichever workspace it asks: sent in %s',
    async (appId) => {
      const id = newId()
      await send(id, appId)
      expect([await trace(id), await trace(id, 'shop', 'OTHER')]).toEqual(['sent', 'sent'])
    },
  )

  it('is found among the dead letters, too', async () => {
    const id = newId()
    await o.letters.add([letter(1, 'ada', { requestId: id }), letter(2, 'ada', { requestId: id })])
    expect(await trace(id, 'shop', 'OTHER')).toBe('dead_lettered')
  })

  it('is unknown when no request was answered with that id', async () => {
    const id = newId()
    const madeUp = id.slice(0, -1) + (id.endsWith('0') ? '1' : '0')
    expect(await trace(madeUp)).toBeNull()
  })

  it('is no one else’s', async () => {
    const id = newId()
    await send(id, 'APP')
    expect(await trace(id, 'crm')).toBeNull()
    expect(await trace('nonsense')).toBeNull()
  })

  it('is forgotten after a day', async () =>
    expect(await trace(newId(Date.now() - 25 * 3_600_000))).toBeNull())
})
