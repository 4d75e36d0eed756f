import type { Kind } from '../element.js'
import type { RedisClient } from '../redis/connect.js'
import { partitionBacklog } from './backlog.js'
import { parsePartitionTag, partitionKeys, type Partition } from './keys.js'
import { readTags } from './layout.js'
import { sessionOf } from './session-id.js'
import { liveSessions, readLeases } from './workers.js'

/** A partition that holds elements. */
export interface PartitionState extends Partition {
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
  const [leases, tags] = await Promise.all([
    readLeases(client, prefix),
    readTags(client, prefix, appIds),
  ])
  const alive = liveSessions(leases)
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
        owner: alive.has(session) ? session : null,
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
