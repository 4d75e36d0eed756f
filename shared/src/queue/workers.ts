import type { RedisClient } from '../redis/connect.js'
import { deploymentKeys, partitionKeys } from './keys.js'
import { readTags } from './layout.js'
import { sessionOf } from './session-id.js'

/** The workers of a deployment, and which partitions with a backlog they serve. */
export interface WorkersState {
  /** Workers with a valid lease. */
  readonly alive: number
  /** Partitions that hold elements and are claimed by a live worker. */
  readonly served: number
  /** Partitions that hold elements and are claimed by no live worker. */
  readonly unserved: number
  /**
   * End of the last worker's lease, ms since 1970 UTC. Null while a worker is alive, and when the time is
   * unknown: a worker that shuts down gracefully leaves no record.
   */
  readonly noneSinceMs: number | null
}

/** Reads leases and claims from Redis. Rejects when Redis does not answer. */
export async function readWorkers(
  client: RedisClient,
  prefix: string,
  appIds: Iterable<string>,
): Promise<WorkersState> {
  const [leases, tags] = await Promise.all([
    readLeases(client, prefix),
    readTags(client, prefix, appIds),
  ])
  const { sessions } = leases
  const alive = liveSessions(leases)
  const claims = await readClaims(client, prefix, tags)
  const served = claims.filter((claim) => alive.has(sessionOf(claim))).length
  return {
    alive: alive.size,
    served,
    unserved: claims.length - served,
    noneSinceMs: alive.size > 0 || sessions.size === 0 ? null : Math.max(...sessions.values()),
  }
}

interface Leases {
  /** Session → end of its lease, Redis ms. */
  readonly sessions: ReadonlyMap<string, number>
  readonly redisNowMs: number
}

export async function readLeases(client: RedisClient, prefix: string): Promise<Leases> {
  const [time, leases] = await Promise.all([
    client.time(),
    client.zrange(deploymentKeys(prefix).sessions, '0', '-1', 'WITHSCORES'),
  ])
  const redisNowMs = Number(time[0]) * 1000 + Math.floor(Number(time[1]) / 1000)
  const sessions = new Map<string, number>()
  for (let i = 0; i + 1 < leases.length; i += 2)
    sessions.set(leases[i] ?? '', Number(leases[i + 1]))
  return { sessions, redisNowMs }
}

export function liveSessions({ sessions, redisNowMs }: Leases): ReadonlySet<string> {
  return new Set([...sessions].filter(([, endMs]) => endMs > redisNowMs).map(([id]) => id))
}

/** The claim on each partition that holds elements, '' for none. */
async function readClaims(
  client: RedisClient,
  prefix: string,
  tags: readonly string[],
): Promise<string[]> {
  const found = await Promise.all(
    tags.map(async (tag) => {
      const { wait, control } = partitionKeys(prefix, tag)
      const [length, owner] = await Promise.all([client.llen(wait), client.hget(control, 'owner')])
      return length === 0 ? null : (owner ?? '')
    }),
  )
  return found.filter((claim) => claim !== null)
}
