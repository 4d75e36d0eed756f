import { askRedis } from '@relay/tools/process/redis-server.js'
import {
  ownRedisIsPossible,
  startRedis,
  type TestRedis,
} from '@relay/test/support/redis/test-redis.js'
import { waitFor } from '@relay/tools/wait-for.js'
import type { Durability } from '@relay/shared/config/settings.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import { DurabilityGuard } from '../../src/guard/durability-guard.js'
import { connectionsOf } from '@relay/shared/redis/replication.js'
import type { LevelReached } from '@relay/shared/redis/durability-level.js'

const withOwnRedis = ownRedisIsPossible ? describe : describe.skip

withOwnRedis('what a 200 is worth', () => {
  const started: TestRedis[] = []
  const clients: RedisClient[] = []

  const start = async (...options: Parameters<typeof startRedis>) => {
    const redis = await startRedis(...options)
    started.push(redis)
    return redis
  }
  const guardOf = async (redis: TestRedis, wanted: Durability) => {
    const target = { mode: 'single', url: redis.url } as const
    const client = connectRedis(target, { commandTimeoutMs: 2_000 })
    clients.push(client)
    await waitFor(() => client.status === 'ready', { what: 'a connection' })
    const changes: LevelReached[] = []
    const guard = new DurabilityGuard({ client, wanted, onChange: (to) => changes.push(to) })
    await guard.look()
    return { guard, client, changes }
  }

  afterAll(async () => {
    for (const client of clients) client.disconnect()
    await Promise.all(started.map((redis) => redis.stop()))
  })

  it('without a file is worth nothing, which is said but not refused', async () => {
    const { guard, client } = await guardOf(await start({ own: true }), 'process')
    expect(guard.reached).toMatchObject({ level: 'none' })
    expect(guard.isMissing).toBe(false)
    expect(await guard.durable(connectionsOf(client))).toBe(true)
  })

  it('is worth a disk only while Redis writes through, and follows a change', async () => {
    const redis = await start({ appendonly: 'everysec' })
    const { guard, client, changes } = await guardOf(redis, 'disk')
    expect(guard.reached).toMatchObject({ level: 'process' })
    expect(guard.reached.problem).toContain('appendfsync always')
    expect(await guard.durable(connectionsOf(client))).toBe(false)
    await askRedis(redis.port, 'CONFIG SET appendfsync always')
    await guard.look()
    expect(guard.reached).toEqual({ level: 'disk', problem: null })
    expect(await guard.durable(connectionsOf(client))).toBe(true)
    expect(changes.map(({ level }) => level)).toEqual(['process', 'disk'])
  })

  it('is worth a replica only while one keeps up', async () => {
    const master = await start({ appendonly: 'everysec' })
    const { guard, client } = await guardOf(master, 'replica')
    expect(guard.isMissing).toBe(true)
    expect(guard.reached.problem).toContain('needs 1 replicas')
    const replica = await start({ extra: ['--replicaof', '127.0.0.1', String(master.port)] })
    const isReached = async () => {
      await guard.look()
      return guard.reached.level === 'replica'
    }
    await waitFor(isReached, { what: 'the replica' })
    await client.set('element', '1')
    expect(await guard.durable(connectionsOf(client))).toBe(true)
    expect(await askRedis(replica.port, 'EXISTS element')).toBe(':1')

    replica.pause()
    await client.set('element', '2')
    const waits = [
      guard.durable(connectionsOf(client)),
      guard.durable(connectionsOf(client)),
      guard.durable(connectionsOf(client)),
    ]
    expect(await Promise.all(waits)).toEqual([false, false, false])
    // Later posts are refused before they are stored.
    expect(guard.isMissing).toBe(true)
    replica.resume()
    await waitFor(isReached, { what: 'the replica again' })
    await client.set('element', '3')
    expect(await guard.durable(connectionsOf(client))).toBe(true)
  })
})
