import { TestCluster } from '../support/redis/test-cluster.js'
import { ownRedisIsPossible } from '../support/redis/test-redis.js'
import {
  deploymentKeys,
  partitionKeys,
  partitionTag,
  workspaceKeys,
} from '@relay/shared/queue/keys.js'
import { APP_ID, Relay } from '../support/relay.js'
import { numberedEvent, numbersOf } from '../support/shop.js'

const PARTITIONS = 4
const CUSTOMERS = 12
const POSTS = 60
const PER_POST = 3
/** Forming a cluster and letting nodes fail takes seconds each. */
const PATIENCE_MS = 180_000

/** Posts the elements of one customer one after the other, each until it is accepted. */
async function produce(relay: Relay, customer: string, underWay: () => boolean): Promise<number> {
  let n = 0
  for (let post = 0; post < POSTS || underWay(); post += 1) {
    const elements = Array.from({ length: PER_POST }, (_, i) => numberedEvent(customer, n + i))
    const headers = { 'Idempotency-Key': `${customer}-${post}` }
    let status = 0
    while (status !== 200) {
      ;({ status } = await relay.postElements(elements, headers))
      // Anything else would be a fault of the test or of the intake, not of Redis.
      expect([200, 409, 503]).toContain(status)
    }
    n += PER_POST
  }
  return n
}

/** In what order each number first came. */
function firsts(relay: Relay, customer: string): number[] {
  const arrived = relay.simulator.record.ofCustomer(APP_ID, customer)
  return [...new Set(arrived.flatMap(({ raw }) => numbersOf(raw.toString())))]
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)

/** Runs producers while `disturb` does, and checks that all arrives in order. */
async function checkUnder(relay: Relay, disturb: () => Promise<void>): Promise<void> {
  const customers = numbers(CUSTOMERS).map((i) => `customer-${i}`)
  let disturbing = true
  const counts = customers.map((customer) => produce(relay, customer, () => disturbing))
  try {
    await disturb()
  } finally {
    disturbing = false
  }
  const posted = await Promise.all(counts)
  const wanted = customers.map((customer, i) => ({ customer, numbers: numbers(posted[i]!) }))
  const all = posted.reduce((sum, count) => sum + count, 0)
  const distinct = () => customers.reduce((sum, c) => sum + firsts(relay, c).length, 0)
  await relay.simulator.until(() => distinct() >= all, 60_000)
  const arrived = customers.map((customer) => ({ customer, numbers: firsts(relay, customer) }))
  expect(arrived).toEqual(wanted)
  expect(relay.simulator.record.overlap.overlaps).toBe(0)
}

const describeOwn = ownRedisIsPossible ? describe : describe.skip

describeOwn('on a Redis Cluster', () => {
  let cluster: TestCluster
  let relay: Relay

  beforeAll(async () => {
    cluster = await TestCluster.start({ masters: 3, replicas: 1 })
  }, PATIENCE_MS)

  afterAll(() => cluster.stop())

  afterEach(() => relay.stop())

  const slotOf = (key: string) => cluster.masters[0]!.client.cluster('KEYSLOT', key)

  async function start(env: Record<string, string> = {}): Promise<string> {
    relay = await Relay.start({
      workers: 2,
      env: {
        REDIS_URL: cluster.url,
        RELAY_PARTITIONS: String(PARTITIONS),
        RELAY_LEASE_MS: '4000',
        ...env,
      },
      simulator: { latency: { beforeMs: 5, afterMs: 5 } },
    })
    return relay.env.RELAY_PREFIX!
  }

  test(
    'slots move and masters hand over under load: each element once, in order',
    async () => {
      const prefix = await start()
      const partitions = numbers(PARTITIONS).map((index) => {
        return partitionKeys(
          prefix,
          partitionTag({ appId: APP_ID, lane: 'realtime', generation: 0, index }),
        ).wait
      })
      const keys = [
        ...partitions,
        workspaceKeys(prefix, APP_ID).gate,
        deploymentKeys(prefix).sessions,
      ]
      await checkUnder(relay, async () => {
        for (const key of keys) {
          const slot = await slotOf(key)
          const owner = await cluster.ownerOf(slot)
          const next = (cluster.masters.findIndex(({ id }) => id === owner.id) + 1) % 3
          await cluster.moveSlot(slot, cluster.masters[next]!)
        }
        await cluster.handOver(cluster.replicas[0]![0]!)
      })
    },
    PATIENCE_MS,
  )

  test(
    'a master dies under load: with the level replica, nothing accepted is lost',
    async () => {
      await start({ RELAY_DURABILITY: 'replica' })
      const victim = cluster.masters[1]!
      await checkUnder(relay, async () => {
        const accepted = (record: Relay['simulator']['record']) => record.totals.elements > 100
        await relay.simulator.until(accepted, 30_000)
        await victim.server.kill9()
        await cluster.takenOver(cluster.replicas[1]![0]!)
        await victim.server.restart()
      })
    },
    PATIENCE_MS,
  )
})
