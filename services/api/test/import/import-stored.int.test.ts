import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { systemClock } from '@relay/shared/clock.js'
import { readBacklog } from '@relay/shared/queue/backlog.js'
import { Deployment } from '@relay/shared/queue/deployment.js'
import { LayoutStore } from '@relay/shared/queue/layout.js'
import type { Post, PostStore } from '@relay/shared/queue/post.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import { RedisPostStore } from '../../src/enqueue/redis-post-store.js'
import { FairSlices } from '../../src/accept/fairness.js'
import { Importer, type Chunk, type ChunkSource } from '../../src/import/importer.js'
import { RecordingObserver, ScriptedQuota } from '../support/doubles.js'
import { APP, workspace } from '../support/intake.js'

/** A body in memory. */
class Text implements ChunkSource {
  #chunks: Chunk[]
  constructor(text: string) {
    this.#chunks = [{ kind: 'data', bytes: Buffer.from(text) }, { kind: 'end' }]
  }
  next(): Promise<Chunk> {
    return Promise.resolve(this.#chunks.shift() ?? { kind: 'end' })
  }
}

describe('a keyed import that is posted again', () => {
  let redis: TestRedis
  let client: RedisClient
  let prefix: string

  beforeAll(async () => {
    redis = await startRedis()
    client = connectRedis({ mode: 'single', url: redis.url }, { commandTimeoutMs: 5_000 })
    await waitFor(() => client.status === 'ready', { what: 'a connection' })
    prefix = redis.freshPrefix()
  })
  afterAll(async () => {
    client.disconnect()
    await redis.stop()
  })

  const open = (): PostStore =>
    new RedisPostStore({
      client,
      prefix,
      deployment: new Deployment(client, prefix),
      layouts: new LayoutStore(client, prefix, { partitions: 4, mode: () => 'live' }),
      clock: systemClock,
      refusal: () => null,
      compress: () => false,
      durable: () => Promise.resolve(true),
      sleep: () => Promise.resolve(),
    })
  const lines = Array.from(
    { length: 1_700 },
    (_, i) => `{"type":"customer","customer_id":"c${i % 90}","attributes":{"n":${i}}}`,
  )
  const run = (store: PostStore, text: string, firstLine = 1) => {
    const observer = new RecordingObserver()
    const quota = new ScriptedQuota()
    const deps = {
      ...{ store, quota, observer, clock: systemClock, maxLineBytes: 10_000 },
      slices: new FairSlices(systemClock),
      largeBodies: null,
    }
    const asked = {
      workspace: workspace(APP),
      producer: 'shop',
      requestId: 'R',
      idempotencyKey: 'k',
      projectCode: null,
      listed: 100,
    }
    return new Importer(deps).run({ ...asked, firstLine }, new Text(text))
  }
  const waiting = async () => {
    const lanes = await readBacklog(client, prefix, [APP])
    return lanes.map(({ lane, elements }) => [lane, elements.user])
  }

  it('stores every line once, also those whose storing was in doubt', async () => {
    const store = open()
    let posts = 0
    // The third batch is stored, but its answer is lost.
    const doubtful: PostStore = {
      store: async (post: Post) => {
        const outcome = await store.store(post)
        return ++posts === 3 ? { outcome: 'unknown', reason: 'redis_unavailable' } : outcome
      },
    }
    const first = await run(doubtful, lines.join('\n'))
    expect(first.tally.lastLine).toBe(1_000)
    expect(await waiting()).toEqual([['backfill', 1_500]])

    const rest = await run(open(), lines.slice(1_000).join('\n'), 1_001)
    expect(rest).toMatchObject({ end: 'done', tally: { accepted: 700, lastLine: 1_700 } })
    expect(await waiting()).toEqual([['backfill', 1_700]])

    const whole = await run(open(), lines.join('\n'))
    expect(whole).toMatchObject({ end: 'done', tally: { accepted: 1_700 } })
    expect(await waiting()).toEqual([['backfill', 1_700]])
  })
})
