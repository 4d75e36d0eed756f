import { z } from 'zod'
import { storedMs, type Erasure } from '@relay/shared/erasure/erasure.js'
import { LANES } from '@relay/shared/element.js'
import { customerKey, partitionOf } from '@relay/shared/identity.js'
import { partitionTag } from '@relay/shared/queue/keys.js'
import { findLayout } from '@relay/shared/queue/layout.js'
import { PartitionQueue } from '@relay/shared/queue/partition-queue.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'
import { readRedisMs } from '@relay/shared/redis/redis-clock.js'
import { identityOf } from '../accept/identity.js'
import { isIdentifier } from '../validate/identifiers.js'
import type { Vocabulary } from '../validate/vocabulary.js'
import { invalid } from './answer.js'

/** The customer to erase: workspace and customer key. */
export interface Forgotten {
  readonly appId: string
  /** `customerKey`, latin1. */
  readonly customer: string
}

const schema = z.strictObject({
  app_id: z.string().min(1, 'is empty'),
  customer_id: z.string().min(1, 'is empty').optional(),
  user_identifiers: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
})

/**
 * Parses a request to forget; throws a refusal that names the field. `namesOf` returns the names of
 * a workspace.
 */
export function parseForget(body: unknown, namesOf: (appId: string) => Vocabulary): Forgotten {
  const parsed = schema.safeParse(body ?? {})
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const field = String(issue?.path[0] ?? 'body')
    throw invalid(field, `${field} ${issue?.message ?? 'is not valid'}`)
  }
  const { app_id: appId, customer_id, user_identifiers } = parsed.data
  if ((customer_id === undefined) === (user_identifiers === undefined)) {
    throw invalid('customer_id', 'Give customer_id or user_identifiers, as the elements name it')
  }
  if (user_identifiers !== undefined && !Object.values(user_identifiers).some(isIdentifier)) {
    throw invalid('user_identifiers', 'Give at least one identifier that is not blank')
  }
  const named = customer_id === undefined ? { user_identifiers } : { customer_id }
  return { appId, customer: customerKey(identityOf('event', named, namesOf(appId))) }
}

/**
 * The end of the customer's data accepted so far: the last chunk of each of the customer's
 * partitions. Every post answered before now is in one of these chunks or an earlier one. Redis' clock may
 * have stepped back since it stored some of them.
 */
export async function boundaryOf(
  client: RedisClient,
  prefix: string,
  { appId, customer }: Forgotten,
): Promise<{ boundary: Erasure['boundary']; untilMs: number }> {
  const tags = await tagsOf(client, prefix, { appId, customer })
  const queues = tags.map((tag) => new PartitionQueue(client, prefix, tag))
  const last = await Promise.all(queues.map((queue) => queue.lastId()))
  const waiting = (await Promise.all(queues.map((queue) => queue.ids()))).flat()
  const untilMs = waiting.reduce(
    (latest, id) => Math.max(latest, storedMs(id) ?? 0),
    await readRedisMs(client),
  )
  return { boundary: Object.fromEntries(tags.map((tag, i) => [tag, last[i] ?? 0])), untilMs }
}

/** The customer's partitions: one per lane and per generation that may contain elements. */
async function tagsOf(client: RedisClient, prefix: string, { appId, customer }: Forgotten) {
  const layout = await findLayout(client, prefix, appId)
  if (layout === null) return []
  const generations = [layout, ...layout.draining]
  return LANES.flatMap((lane) =>
    generations.map(({ generation, partitions }) =>
      partitionTag({ appId, lane, generation, index: partitionOf(customer, partitions) }),
    ),
  )
}
