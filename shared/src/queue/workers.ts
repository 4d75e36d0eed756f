import type { Kind } from '../element.js'
import type { RedisClient } from '../redis/connect.js'
import { readRedisMs } from '../redis/redis-clock.js'
import { scoresOf } from '../redis/script.js'
import { partitionBacklog } from './backlog.js'
import { deploymentKeys, partitionKeys, parsePartitionTag, type Partition } from './keys.js'
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
  const [{ sessions, lastEndMs }, tags] = await Promise.all([
    readLeases(client, prefix),
    readTags(client, prefix, appIds),
  ])
  const claims = await readClaims(client, prefix, tags)
  const served = claims.filter((claim) => sessions.has(sessionOf(claim))).length
  return {
    alive: sessions.size,
    served,
    unserved: claims.length - served,
    noneSinceMs: sessions.size > 0 ? null : lastEndMs,
  }
}

/** A partition that holds elements. */
interface PartitionState extends Partition {
  readonly chunks: number
  readonly elements: Readonly<Record<Kind, number>>
  readonly bytes: number
  /** When the oldest chunk was added, ms since 1970 UTC. Null: the partition was emptied meanwhile. */
  readonly oldestMs: number | null
  /** Session of the live worker that claims the partition. Null: no live worker does. */
  readonly owner: string | null
}

export interface PartitionList {
  /** The fullest, in the order of their names. */
  readonly partitions: readonly PartitionState[]
  /** Number of partitions with elements, including those not listed. */
  readonly total: number
}

/** Reads the `most` fullest partitions of these workspaces. Rejects when Redis does not answer. */
export async function readPartitions(
  client: RedisClient,
  prefix: string,
  appIds: Iterable<string>,
  most: number,
): Promise<PartitionList> {
  const [{ sessions }, tags] = await Promise.all([
    readLeases(client, prefix),
    readTags(client, prefix, appIds),
  ])
  const lengths = await Promise.all(tags.map((tag) => client.llen(partitionKeys(prefix, tag).wait)))
  const full = tags.flatMap((tag, i) => {
    const partition = parsePartitionTag(tag)
    const chunks = lengths[i] ?? 0
    return partition === null || chunks === 0 ? [] : [{ tag, chunks, partition }]
  })
  const shown = full.toSorted((a, b) => b.chunks - a.chunks).slice(0, most)
  const partitions = await Promise.all(
    shown.map(async ({ tag, chunks, partition }) => {
      const [backlog, claim] = await Promise.all([
        partitionBacklog(client, prefix, tag),
        client.hget(partitionKeys(prefix, tag).control, 'owner'),
      ])
      const session = sessionOf(claim ?? '')
      return {
        ...{ ...partition, chunks, ...backlog },
        owner: sessions.has(session) ? session : null,
      }
    }),
  )
  return { partitions: partitions.toSorted(byName), total: full.length }
}

function byName(a: Partition, b: Partition): number {
  if (a.appId !== b.appId) return a.appId < b.appId ? -1 : 1
  if (a.lane !== b.lane) return a.lane === 'realtime' ? -1 : 1
  return a.generation - b.generation || a.index - b.index
}

/** The workers' sessions as registered in Redis. */
export interface Leases {
  readonly redisNowMs: number
  /** Session → end of its lease, Redis ms; those whose lease is valid. */
  readonly sessions: ReadonlyMap<string, number>
  /** When the last lease of all ends or ended, Redis ms; null: no session is registered. */
  readonly lastEndMs: number | null
}

/** Rejects when Redis does not answer. */
export async function readLeases(client: RedisClient, prefix: string): Promise<Leases> {
  const [redisNowMs, scored] = await Promise.all([
    readRedisMs(client),
    client.zrange(deploymentKeys(prefix).sessions, '0', '-1', 'WITHSCORES'),
  ])
  const ends = [...scoresOf(scored)]
  return {
    redisNowMs,
    sessions: new Map(ends.filter(([, endMs]) => endMs > redisNowMs)),
    lastEndMs: ends.at(-1)?.[1] ?? null,
  }
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
