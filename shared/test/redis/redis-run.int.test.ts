import { TestCluster } from '@relay/test/support/redis/test-cluster.js'
import { ownRedisIsPossible } from '@relay/test/support/redis/test-redis.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { parseRedisUrl } from '../../src/config/redis-url.js'
import { connectRedis } from '../../src/redis/connect.js'
import { RedisRun } from '../../src/redis/redis-run.js'

const PATIENCE_MS = 120_000
const whenOwn = ownRedisIsPossible ? test : test.skip

whenOwn(
  'clients of a cluster agree on a new run after a replica took over, once they ask',
  async () => {
    const cluster = await TestCluster.start({ masters: 3, replicas: 1 })
    const clients = [0, 1].map(() => {
      return connectRedis(parseRedisUrl(cluster.url)!, { commandTimeoutMs: 2_000 })
    })
    try {
      const changes: string[] = []
      const runs = clients.map((client) => new RedisRun(client, (before) => changes.push(before)))
      const known = () => runs.every(({ id }) => id !== '')
      await waitFor(known, { what: 'the run to be known' })
      const before = runs[0]!.id
      expect(runs[1]!.id).toBe(before)

      await cluster.handOver(cluster.replicas[0]![0]!)
      const agreed = async () => {
        await Promise.all(runs.map((run) => run.refreshIfUnheard()))
        return runs.every(({ id }) => id !== before && id === runs[0]!.id)
      }
      await waitFor(agreed, { what: 'both to know the new run', timeoutMs: 30_000 })
      expect(changes).toContain(before)
    } finally {
      for (const client of clients) client.disconnect()
      await cluster.stop()
    }
  },
  PATIENCE_MS,
)
