import { LANES } from '../element.js'
import type { RedisClient } from '../redis/connect.js'
import { partitionTag } from './keys.js'
import { findLayout, type Layout } from './layout.js'

/** Tags of all partitions that may hold elements: of the present generation and of those draining. */
export function tagsOf(appId: string, { generation, partitions, draining }: Layout): string[] {
  return LANES.flatMap((lane) =>
    [...draining, { generation, partitions }].flatMap((one) =>
      Array.from({ length: one.partitions }, (_, index) =>
        partitionTag({ appId, lane, generation: one.generation, index }),
      ),
    ),
  )
}

/** The same of these workspaces as their layouts in Redis are now. Rejects when Redis does not answer. */
export async function readTags(
  client: RedisClient,
  prefix: string,
  appIds: Iterable<string>,
): Promise<string[]> {
  const tags = await Promise.all(
    [...new Set(appIds)].map(async (appId) => {
      const layout = await findLayout(client, prefix, appId)
      return layout === null ? [] : tagsOf(appId, layout)
    }),
  )
  return tags.flat()
}
