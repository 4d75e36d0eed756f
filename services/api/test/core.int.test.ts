import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { systemClock } from '@relay/shared/clock.js'
import { Deployment } from '@relay/shared/queue/deployment.js'
import { deploymentKeys } from '@relay/shared/queue/keys.js'
import { systemRandom } from '@relay/shared/random.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import { openCore, type Core } from '../src/core.js'

const LEASE_MS = 15_000
const observer = {
  elements: () => undefined,
  refused: () => undefined,
  warned: () => undefined,
  answered: () => undefined,
  failed: () => undefined,
}

let redis: TestRedis
let client: RedisClient
let core: Core

beforeAll(async () => {
  redis = await startRedis()
  client = connectRedis({ mode: 'single', url: redis.url }, { commandTimeoutMs: 5_000 })
  core = openCore({
    ...{ client, clock: systemClock, random: systemRandom, observer, traced: null },
    config: {
      ...{ prefix: 'relay', partitions: 8, maxBacklogBytes: null, durability: 'process' },
      leaseMs: LEASE_MS,
    },
    workspaces: { get: () => undefined, all: () => [] },
    ...{ largeBodies: null, onDurability: () => undefined },
  })
  await core.start()
})
afterAll(async () => {
  await core.stop()
  client.disconnect()
  await redis.stop()
})

it('notes when a run of Redis began, for workers that start later, and is no session', async () => {
  const { run, sessions } = deploymentKeys('relay')
  const noted = async () => (await client.hgetall(run).catch(() => ({}))) as Record<string, string>
  await waitFor(async () => (await noted()).since !== undefined, { what: 'the first run' })
  const first = await noted()
  await redis.kill9()
  await redis.restart()
  await waitFor(async () => ((await noted()).digest ?? first.digest) !== first.digest, {
    what: 'the second run',
  })
  const { digest = '', since } = await noted()
  expect(await client.zcard(sessions)).toBe(0)
  const call = { id: 'w.1@r', leaseMs: LEASE_MS, step: 'join', replaces: '', run: digest } as const
  const roster = await new Deployment(client, 'relay').session(call)
  expect(roster.runSinceMs).toBe(Number(since))
  expect([...roster.sessions.keys()]).toEqual(['w.1@r'])
})
