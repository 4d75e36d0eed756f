import { z } from 'zod'
import type { Clock } from '@relay/shared/clock.js'
import type { DeadLetterStore } from '@relay/shared/dead-letters/dead-letter-store.js'
import { LANES } from '@relay/shared/element.js'
import { customerKey, partitionOf } from '@relay/shared/identity.js'
import { deploymentKeys, partitionTag } from '@relay/shared/queue/keys.js'
import { findLayout } from '@relay/shared/queue/layout.js'
import { PartitionQueue } from '@relay/shared/queue/partition-queue.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'
import type { TraceStore } from '@relay/shared/trace/trace-store.js'
import { identityOf } from '../identity/identity.js'
import { invalid } from './answer.js'
import { purge } from './purge.js'
import { selected } from './selected.js'

export interface ForgetParts {
  readonly client: RedisClient
  readonly prefix: string
  readonly letters: DeadLetterStore
  readonly traces: TraceStore
  readonly clock: Clock
}

/** Whom to forget: a customer of one workspace, by ordering key. */
export interface Forgotten {
  readonly appId: string
  /** `customerKey`, latin1. */
  readonly customer: string
}

export interface ForgetCount {
  /** Elements as posted that were erased from the queues. */
  readonly queued: number
  readonly dead_letters: number
}

/** Chunks looked at between two turns of the event loop and of Redis. */
const CHUNKS_AT_ONCE = 20

const schema = z.strictObject({
  app_id: z.string().min(1, 'is empty'),
  customer_id: z.string().min(1, 'is empty').optional(),
  user_identifiers: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
})

/** The body of a request to forget; throws a refusal that names the field. */
export function parseForget(body: unknown): Forgotten {
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
  const named = customer_id === undefined ? { user_identifiers } : { customer_id }
  return { appId, customer: customerKey(identityOf('event', named)) }
}

/**
 * Erases a customer from the queues and the dead letters of a workspace. Queues first: what is
 * refused meanwhile becomes a dead letter, and is found there. Others keep their order, as the
 * erased elements keep their places. What a worker is sending at this moment cannot be called back.
 */
export async function forget(parts: ForgetParts, { appId, customer }: Forgotten) {
  const { client, prefix, letters, traces, clock } = parts
  const shares: { requestId: string; elements: number }[] = []
  for (const tag of await tagsOf(parts, appId, customer)) {
    const queue = new PartitionQueue(client, prefix, tag)
    const ids = await queue.ids()
    for (let at = 0; at < ids.length; at += CHUNKS_AT_ONCE) {
      const some = ids.slice(at, at + CHUNKS_AT_ONCE)
      const erased = await Promise.all(some.map((id) => queue.erase(id, customer)))
      shares.push(...erased.flatMap((one) => one?.shares ?? []))
    }
  }
  const hex = Buffer.from(customer, 'latin1').toString('hex')
  // Workers drop what they have read ahead.
  await client.publish(deploymentKeys(prefix).wake, `forget ${appId} ${hex}`)
  // A trace is worth no failed erasure.
  await traces.note(appId, 'purged', shares, '', clock.nowMs()).catch(() => undefined)
  const filter = { reason: null, customer: hex, requestId: null, sinceMs: null }
  const steps = selected(letters, [appId], { by: 'filter', appId, filter })
  const queued = shares.reduce((sum, { elements }) => sum + elements, 0)
  return { queued, dead_letters: await purge(parts, steps) } satisfies ForgetCount
}

/** The customer's partitions: one of each lane, and of each generation that may hold elements. */
async function tagsOf({ client, prefix }: ForgetParts, appId: string, customer: string) {
  const layout = await findLayout(client, prefix, appId)
  if (layout === null) return []
  const generations = [layout, ...layout.draining]
  return LANES.flatMap((lane) =>
    generations.map(({ generation, partitions }) =>
      partitionTag({ appId, lane, generation, index: partitionOf(customer, partitions) }),
    ),
  )
}
