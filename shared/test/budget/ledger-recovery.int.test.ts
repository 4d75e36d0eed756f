import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { Ledger, type Recovery } from '../../src/budget/ledger.js'
import { workspaceKeys } from '../../src/queue/keys.js'
import { connectStepped, type SteppedRedis } from '../redis/stepped-redis.js'

/** Request timeout, arrival grace and window. */
const COUNTS_MS = 75_000
const START_MS = 1_800_000_000_000
const OLD_RUN = 'run-1'
const NEW_RUN = 'run-2'

let server: TestRedis
let redis: SteppedRedis
let prefix: string
/** Since the new run began, ms. */
let runMs: number

beforeAll(async () => {
  server = await startRedis({ appendonly: false })
  redis = await connectStepped(server.url, 'clock')
})

beforeEach(async () => {
  prefix = server.freshPrefix()
  await at(0)
})

afterAll(async () => {
  redis.client.disconnect()
  await server.stop()
})

async function at(ms: number): Promise<void> {
  runMs = ms
  await redis.setTime(START_MS + ms)
}

const clock = { nowMs: () => START_MS + runMs, monotonicMs: () => runMs }

function recover(worker: string, more: Partial<Recovery> = {}): Promise<number | null> {
  return new Ledger(redis.client, prefix, 'APP', clock).recover({
    ...{ runId: NEW_RUN, worker, countsMs: COUNTS_MS, runMs },
    ...{ workers: [worker], ended: [], own: [] },
    ...more,
  })
}

/** The ledger was in use before Redis restarted. */
async function usedBefore(): Promise<void> {
  await redis.client.hset(workspaceKeys(prefix, 'APP').ledger, 'incarnation', OLD_RUN)
}

test('a ledger that no one used opens at once', async () => expect(await recover('a')).toBeNull())

test('opens as soon as every worker of the run before has entered its reservations', async () => {
  await usedBefore()
  expect(await recover('a', { workers: ['a', 'b'] })).toBe(COUNTS_MS)
  await at(300)
  expect(await recover('b', { workers: ['a', 'b'] })).toBeNull()
  expect(await recover('a')).toBeNull()
})

test('waits for a lost worker until none of its requests can count, however often it is asked', async () => {
  await usedBefore()
  for (let ms = 0; ms < COUNTS_MS; ms += 5_000) {
    await at(ms)
    expect(await recover('a', { workers: ['a', 'lost'] })).toBe(COUNTS_MS - ms)
  }
  await at(COUNTS_MS)
  expect(await recover('a', { workers: ['a', 'lost'] })).toBeNull()
})

test('counts the wait from the beginning of the run, not from the first question', async () => {
  await usedBefore()
  await at(30_000)
  expect(await recover('a', { workers: ['a', 'lost'] })).toBe(COUNTS_MS - 30_000)
})

test('an empty Redis waits for the requests of a worker that ended before, for any first caller', async () => {
  expect(await recover('a', { ended: ['gone'] })).toBe(COUNTS_MS)
  // One that joined since knows nothing of it.
  expect(await recover('new', { workers: ['a', 'new'] })).toBe(COUNTS_MS)
  await at(COUNTS_MS)
  expect(await recover('new', { workers: ['a', 'new'] })).toBeNull()
})

test('a ledger that Redis kept has the requests of a worker that ended before', async () => {
  await usedBefore()
  expect(await recover('a', { ended: ['gone'] })).toBeNull()
})
