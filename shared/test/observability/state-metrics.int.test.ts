import { Registry } from 'prom-client'
import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { systemClock, type Clock } from '@relay/shared/clock.js'
import type { Workspace } from '@relay/shared/config/workspace.js'
import { GateStore } from '@relay/shared/gate/gate-store.js'
import { deploymentKeys, workspaceKeys } from '@relay/shared/queue/keys.js'
import { StateMetrics, observeSharedState } from '../../src/observability/state-metrics.js'
import { StateReader } from '../../src/observability/shared-state.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'

const LIMITS = {
  usersPerWindow: 5000,
  eventsPerWindow: 20_000,
  devicesPerWindow: null,
  maxBodyBytes: 128_000,
}

function workspace(appId: string): Workspace {
  const baseUrl = 'http://127.0.0.1:1'
  return {
    appId,
    apiKey: 'k',
    baseUrl,
    limits: LIMITS,
    producers: null,
    quotas: new Map(),
    mode: 'live' as const,
    shadowed: 'drop' as const,
  }
}

/** Time that a test moves on. */
class MovedClock implements Clock {
  #aheadMs = 0
  nowMs = () => systemClock.nowMs() + this.#aheadMs
  monotonicMs = () => systemClock.monotonicMs() + this.#aheadMs
  move(ms: number): void {
    this.#aheadMs += ms
  }
}

let redis: TestRedis
let client: RedisClient

beforeAll(async () => {
  redis = await startRedis()
  client = connectRedis({ mode: 'single', url: redis.url }, { commandTimeoutMs: 2_000 })
  await new Promise((resolve) => client.once('ready', resolve))
})

afterAll(async () => {
  client.disconnect()
  await redis.stop()
})

function observed(prefix: string, workspaces: readonly Workspace[], from = client) {
  const registry = new Registry()
  const clock = new MovedClock()
  const config = { prefix, budgetWindowMs: 60_000 }
  observeSharedState({
    registry,
    client: from,
    clock,
    config,
    workspaces: { all: () => workspaces },
  })
  const values = async () => {
    const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith('relay_'))
    return new Map(lines.map((line) => line.split(' ') as [string, string]))
  }
  return { clock, values }
}

test('every series of a workspace is there before anything happened, and none of a budget it lacks', async () => {
  const { values } = observed(redis.freshPrefix(), [workspace('A')])
  const found = await values()
  expect(found.get('relay_backlog_elements{app_id="A",kind="user",lane="backfill"}')).toBe('0')
  expect(found.get('relay_oldest_element_age_seconds{app_id="A",lane="realtime"}')).toBe('0')
  expect(found.get('relay_budget_limit{app_id="A",budget="events"}')).toBe('20000')
  expect(found.get('relay_workspace_held{app_id="A",reason="unavailable"}')).toBe('0')
  expect(found.get('relay_workers_wanted')).toBe('1')
  expect(found.get('relay_redis_up')).toBe('1')
  expect([...found.keys()].some((name) => name.includes('devices'))).toBe(false)
})

test('a held and paused workspace shows its reason, and two processes say the same', async () => {
  const prefix = redis.freshPrefix()
  const mode = { state: 'held', reason: 'account_refused', sinceMs: 1, nextProbeAtMs: 2 }
  const record = JSON.stringify({ version: 1, mode, paused: true })
  await new GateStore(client, prefix, 'A').change('0', record)
  const one = await observed(prefix, [workspace('A'), workspace('B')]).values()
  const other = await observed(prefix, [workspace('A'), workspace('B')]).values()
  expect(one.get('relay_workspace_held{app_id="A",reason="account_refused"}')).toBe('1')
  expect(one.get('relay_workspace_paused{app_id="A"}')).toBe('1')
  expect(one.get('relay_workspace_held{app_id="B",reason="account_refused"}')).toBe('0')
  const shared = (all: Map<string, string>) =>
    [...all].filter(([name]) => /_(backlog|budget|workspace|oldest|workers|drain)_/.test(name))
  expect(shared(other)).toEqual(shared(one))
})

test('Redis is read at most once a second, however often the metrics are scraped', async () => {
  const { clock, values } = observed(redis.freshPrefix(), [workspace('A')])
  const readings = async () =>
    Number(/cmdstat_zcount:calls=(\d+)/.exec(await client.info('commandstats'))?.[1] ?? 0)
  await values()
  const before = await readings()
  await Promise.all([values(), values(), values()])
  expect(await readings()).toBe(before)
  clock.move(1_001)
  await Promise.all([values(), values()])
  expect(await readings()).toBe(before + 1)
})

test('a full Redis is up, and shows its memory', async () => {
  const full = await startRedis({ own: true })
  const own = connectRedis({ mode: 'single', url: full.url }, { commandTimeoutMs: 2_000 })
  try {
    await new Promise((resolve) => own.once('ready', resolve))
    await own.config('SET', 'maxmemory', 100_000)
    await expect(own.set('x', '1')).rejects.toThrow('OOM')
    const found = await observed('relay', [workspace('A')], own).values()
    expect(found.get('relay_redis_up')).toBe('1')
    expect(found.get('relay_redis_memory_limit_bytes')).toBe('100000')
    expect(Number(found.get('relay_redis_memory_used_bytes'))).toBeGreaterThan(100_000)
  } finally {
    own.disconnect()
    await full.stop()
  }
})

