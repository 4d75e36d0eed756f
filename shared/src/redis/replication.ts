import type { RedisClient, RedisServer } from './connect.js'

/** A replica that has not acknowledged for longer does not keep up, s; they do every second. */
const REPLICA_LAG_SECONDS = 2

export interface Replicas {
  /** Connected to their master, however far behind. */
  readonly known: number
  /** Online, and acknowledged within the last two seconds. */
  readonly keepUp: number
}

/** The servers that take writes. */
export function masters(client: RedisClient): RedisServer[] {
  return 'nodes' in client ? client.nodes('master') : [client]
}

/**
 * Number of replicas that must have a write so that more than half of the servers have it, including the
 * master: the write then survives the loss of any minority. At least one.
 */
export function majority(replicas: number): number {
  return Math.max(1, Math.floor((replicas + 1) / 2))
}

/** Reads the replicas of one server. Rejects when it does not answer. */
export async function readReplicas(server: RedisServer): Promise<Replicas> {
  const info = await server.info('replication')
  const replicas = [...info.matchAll(/^slave\d+:(.*)$/gm)].map(([, facts = '']) => facts)
  const keepUp = replicas.filter((facts) => {
    const lag = Number(/lag=(\d+)/.exec(facts)?.[1] ?? Infinity)
    return facts.includes('state=online') && lag <= REPLICA_LAG_SECONDS
  })
  return { known: replicas.length, keepUp: keepUp.length }
}

/** The connections that writes go over, one of each master. */
export type Connections = readonly unknown[]

/**
 * Read them before a write and compare them after `WAIT`, which covers only writes on its own
 * connection to its own server and proves nothing after a reconnect or failover.
 */
export function connectionsOf(client: RedisClient): Connections {
  return masters(client).map(({ stream }) => stream)
}

/** Whether no connection was replaced, and no master added or lost, since then. */
export function isUnchanged(client: RedisClient, before: Connections): boolean {
  const now = connectionsOf(client)
  return now.length === before.length && now.every((one) => before.includes(one))
}

/** Waits until a majority of the servers seen since start has this process's writes. */
export class Replication {
  readonly #client: RedisClient
  readonly #waitMs: number
  /** Maximum replicas seen per server: a master that lost its replicas must not need fewer. */
  readonly #expected = new Map<string, number>()

  constructor(client: RedisClient, waitMs: number) {
    this.#client = client
    this.#waitMs = waitMs
  }

  /**
   * Call it before writing. What it returns waits for these writes: false when a majority does not have
   * them in time, or when that is unknown.
   */
  beforeWrite(): () => Promise<boolean> {
    const before = connectionsOf(this.#client)
    return () => this.#reached(before)
  }

  async #reached(before: Connections): Promise<boolean> {
    try {
      const all = await Promise.all(masters(this.#client).map((server) => this.#wait(server)))
      return all.length > 0 && all.every(Boolean) && isUnchanged(this.#client, before)
    } catch {
      return false
    }
  }

  async #wait(server: RedisServer): Promise<boolean> {
    const name = `${server.options.host ?? ''}:${server.options.port ?? ''}`
    const { known } = await readReplicas(server)
    const expected = Math.max(this.#expected.get(name) ?? 0, known)
    this.#expected.set(name, expected)
    const needed = majority(expected)
    return (await server.wait(needed, this.#waitMs)) >= needed
  }
}
