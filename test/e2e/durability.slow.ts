import { startProxy } from '../support/proxy/tcp-proxy.js'
import { askRedis, askRedisText } from '@relay/tools/process/redis-server.js'
import { startSentinels } from '../support/redis/sentinels.js'
import { startRedis } from '../support/redis/test-redis.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { Customers } from '../support/customers.js'
import { APP_ID, Relay, send } from '../support/relay.js'
import { numberedEvent, numbersOf } from '../support/shop.js'

const LEASE_MS = 2_000
const FAST = {
  RELAY_LEASE_MS: String(LEASE_MS),
  RELAY_REQUEST_TIMEOUT_MS: '1500',
  RELAY_ARRIVAL_GRACE_MS: '500',
  MOENGAGE_BUDGET_WINDOW_SECONDS: '3',
}

describe.each([
  { level: 'process', appendonly: 'everysec' },
  { level: 'disk', appendonly: 'always' },
] as const)('durability $level', ({ level, appendonly }) => {
  test('a 200 outlives kill -9 of Redis, with nothing served in between', async () => {
    const relay = await Relay.start({
      workers: 0,
      env: { RELAY_DURABILITY: level, ...FAST },
      redis: { appendonly },
    })
    try {
      const ready = await send(`${relay.opsUrl}/readyz`, 'GET', '', {})
      expect(JSON.parse(ready.body)).toMatchObject({ checks: { durability: level } })
      const posts = Array.from({ length: 40 }, (_, n) =>
        relay.postElements([numberedEvent('kept', n), numberedEvent(`kept-${n}`, 0)]),
      )
      const answers = await Promise.all(posts)
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
      // While an fsync of "everysec" is slow, Redis keeps what follows in its own memory (docs/guide/operators.md).
      const isWritten = async () => {
        const facts = await askRedisText(relay.redis.port, 'INFO persistence')
        return facts?.includes('aof_pending_bio_fsync:0') ?? false
      }
      await waitFor(isWritten, { what: 'no fsync to be in progress' })
      await relay.redis.kill9()
      await relay.redis.restart()
      await relay.addWorker()
      await relay.simulator.until((record) => record.totals.events >= 80, 20_000)
      expect(relay.simulator.record.totals.duplicates).toBe(0)
      const kept = relay.simulator.record.ofCustomer(APP_ID, 'kept')
      expect(new Set(kept.flatMap(({ raw }) => numbersOf(raw.toString()))).size).toBe(40)
    } finally {
      await relay.stop()
    }
  })
})

test('durability disk is refused where Redis does not write through, until it does', async () => {
  const relay = await Relay.start({
    workers: 0,
    env: { RELAY_DURABILITY: 'disk' },
    redis: { appendonly: 'always' },
  })
  const isAnswered = (status: number) => async () =>
    (await relay.postElements([numberedEvent('disk', 0)])).status === status
  try {
    await askRedis(relay.redis.port, 'CONFIG SET appendfsync everysec')
    await waitFor(isAnswered(503), { what: 'posts to be refused' })
    await askRedis(relay.redis.port, 'CONFIG SET appendfsync always')
    await waitFor(isAnswered(200), { what: 'posts to be accepted' })
  } finally {
    await relay.stop()
  }
})