test('a scrape succeeds while Redis hangs: the last values stay, and say that they are old; an estimate ends', async () => {
  const prefix = redis.freshPrefix()
  const [seconds] = await client.time()
  await client.zadd(deploymentKeys(prefix).sessions, (Number(seconds) + 60) * 1000, 'w1')
  const { clock, values } = observed(prefix, [workspace('A')])
  const eta = 'relay_drain_eta_seconds{app_id="A"}'
  expect((await values()).get(eta)).toBe('0')
  redis.pause()
  try {
    clock.move(5_000)
    const found = await values()
    expect(found.get(eta)).toBe('0')
    expect(found.get('relay_redis_up')).toBe('0')
    expect(found.get('relay_budget_limit{app_id="A",budget="users"}')).toBe('5000')
    expect(Number(found.get('relay_state_age_seconds'))).toBeGreaterThanOrEqual(5)
    clock.move(11_000)
    const later = await values()
    expect([later.get(eta), later.get('relay_workers_alive')]).toEqual([undefined, '1'])
  } finally {
    redis.resume()
  }
})

test('the age of the values counts from the begin of their read', async () => {
  const clock = new MovedClock()
  const registry = new Registry()
  const reader = new StateReader({
    ...{ client, prefix: redis.freshPrefix(), windowMs: 60_000, clock },
    workspaces: () => [workspace('A')],
  })
  const read = async () => {
    const state = await reader.read()
    clock.move(700)
    return state
  }
  new StateMetrics({ registry, clock, windowMs: 60_000, read })
  const text = await registry.metrics()
  expect(Number(/^relay_state_age_seconds (.*)$/m.exec(text)?.[1])).toBeGreaterThanOrEqual(0.7)
})

test.each([1_600, 2_400])(
  'an event loop that stops for %i ms, beyond the time of a scrape or of a command, does not show Redis as down',
  async (ms) => {
    const { values } = observed(redis.freshPrefix(), [workspace('A')])
    const found = values()
    // The commands have left; then nothing of this process runs.
    await new Promise((resolve) => setImmediate(resolve))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
    expect((await found).get('relay_redis_up')).toBe('1')
  },
)

test('what a process has not read yet is absent, not 0: only that Redis does not answer is known', async () => {
  redis.pause()
  try {
    const found = await observed(redis.freshPrefix(), [workspace('A')]).values()
    expect([...found.keys()]).toEqual(['relay_redis_up', 'relay_state_age_seconds'])
  } finally {
    redis.resume()
  }
})

test('a drain estimate that cannot be made is absent: without a worker, while budgets recover, retrying, or paused', async () => {
  const prefix = redis.freshPrefix()
  const now = await client.time()
  const expiry = Number(now[0]) * 1000 + 60_000
  const name = 'relay_drain_eta_seconds{app_id="A"}'
  const eta = async () => (await observed(prefix, [workspace('A')]).values()).get(name)
  expect(await eta()).toBeUndefined()
  await client.zadd(deploymentKeys(prefix).sessions, expiry, 'w1')
  expect(await eta()).toBe('0')
  const { ledger, ledgerRecovery } = workspaceKeys(prefix, 'A')
  await client.hset(ledgerRecovery, 'incarnation', 'run-2')
  expect(await eta()).toBeUndefined()
  await client.hset(ledger, 'incarnation', 'run-2')
  expect(await eta()).toBe('0')
  const gates = new GateStore(client, prefix, 'A')
  const change = async (mode: object, paused = false) =>
    gates.change((await gates.read()).version, JSON.stringify({ version: 1, mode, paused }))
  await change({ state: 'retrying', reason: 'timeout', nextProbeAtMs: 0, sinceMs: 0, attempt: 1 })
  expect(await eta()).toBeUndefined()
  await change({ state: 'rate_limited', nextProbeAtMs: 0, sinceMs: 0, backoffMs: 1 })
  expect(await eta()).toBe('0')
  await change({ state: 'open' }, true)
  expect(await eta()).toBeUndefined()
})

test('customers that wait are counted, with how long the first of them has waited', async () => {
  const prefix = redis.freshPrefix()
  const { customersHeld, customersHeldTimes } = workspaceKeys(prefix, 'A')
  const held = async () => {
    const found = await observed(prefix, [workspace('A')]).values()
    const of = (name: string) => {
      const value = found.get(`${name}{app_id="A"}`)
      return value === undefined ? null : Number(value)
    }
    return [of('relay_customers_held'), of('relay_customer_held_seconds')] as const
  }
  expect(await held()).toEqual([0, null])
  const [seconds] = await client.time()
  const nowMs = Number(seconds) * 1_000
  await client.zadd(customersHeld, nowMs + 60_000, 'aa', nowMs + 60_000, 'bb')
  const times = (sinceMs: number) => `${sinceMs} ${nowMs + 60_000}`
  const two = { aa: times(nowMs - 7_200_000), bb: times(nowMs - 60_000) }
  await client.hset(customersHeldTimes, two)
  const [count, longest] = await held()
  expect(count).toBe(2)
  expect(longest).toBeGreaterThanOrEqual(7_200)
  expect(longest).toBeLessThan(7_300)
})
