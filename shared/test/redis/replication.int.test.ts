import { TestCluster } from '@relay/test/support/redis/test-cluster.js'
import { ownRedisIsPossible } from '@relay/test/support/redis/test-redis.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { connectRedis, type RedisClient } from '../../src/redis/connect.js'
import { masters, Replication } from '../../src/redis/replication.js'

const withOwnRedis = ownRedisIsPossible ? describe : describe.skip

withOwnRedis('a write to a Redis Cluster', () => {
  let cluster: TestCluster
  let client: RedisClient

  beforeAll(async () => {
    cluster = await TestCluster.start({ masters: 1, replicas: 1 })
    const urls = cluster.url.split(',')
    client = connectRedis({ mode: 'cluster', urls }, { commandTimeoutMs: 5_000 })
    await waitFor(() => client.status === 'ready', { what: 'a connection' })
    await client.get('element')
  }, 60_000)

  afterAll(async () => {
    client.disconnect()
    await cluster.stop()
  })

  const replication = () => new Replication(client, 1_000)

  it('counts as replicated once a replica has it', async () => {
    const reached = replication().beforeWrite()
    await client.set('element', '1')
    expect(await reached()).toBe(true)
  })

  it('does not when it went over a connection that was replaced before WAIT', async () => {
    const reached = replication().beforeWrite()
    await client.set('element', '2')
    const [server] = masters(client)
    await server?.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'no').catch(() => undefined)
    const answers = () =>
      client.get('element').then(
        () => true,
        () => false,
      )
    await waitFor(answers, { what: 'a new connection' })
    expect(await reached()).toBe(false)
  })

  it('does not when another master took over before WAIT', async () => {
    await waitFor(async () => await replication().beforeWrite()(), { what: 'replication again' })
    const reached = replication().beforeWrite()
    await client.set('element', '3')
    const replica = cluster.replicas[0]?.[0]
    if (replica === undefined) throw new Error('the cluster has no replica')
    await cluster.handOver(replica)
    const hasMoved = async () => {
      await client.get('element').catch(() => null)
      const ports = masters(client).map(({ options }) => options.port)
      return ports.length === 1 && ports[0] === replica.server.port
    }
    await waitFor(hasMoved, { what: 'the client to follow' })
    // The new master has a replica by then, so that WAIT alone would answer 1.
    const isFollowed = async () =>
      /^connected_slaves:1/m.test(await replica.client.info('replication'))
    await waitFor(isFollowed, { what: 'the former master to follow', timeoutMs: 30_000 })
    expect(await reached()).toBe(false)
  }, 60_000)
})
