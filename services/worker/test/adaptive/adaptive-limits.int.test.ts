import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { MAX_BODY_BYTES } from '@relay/shared/vendor/limits.js'
import { LearnedStore } from '@relay/shared/gate/gate-store.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import { AdaptiveLimits } from '../../src/adaptive/adaptive-limits.js'

let redis: TestRedis
let client: RedisClient
let prefix: string

beforeAll(async () => {
  redis = await startRedis()
  client = connectRedis({ mode: 'single', url: redis.url }, { commandTimeoutMs: 1_000 })
  await waitFor(() => client.status === 'ready', { what: 'the connection' })
})

beforeEach(() => {
  prefix = redis.freshPrefix()
})

afterAll(async () => {
  client.disconnect()
  await redis.stop()
})

function learner(): { learned: AdaptiveLimits; ended: () => number } {
  let ended = 0
  const limits = {
    usersPerWindow: 5_000,
    eventsPerWindow: 20_000,
    devicesPerWindow: null,
    maxBodyBytes: MAX_BODY_BYTES,
  }
  const learned = new AdaptiveLimits({
    store: new LearnedStore(client, prefix, 'P'),
    limits: () => limits,
    windowMs: 60_000,
    nowMs: () => 0,
    onTrialEnded: () => {
      ended += 1
    },
  })
  return { learned, ended: () => ended }
}

test('what one worker was refused is not undone by what another had in progress', async () => {
  const [one, other] = [learner().learned, learner().learned]
  await one.bodyRefused(128_000)
  await one.bodyRefused(64_000)
  expect(one.bodyBytes).toBe(32_000)
  await other.bodyRefused(120_000)
  expect(other.bodyBytes).toBe(32_000)
  await one.refresh()
  expect(one.bodyBytes).toBe(32_000)
})

test('a size in doubt is tried by one at a time, others may once it ended', async () => {
  const { learned, ended } = learner()
  const [first, second] = [{}, {}]
  expect([learned.mayTry(128_000, first), learned.mayTry(128_000, second)]).toEqual([true, true])
  await learned.bodyRefused(128_000)
  expect(learned.mayTry(64_000, first)).toBe(true)
  expect(learned.mayTry(64_000, first)).toBe(true)
  expect(learned.mayTry(64_000, second)).toBe(false)
  expect(learned.mayTry(2_000, second)).toBe(false)
  await learned.bodyAccepted(300)
  expect(learned.mayTry(2_000, second)).toBe(true)
  learned.endTrial(second)
  expect([learned.mayTry(64_000, second), ended()]).toEqual([false, 0])
  learned.endTrial(first)
  expect([learned.mayTry(64_000, second), ended()]).toEqual([true, 1])
  learned.endTrial(second)
  await learned.bodyAccepted(64_000)
  expect([learned.mayTry(64_000, first), learned.mayTry(64_000, second)]).toEqual([true, true])
})
