import type { RedisClient } from '../redis/connect.js'

export interface IndexEntry {
  readonly id: string
  readonly order: number
}

/** An index as written by lua/dead-letters-add.lua: by order alone, or of one subject (`subject` not null). */
export interface LetterIndex {
  readonly key: string
  readonly subject: string | null
}

export interface IndexWindow {
  readonly first: 'newest' | 'oldest'
  /** Order number after which to start; null: from the start. */
  readonly after: number | null
  /** Lowest order number wanted. */
  readonly from: number
  /** Highest order number wanted; null: no bound. */
  readonly upTo: number | null
  readonly count: number
}

const ORDER_DIGITS = 16
/** Sorts after every character of an id or an order number. */
const BEHIND_ALL = '~'

/** Entries of an index in the requested order. */
export async function readIndex(
  client: RedisClient,
  index: LetterIndex,
  window: IndexWindow,
): Promise<IndexEntry[]> {
  return index.subject === null
    ? readByOrder(client, index.key, window)
    : readOfSubject(client, index.key, index.subject, window)
}

async function readByOrder(
  client: RedisClient,
  key: string,
  { first, after, from, upTo, count }: IndexWindow,
): Promise<IndexEntry[]> {
  let least = String(from)
  let most = upTo === null ? '+inf' : String(upTo)
  if (after !== null) {
    if (first === 'newest') most = `(${String(after)}`
    else least = `(${String(Math.max(after, from - 1))}`
  }
  const flat =
    first === 'newest'
      ? await client.zrevrangebyscore(key, most, least, 'WITHSCORES', 'LIMIT', 0, count)
      : await client.zrangebyscore(key, least, most, 'WITHSCORES', 'LIMIT', 0, count)
  const entries: IndexEntry[] = []
  for (let i = 0; i + 1 < flat.length; i += 2) {
    entries.push({ id: flat[i] ?? '', order: Number(flat[i + 1]) })
  }
  return entries
}

async function readOfSubject(
  client: RedisClient,
  key: string,
  subject: string,
  { first, after, from, upTo, count }: IndexWindow,
): Promise<IndexEntry[]> {
  const at = (order: number): string => subject + digits(order)
  let least = `[${at(from)}`
  let most = upTo === null ? `(${subject}${BEHIND_ALL}` : `(${at(upTo)}${BEHIND_ALL}`
  if (after !== null) {
    if (first === 'newest') most = `(${at(after)}`
    else least = `(${at(Math.max(after, from - 1))}${BEHIND_ALL}`
  }
  const members =
    first === 'newest'
      ? await client.zrevrangebylex(key, most, least, 'LIMIT', 0, count)
      : await client.zrangebylex(key, least, most, 'LIMIT', 0, count)
  return members.map((member) => {
    const rest = member.slice(subject.length)
    return { order: Number(rest.slice(0, ORDER_DIGITS)), id: rest.slice(ORDER_DIGITS) }
  })
}

function digits(order: number): string {
  return String(Math.max(0, order)).padStart(ORDER_DIGITS, '0')
}
