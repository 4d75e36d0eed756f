import { z } from 'zod'
import type { DeadLetter } from '../dead-letters/dead-letter.js'
import { parsePartitionTag } from '../queue/keys.js'

/**
 * Request to erase one customer's data: all elements accepted before the request, and none accepted
 * after it. A post that was answered before is in a chunk with a number of at most `boundary`, because a
 * partition numbers its chunks in the order in which Redis stores them. A Redis that lost its last writes
 * repeats numbers, also those that workers remember from an erasure: `untilMs` tells such chunks apart.
 */
const schema = z.object({
  id: z.string(),
  appId: z.string(),
  /** `customerKey`, hex. */
  customer: z.string(),
  /** Number of the last chunk of each of the customer's partitions at the request. */
  boundary: z.record(z.string(), z.number()),
  /** Redis ms: no chunk that is covered was stored later. Absent from an api of a version before 0.2. */
  untilMs: z.number().optional(),
  /** Redis ms; null: some worker may still send the customer's data. */
  doneAtMs: z.number().nullable(),
})

export type Erasure = Readonly<z.infer<typeof schema>>

/** Null: not a record of this version of relay. */
export function parseErasure(json: string): Erasure | null {
  try {
    return schema.safeParse(JSON.parse(json)).data ?? null
  } catch {
    return null
  }
}

/** Whether the customer's elements in this chunk were accepted before the request. */
export function coversChunk(
  { boundary, untilMs = Infinity }: Erasure,
  tag: string,
  chunkId: string,
): boolean {
  if ((storedMs(chunkId) ?? -Infinity) > untilMs) return false
  const last = boundary[tag]
  // An id begins with its number.
  if (last !== undefined) return Number.parseInt(chunkId, 10) <= last
  // Partitions of a generation that was drained before the request are gone; their dead letters are not.
  const generation = parsePartitionTag(tag)?.generation ?? Infinity
  const known = Object.keys(boundary).map((one) => parsePartitionTag(one)?.generation ?? Infinity)
  return known.length > 0 && generation < Math.min(...known)
}

/** Whether a dead letter is of an element that the erasure covers. */
export function coversLetter(erasure: Erasure, { id, appId, customer }: DeadLetter): boolean {
  if (appId !== erasure.appId || customer !== erasure.customer) return false
  const { tag, chunkId } = chunkOfLetter(id)
  return coversChunk(erasure, tag, chunkId)
}

/** When Redis stored a chunk, by its clock, ms; null: its id does not say, as before 0.2. */
export function storedMs(chunkId: string): number | null {
  const [, micros] = chunkId.split('-')
  return micros === undefined ? null : Math.floor(Number(micros) / 1_000)
}

/** The partition and chunk that a dead letter's id names. */
export function chunkOfLetter(letterId: string): { tag: string; chunkId: string } {
  const parts = letterId.split('.')
  const [lane = '', generation = '', index = '', chunkId = ''] = parts.slice(-5, -1)
  const appId = parts.slice(0, -5).join('.')
  return { tag: [appId, lane, generation, index].join('/'), chunkId }
}
