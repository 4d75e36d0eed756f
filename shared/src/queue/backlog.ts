import { KINDS, type Kind, type Lane } from '../element.js'
import type { RedisClient } from '../redis/connect.js'
import { runTexts, script } from '../redis/script.js'
import type { Deployment } from './deployment.js'
import { parsePartitionTag, partitionKeys } from './keys.js'
import { readTags } from './layout.js'

const BACKLOG = script('backlog', 2)

/** What Redis needs for a chunk besides the chunk's own bytes: its job's hash, its places in lists. Measured. */
const JOB_BYTES = 640
/** What a chunk needs for an element besides its JSON. */
const ELEMENT_BYTES = 16
/** Chunks of one post, unless partitions are many. */
const CHUNKS_OF_POST = 8

/** Redis bytes that elements of one post need, if no other post shares their chunks. */
export function queuedBytes(elements: readonly { readonly json: Buffer }[]): number {
  const chunks = Math.min(elements.length, CHUNKS_OF_POST)
  return elements.reduce((sum, { json }) => sum + json.length + ELEMENT_BYTES, chunks * JOB_BYTES)
}

interface Backlog {
  /** Redis bytes of the chunks and their jobs. */
  bytes: number
  /** Elements as posted. */
  readonly elements: Record<Kind, number>
  /** Of the events beyond the first of each. May still count those of a chunk that is partly sent. */
  furtherActions: number
  /** When the oldest chunk was added, ms since 1970; null: nothing waits. */
  oldestMs: number | null
}

export interface LaneBacklog extends Backlog {
  readonly appId: string
  readonly lane: Lane
}

/**
 * Reads the backlog of these workspaces from every partition of their layouts, active or not, and sums
 * it by workspace and lane. Rejects when Redis does not answer.
 */
export async function readBacklog(
  client: RedisClient,
  prefix: string,
  appIds: Iterable<string>,
): Promise<LaneBacklog[]> {
  const all = await readTags(client, prefix, appIds)
  const lengths = await Promise.all(all.map((tag) => client.llen(partitionKeys(prefix, tag).wait)))
  const tags = all.filter((_, i) => lengths[i] !== 0)
  const held = await Promise.all(tags.map((tag) => partitionBacklog(client, prefix, tag)))
  const lanes = new Map<string, LaneBacklog>()
  tags.forEach((tag, i) => {
    const partition = parsePartitionTag(tag)
    const own = held[i]
    if (!partition || !own) return
    const { appId, lane } = partition
    const key = `${appId}/${lane}`
    const sum = lanes.get(key)
    if (sum === undefined) {
      lanes.set(key, { appId, lane, ...own })
      return
    }
    sum.bytes += own.bytes
    sum.furtherActions += own.furtherActions
    for (const kind of KINDS) sum.elements[kind] += own.elements[kind]
    if (own.oldestMs !== null) sum.oldestMs = Math.min(sum.oldestMs ?? Infinity, own.oldestMs)
  })
  return [...lanes.values()]
}

export async function partitionBacklog(
  client: RedisClient,
  prefix: string,
  tag: string,
): Promise<Backlog> {
  const { control, wait, job } = partitionKeys(prefix, tag)
  const reply = await runTexts(client, BACKLOG, [control, wait], [job])
  const [bytes, user, event, device, oldest, furtherActions, chunks] = reply
  return {
    bytes: Number(bytes) + Number(chunks) * JOB_BYTES,
    elements: { user: Number(user), event: Number(event), device: Number(device) },
    furtherActions: Number(furtherActions),
    oldestMs: oldest ? Number(oldest) : null,
  }
}

/** Workspaces with elements in Redis, as far as is known: the configured, and those that were removed. */
export async function workspacesWithData(
  deployment: Deployment,
  configured: Iterable<string>,
): Promise<Set<string>> {
  const active = (await deployment.active()).flatMap((tag) => parsePartitionTag(tag)?.appId ?? [])
  return new Set([...configured, ...active])
}
