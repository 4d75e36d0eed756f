import { Redis } from 'ioredis'
import { freePort, LOOPBACK } from '@relay/tools/process/port.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { startRedis, type TestRedis } from './test-redis.js'

const SLOTS = 16_384
/** A node that is silent for so long has failed in the eyes of the others, ms. */
const NODE_TIMEOUT_MS = 1_500
/** After so long a failover by hand is over, done or not, ms (Redis: 5 s). */
const FAILOVER_MS = 6_000

/** A node of a cluster, and a client of it alone. */
export interface ClusterNode {
  readonly server: TestRedis
  readonly client: Redis
  readonly id: string
}

export interface TestClusterOptions {
  readonly masters?: number
  /** Of each master. */
  readonly replicas?: number
}

/** A Redis Cluster of real servers on loopback, for one test file. */
export class TestCluster {
  /** As they began. */
  readonly masters: readonly ClusterNode[]
  /** `replicas[i]` follow `masters[i]`. */
  readonly replicas: readonly (readonly ClusterNode[])[]

  private constructor(masters: readonly ClusterNode[], replicas: readonly ClusterNode[][]) {
    this.masters = masters
    this.replicas = replicas
  }

  static async start({ masters = 3, replicas = 0 }: TestClusterOptions = {}): Promise<TestCluster> {
    const nodes = await Promise.all(
      Array.from({ length: masters * (1 + replicas) }, () => startNode()),
    )
    const first = nodes.slice(0, masters)
    const followers = first.map((_, i) => {
      const from = masters + i * replicas
      return nodes.slice(from, from + replicas)
    })
    const cluster = new TestCluster(first, followers)
    await cluster.#form()
    return cluster
  }

  /** For `REDIS_URL`. */
  get url(): string {
    return this.#all.map(({ server }) => server.url).join(',')
  }

  /** The node that owns `slot`, as the living nodes see it. */
  async ownerOf(slot: number): Promise<ClusterNode> {
    const nodes = await Promise.all(
      this.#all.map(async (node) => ((await ownsSlot(node, slot)) ? node : null)),
    )
    const owner = nodes.find((node) => node !== null)
    if (owner === undefined) throw new Error(`no one owns slot ${slot}`)
    return owner
  }

  /** Moves a slot with its keys, a few at a time, as `redis-cli --cluster reshard` does. */
  async moveSlot(slot: number, to: ClusterNode): Promise<void> {
    const from = await this.ownerOf(slot)
    if (from.id === to.id) return
    await to.client.cluster('SETSLOT', slot, 'IMPORTING', from.id)
    await from.client.cluster('SETSLOT', slot, 'MIGRATING', to.id)
    for (;;) {
      const keys = await from.client.cluster('GETKEYSINSLOT', slot, 10)
      if (keys.length === 0) break
      const target = [LOOPBACK, to.server.port, '', 0, 5_000, 'KEYS', ...keys] as const
      await from.client.call('MIGRATE', ...target)
    }
    // The new owner first, so that the slot always has one.
    for (const node of [to, from]) await node.client.cluster('SETSLOT', slot, 'NODE', to.id)
  }

  /** Makes a replica take over from its living master, without loss. */
  async handOver(replica: ClusterNode): Promise<void> {
    let askedAtMs = -Infinity
    const promoted = async () => {
      if (await isMaster(replica)) return true
      // The nodes give up after a while, for instance when the master was too busy to wait.
      if (performance.now() - askedAtMs > FAILOVER_MS) {
        askedAtMs = performance.now()
        await replica.client.cluster('FAILOVER')
      }
      return false
    }
    await waitFor(promoted, { what: 'the replica to take over', timeoutMs: 60_000 })
  }

  /** Waits until a replica has taken over from its dead master. */
  async takenOver(replica: ClusterNode): Promise<void> {
    const what = 'the replica to take over'
    await waitFor(() => isMaster(replica), { what, timeoutMs: 60_000 })
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#all.map(async ({ client, server }) => {
        client.disconnect()
        await server.stop()
      }),
    )
  }

  get #all(): readonly ClusterNode[] {
    return [...this.masters, ...this.replicas.flat()]
  }

  async #form(): Promise<void> {
    const share = Math.ceil(SLOTS / this.masters.length)
    for (const [i, { client }] of this.masters.entries()) {
      const last = Math.min(SLOTS, (i + 1) * share) - 1
      await client.call('CLUSTER', 'ADDSLOTSRANGE', i * share, last)
      // Without different epochs two nodes may both think that they won a slot.
      await client.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1)
    }
    for (const [i, node] of this.#all.entries()) {
      const before = this.#all[i - 1]
      if (before !== undefined) await meet(before, node)
    }
    await this.#agree()
    for (const [i, { id }] of this.masters.entries()) {
      for (const { client } of this.replicas[i] ?? []) await client.cluster('REPLICATE', id)
    }
    const followed = async ({ client }: ClusterNode) => {
      return /^master_link_status:up/m.test(await client.info('replication'))
    }
    for (const follower of this.replicas.flat()) {
      await waitFor(() => followed(follower), { what: 'a replica to follow', timeoutMs: 30_000 })
    }
    await this.#agree()
  }

  /** Waits until every node knows all of them and finds the cluster whole. */
  async #agree(): Promise<void> {
    const known = `cluster_known_nodes:${this.#all.length}`
    for (const { client } of this.#all) {
      const agrees = async () => {
        const info = await client.cluster('INFO')
        return info.includes('cluster_state:ok') && info.includes(known)
      }
      await waitFor(agrees, { what: 'the nodes to agree', timeoutMs: 30_000 })
    }
  }
}

async function startNode(): Promise<ClusterNode> {
  const busPort = await freePort()
  const server = await startRedis({
    appendonly: 'everysec',
    extra: [
      ...['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf'],
      ...['--cluster-port', String(busPort), '--cluster-node-timeout', String(NODE_TIMEOUT_MS)],
      // A replica may take over however long ago it heard of its master.
      ...['--cluster-replica-validity-factor', '0'],
    ],
  })
  const client = new Redis(server.url, { maxRetriesPerRequest: null })
  client.on('error', () => undefined)
  return { server, client, id: await client.cluster('MYID') }
}

async function meet({ client }: ClusterNode, other: ClusterNode): Promise<void> {
  const [, busPort] = await other.client.config('GET', 'cluster-port')
  await client.cluster('MEET', LOOPBACK, other.server.port, Number(busPort))
}

async function isMaster({ client }: ClusterNode): Promise<boolean> {
  return /^role:master/m.test(await client.info('replication'))
}

async function ownsSlot({ client, id }: ClusterNode, slot: number): Promise<boolean> {
  if (client.status !== 'ready') return false
  const shards = (await client.call('CLUSTER', 'SLOTS')) as [
    number,
    number,
    [string, number, string],
  ][]
  return shards.some(([from, to, [, , owner]]) => slot >= from && slot <= to && owner === id)
}
