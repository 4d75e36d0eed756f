import type { Kind, Lane } from '../element.js'
import type { RedisClient } from '../redis/connect.js'
import { luaText, replyList, replyText, runScript, type Script } from '../redis/script.js'
import type { Deployment } from './deployment.js'
import { parsePartitionTag, partitionKeys } from './keys.js'
import { readTags } from './partitions.js'

const BACKLOG: Script = { name: 'backlog', text: luaText('backlog.lua'), keys: 2 }

/** What waits in one lane of a workspace. */
export interface LaneBacklog {
  readonly appId: string
  readonly lane: Lane
  /** Redis bytes of the chunks. */
  bytes: number
  /** Elements as posted. */
  readonly elements: Record<Kind, number>
  /** When the oldest chunk was added, ms since 1970; null: nothing waits. */
  oldestMs: number | null
}

/**
 * Reads the backlog of these workspaces where it lies, summed by workspace and lane: of every partition
 * of their layouts, active or not. Rejects when Redis does not answer.
 */
export async function readBacklog(
  client: RedisClient,
  prefix: string,
  appIds: Iterable<string>,
): Promise<LaneBacklog[]> {
  const all = await readTags(client, prefix, appIds)
  const lengths = await Promise.all(all.map((tag) => client.llen(partitionKeys(prefix, tag).wait)))
  const tags = all.filter((_, i) => lengths[i] !== 0)
  const replies = await Promise.all(
    tags.map((tag) => {
      const keys = partitionKeys(prefix, tag)
      return runScript(client, BACKLOG, [keys.control, keys.wait], [keys.job])
    }),
  )
  const lanes = new Map<string, LaneBacklog>()
  tags.forEach((tag, i) => {
    const partition = parsePartitionTag(tag)
    if (!partition) return
    const { appId, lane } = partition
    const key = `${appId}/${lane}`
    const sum = lanes.get(key) ?? {
      appId,
      lane,
      bytes: 0,
      elements: { user: 0, event: 0, device: 0 },
      oldestMs: null,
    }
    const [bytes, user, event, device, oldest] = replyList(replies[i]).map(replyText)
    sum.bytes += Number(bytes)
    sum.elements.user += Number(user)
    sum.elements.event += Number(event)
    sum.elements.device += Number(device)
    if (oldest) sum.oldestMs = Math.min(sum.oldestMs ?? Infinity, Number(oldest))
    lanes.set(key, sum)
  })
  return [...lanes.values()]
}

/** Workspaces with elements in Redis, as far as is known: the configured, and those that were removed. */
export async function workspacesWithData(
  deployment: Deployment,
  configured: Iterable<string>,
): Promise<Set<string>> {
  const active = (await deployment.active()).flatMap((tag) => parsePartitionTag(tag)?.appId ?? [])
  return new Set([...configured, ...active])
}