describe('durability replica', () => {
  /** A master behind its own proxy, two replicas and three sentinels that know it by the proxy. */
  async function startCluster() {
    const master = await startRedis({ appendonly: 'everysec' })
    const proxy = await startProxy({ port: master.port })
    const follow = [
      '--replicaof',
      '127.0.0.1',
      String(proxy.port),
      '--repl-diskless-sync-delay',
      '0',
    ]
    const replicas = [
      await startRedis({ appendonly: 'everysec', extra: follow }),
      await startRedis({ appendonly: 'everysec', extra: follow }),
    ]
    const sentinels = await startSentinels(proxy.port, replicas.length)
    const stop = async () => {
      await sentinels.stop()
      await Promise.all([master, ...replicas].map((redis) => redis.stop()))
      await proxy.stop()
    }
    const env = { REDIS_URL: sentinels.url, RELAY_DURABILITY: 'replica', ...FAST }
    return { master, proxy, sentinels, env, stop }
  }

  test('a failover by sentinels loses nothing and reorders nothing', async () => {
    const cluster = await startCluster()
    const relay = await Relay.start({ workers: 2, env: cluster.env })
    const customers = new Customers(relay, 20)
    try {
      customers.start()
      await relay.simulator.until((record) => record.totals.elements > 200, 20_000)
      await cluster.master.kill9()
      const diedMs = performance.now()
      const before = customers.total
      const isBack = () => customers.total > before + 100
      await waitFor(isBack, { what: 'posts to be accepted again', timeoutMs: 30_000 })
      process.stdout.write(
        `failover: posts are accepted again after ${((performance.now() - diedMs) / 1000).toFixed(1)} s\n`,
      )
      await customers.stop()
      await customers.delivered(30_000)
      for (const name of customers.names) {
        const count = customers.accepted.get(name) ?? 0
        const first = customers.firstDeliveries(name)
        expect(first.slice(0, count)).toEqual(Array.from({ length: count }, (_, i) => i))
      }
      expect(relay.simulator.record.overlap.overlaps).toBe(0)
    } finally {
      await customers.stop()
      await relay.stop()
      await cluster.stop()
    }
  })

  test('a worker left alone with the former master stops within its lease, and an api there accepts nothing', async () => {
    const cluster = await startCluster()
    const relay = await Relay.start({
      workers: 0,
      env: cluster.env,
      simulator: { latency: { beforeMs: 50, afterMs: 150 } },
    })
    const alone = { REDIS_URL: cluster.master.url }
    const stranded = await relay.addWorker(alone)
    const outpost = await relay.addApi(alone)
    const customers = new Customers(relay, 20)
    try {
      customers.start()
      await relay.simulator.until((record) => record.totals.elements > 100, 20_000)
      await relay.addWorker()
      cluster.proxy.refuse()
      cluster.proxy.cut()
      const cutAtMs = performance.now()
      // Both still reach their Redis, which takes every write.
      expect(await askRedis(cluster.master.port, 'SET alone 1')).toBe('+OK')
      const lastAttempt = () =>
        stranded.logs().filter(({ message }) => message === 'attempt').length
      await waitFor(
        () => stranded.logs().some(({ message }) => String(message).startsWith('session lost')),
        {
          what: 'the lease to be lost',
          timeoutMs: LEASE_MS + 5_000,
        },
      )
      const lostMs = performance.now() - cutAtMs
      const attempts = lastAttempt()
      const answer = await relay.postElements([numberedEvent('stranded', 0)], {}, outpost)
      expect(answer.status).toBe(503)
      const before = customers.total
      const isBack = () => customers.total > before + 100
      await waitFor(isBack, { what: 'posts to be accepted again', timeoutMs: 30_000 })
      await customers.stop()
      await customers.delivered(30_000)
      process.stdout.write(
        `split brain: the lease ended ${(lostMs / 1000).toFixed(1)} s after the cut; ${relay.simulator.record.totals.duplicates} elements delivered again\n`,
      )
      expect(lostMs).toBeLessThan(LEASE_MS + 1_000)
      // Nothing more came from it, and all the others' came in order, one request at a time.
      expect(lastAttempt()).toBe(attempts)
      expect(relay.simulator.record.overlap.overlaps).toBe(0)
      for (const name of customers.names) {
        const count = customers.accepted.get(name) ?? 0
        const first = customers.firstDeliveries(name)
        expect(first.slice(0, count)).toEqual(Array.from({ length: count }, (_, i) => i))
      }
    } finally {
      await customers.stop()
      await relay.stop()
      await cluster.stop()
    }
  })
})
