import { ownRedisIsPossible } from './test-redis.js'
import { TestCluster } from './test-cluster.js'

const PATIENCE_MS = 120_000
const whenOwn = ownRedisIsPossible ? test : test.skip

whenOwn(
  'a cluster keeps its data when a slot moves and when a replica takes over',
  async () => {
    const cluster = await TestCluster.start({ masters: 3, replicas: 1 })
    try {
      const [first, second] = cluster.masters
      const slot = await first!.client.cluster('KEYSLOT', '{a}')
      const owner = await cluster.ownerOf(slot)
      await owner.client.set('{a}:x', '1')
      const other = owner === first ? second! : first!
      await cluster.moveSlot(slot, other)
      expect((await cluster.ownerOf(slot)).id).toBe(other.id)
      expect(await other.client.get('{a}:x')).toBe('1')
      const replica = cluster.replicas[cluster.masters.indexOf(other)]![0]!
      await cluster.handOver(replica)
      expect(await replica.client.get('{a}:x')).toBe('1')
    } finally {
      await cluster.stop()
    }
  },
  PATIENCE_MS,
)
