import type { Clock } from '@relay/shared/clock.js'
import type { DeadLetter } from '@relay/shared/dead-letters/dead-letter.js'
import type { DeadLetterStore } from '@relay/shared/dead-letters/dead-letter-store.js'
import { chunkOfLetter, coversChunk, type Erasure } from '@relay/shared/erasure/erasure.js'
import { PartitionQueue } from '@relay/shared/queue/partition-queue.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'
import type { TraceStore } from '@relay/shared/trace/trace-store.js'
import { purge } from './purge.js'
import { selected } from './selection.js'

export interface EraseParts {
  readonly client: RedisClient
  readonly prefix: string
  readonly letters: DeadLetterStore
  readonly traces: TraceStore
  readonly clock: Clock
}

export interface Erased {
  /** Elements as posted that were erased from the queues. */
  readonly queued: number
  readonly deadLetters: number
}

/** Chunks looked at between two turns of the event loop and of Redis. */
const CHUNKS_AT_ONCE = 20

/**
 * Erases what the erasure covers from queues and dead letters. Queues first: an element that is
 * refused meanwhile becomes a dead letter, and is found there. Other elements keep their order, as
 * the erased ones keep their places. Can be repeated.
 */
export async function erase(parts: EraseParts, erasure: Erasure): Promise<Erased> {
  const { client, prefix, letters, traces, clock } = parts
  const { appId } = erasure
  const customer = Buffer.from(erasure.customer, 'hex').toString('latin1')
  const shares: { requestId: string; elements: number }[] = []
  for (const tag of Object.keys(erasure.boundary)) {
    const queue = new PartitionQueue(client, prefix, tag)
    const ids = (await queue.ids()).filter((id) => coversChunk(erasure, tag, id))
    for (let at = 0; at < ids.length; at += CHUNKS_AT_ONCE) {
      const some = ids.slice(at, at + CHUNKS_AT_ONCE)
      const erased = await Promise.all(some.map((id) => queue.erase(id, customer)))
      shares.push(...erased.flatMap((one) => one?.shares ?? []))
    }
  }
  // An erasure must not fail because of a trace.
  await traces.note(appId, 'purged', shares, '', clock.nowMs()).catch(() => undefined)
  const queued = shares.reduce((sum, { elements }) => sum + elements, 0)
  return { queued, deadLetters: await purge(parts, coveredLetters(letters, erasure)) }
}

async function* coveredLetters(
  letters: DeadLetterStore,
  erasure: Erasure,
): AsyncGenerator<readonly DeadLetter[]> {
  const { appId, customer } = erasure
  const filter = { reason: null, customer, requestId: null, sinceMs: null }
  for await (const step of selected(letters, [appId], { by: 'filter', appId, filter })) {
    yield step.filter((letter) => coversLetter(erasure, letter))
  }
}

/** Whether a dead letter is of an element that the erasure covers. */
export function coversLetter(erasure: Erasure, { id, appId, customer }: DeadLetter): boolean {
  if (appId !== erasure.appId || customer !== erasure.customer) return false
  const { tag, chunkId } = chunkOfLetter(id)
  return coversChunk(erasure, tag, chunkId)
}
