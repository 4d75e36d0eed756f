import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { systemClock } from '@relay/shared/clock.js'
import { readBacklog } from '@relay/shared/queue/backlog.js'
import { Deployment } from '@relay/shared/queue/deployment.js'
import { LayoutStore } from '@relay/shared/queue/layout.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import { RedisPostStore } from '../../src/enqueue/redis-post-store.js'
import { RedisIdempotency } from '../../src/guard/redis-idempotency.js'
import { RedisQuota } from '../../src/guard/redis-quota.js'
import { APP, TestIntake, transition, workspace, type Sending } from '../support/intake.js'

const MIB = 1_048_576

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

/** The intake with the real stores behind it, under a prefix of this call. */
async function withIntake<T>(
  run: (
    intake: TestIntake,
    bytes: () => Promise<number>,
    counted: () => Promise<number>,
  ) => Promise<T>,
) {
  const prefix = redis.freshPrefix()
  const store = new RedisPostStore({
    ...{ client, prefix, clock: systemClock },
    deployment: new Deployment(client, prefix),
    layouts: new LayoutStore(client, prefix, { partitions: 1, mode: () => 'live' }),
    refusal: () => null,
    compress: () => false,
    durable: () => Promise.resolve(true),
    sleep: () => Promise.resolve(),
  })
  const quotas = new Map([['crm', { elementsPerMinute: 1 }]])
  const intake = new TestIntake(
    [workspace(APP, { quotas })],
    {},
    {
      store,
      idempotency: new RedisIdempotency(client, prefix, () => 1e9),
      quota: new RedisQuota({ client, prefix, backlog: () => ({ lanes: [], limitBytes: 1e9 }) }),
    },
  )
  await intake.start()
  const bytes = async () => {
    const keys = await client.keys(`${prefix}:*`)
    const usages = await Promise.all(keys.map((key) => client.memory('USAGE', key, 'SAMPLES', 0)))
    return usages.reduce<number>((sum, usage) => sum + Number(usage), 0)
  }
  try {
    // What a first post creates once per workspace is no post's own.
    await intake.send({ body: transition({ type: 'customer', customer_id: 'warm' }) })
    const counted = async () => {
      const lanes = await readBacklog(client, prefix, [APP])
      return lanes.reduce((sum, lane) => sum + lane.bytes, 0)
    }
    return await run(intake, bytes, counted)
  } finally {
    await intake.stop()
  }
}

const name = fc.oneof(
  fc
    .constantFrom('\u007f', '\u0001', '\ud800', '"', 'é')
    .chain((c) => fc.integer({ min: 1, max: 500 }).map((n) => c.repeat(n))),
  fc.string({ maxLength: 20 }),
)
const user = fc.record({
  type: fc.constant('customer'),
  customer_id: fc.constantFrom('ann', 'bob'),
  attributes: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.string({ maxLength: 30 }), {
    maxKeys: 3,
  }),
})
/** Without a time: stamped as it is stored. */
const event = fc.record({
  type: fc.constant('event'),
  customer_id: fc.constantFrom('ann', 'bob'),
  actions: fc.array(fc.constant({ action: 'Viewed' }), { minLength: 1, maxLength: 300 }),
})
const valid = fc.oneof(user, event)
const invalid = fc.oneof(
  fc.constant({}),
  fc.record({
    type: fc.constant('customer'),
    attributes: fc.dictionary(name, name, { maxKeys: 3 }),
  }),
  fc.record({
    type: fc.constant('event'),
    customer_id: name,
    actions: fc.array(fc.dictionary(name, name)),
  }),
  name,
)
const posts = fc.record({
  good: fc.array(valid, { maxLength: 3 }),
  bad: invalid,
  badCount: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1_000 })),
  key: fc.option(fc.stringMatching(/^[!-~]{1,255}$/), { nil: null }),
  lenient: fc.boolean(),
  overQuota: fc.boolean(),
  gzip: fc.boolean(),
  repeats: fc.integer({ min: 1, max: 3 }),
  isImport: fc.boolean(),
})

function sendingOf(post: typeof posts extends fc.Arbitrary<infer T> ? T : never): Sending | null {
  const { isImport, lenient, key, gzip, good, bad, badCount } = post
  const elements: unknown[] = [...good, ...Array.from({ length: badCount }, () => bad)]
  const text = isImport
    ? elements.map((element) => JSON.stringify(element)).join('\n')
    : transition(...elements)
  const plain = Buffer.from(text)
  if (plain.length > MIB) return null
  const secret = post.overQuota ? 'other' : 's3cret'
  return {
    path: isImport ? `/v1/import/${APP}` : `/v1/transition/${APP}`,
    body: gzip ? gzipSync(plain) : plain,
    headers: {
      authorization: `Basic ${Buffer.from(`${APP}:${secret}`).toString('base64')}`,
      'content-type': isImport ? 'application/x-ndjson' : 'application/json',
      'content-encoding': gzip ? 'gzip' : null,
      'idempotency-key': key,
      prefer: lenient ? 'handling=lenient' : null,
    },
  }
}

/** What the valid elements alone take, posted without a key: the second computation. */
function plainBytes(good: readonly unknown[], times: number, isImport: boolean): Promise<number> {
  return withIntake(async (intake, bytes) => {
    const before = await bytes()
    for (let i = 0; i < times && good.length > 0; i++) {
      if (isImport) {
        await intake.send({
          path: `/v1/import/${APP}`,
          headers: { 'content-type': 'application/x-ndjson' },
          body: good.map((element) => JSON.stringify(element)).join('\n'),
        })
      } else await intake.send({ body: transition(...good) })
    }
    return (await bytes()) - before
  })
}

describe('no post of up to 1 MiB', () => {
  it('leaves more in Redis than its stored elements and 1 KB, however often it is repeated', async () => {
    await fc.assert(
      fc.asyncProperty(posts, async (post) => {
        const sending = sendingOf(post)
        if (sending === null) return
        const { left, stored } = await withIntake(async (intake, bytes) => {
          const before = await bytes()
          let stored = 0
          for (let i = 0; i < post.repeats; i++) {
            const { status, body, headers } = await intake.send(sending)
            const accepted = post.isImport ? (body.accepted ?? 0) > 0 : status === 200
            if (accepted && headers['idempotency-replayed'] === undefined) stored++
          }
          return { left: (await bytes()) - before, stored }
        })
        if (stored === 0) expect(left).toBe(0)
        const own = await plainBytes(post.good, post.key === null ? stored : Math.min(stored, 1), post.isImport) // prettier-ignore
        expect(left).toBeLessThanOrEqual(own + 1_024)
      }),
      { numRuns: 40 },
    )
  }, 60_000)

  it('leaves anything when its quota refuses it', async () => {
    await withIntake(async (intake, bytes) => {
      const good = { type: 'customer', customer_id: 'ann' }
      const headers = { authorization: `Basic ${Buffer.from(`${APP}:other`).toString('base64')}` }
      await intake.send({ body: transition(good), headers })
      const before = await bytes()
      for (let i = 0; i < 20; i++) {
        const keyed = { ...headers, 'idempotency-key': `k${i}` }
        expect((await intake.send({ body: transition(good, good), headers: keyed })).status).toBe(
          429,
        )
        expect((await intake.send({ body: transition(good), headers: keyed })).status).toBe(429)
      }
      expect(await bytes()).toBe(before)
    })
  })
})

test.each([1, 3, 40])(
  'the backlog is counted as what Redis needs for it: posts of %i small elements',
  (size) =>
    withIntake(async (intake, bytes, counted) => {
      const elements = Array.from({ length: size }, (_, i) => ({
        ...{ type: 'customer', customer_id: `c-${i}`, attributes: { x: 1 } },
      }))
      const before = [await bytes(), await counted()] as const
      for (let n = 0; n < 100; n++) await intake.send({ body: transition(...elements) })
      const used = (await bytes()) - before[0]
      const seen = (await counted()) - before[1]
      expect(seen / used).toBeGreaterThan(0.85)
      expect(seen / used).toBeLessThan(1.5)
    }),
)
