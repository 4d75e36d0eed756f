import { groupBy } from '../group-by.js'
import { workspaceKeys } from '../queue/keys.js'
import type { RedisClient } from '../redis/connect.js'
import { parseRequestId } from '../request-id.js'
import { runScript, runTexts, script, scoresOf } from '../redis/script.js'
import {
  matches,
  DEAD_LETTER_REASONS,
  type DeadLetterFilter,
  type DeadLetter,
  type DeadLetterReason,
  type DeadLetterSink,
} from './dead-letter.js'

const KEYS = 6 + DEAD_LETTER_REASONS.length
const ADD = script('dead-letters-add', KEYS)
const REMOVE = script('dead-letters-remove', KEYS)

/** Order numbers per millisecond: see lua/dead-letters-add.lua. */
export const ORDERS_PER_MS = 1024
/** Maximum letters per script call, so that a call never blocks Redis for long. */
const LETTERS_PER_CALL = 500
/** Size at which a page of letters ends early. */
const PAGE_BYTES = 8 * 1024 * 1024
/** Letters read at one time; one may hold a whole request body. */
const READ_AT_ONCE = 50
/** A page looks at no more index entries than this before it hands a cursor back. */
const MAX_LOOKED_AT = 5_000

/** A kept letter with its order number, which grows with every death. */
export interface KeptLetter {
  readonly order: number
  readonly letter: DeadLetter
}

export interface PageRequest {
  readonly filter: DeadLetterFilter
  /** `oldest`: in the order they died. */
  readonly first: 'newest' | 'oldest'
  /** Order number after which the page starts; null: from the start. */
  readonly after: number | null
  /** Nothing that died later than this order number; null: no bound. */
  readonly upTo?: number | null
  readonly limit: number
}

export interface LetterPage {
  readonly letters: readonly KeptLetter[]
  /** `after` of the next page; null on the last page. */
  readonly next: number | null
}

/**
 * Keeps dead letters in Redis, all of a workspace in one slot. A letter costs its JSON and about
 * 500 bytes for the indexes, counted per producer. They are bounded by their age
 * (`RELAY_DEAD_LETTER_DAYS`) and by intake, which refuses a producer whose letters use their share.
 */
export class DeadLetterStore implements DeadLetterSink {
  readonly #client: RedisClient
  readonly #prefix: string

  constructor(client: RedisClient, prefix: string) {
    this.#client = client
    this.#prefix = prefix
  }

  async add(letters: readonly DeadLetter[]): Promise<void> {
    for (const [appId, own] of groupBy(letters, ({ appId }) => appId)) {
      for (const some of slices(own, LETTERS_PER_CALL)) {
        const args = some.flatMap((letter) => [
          ...[letter.id, reasonNumber(letter.reason), letter.deadAtMs],
          ...[letter.customer, letter.requestId, tagOf(letter), JSON.stringify(letter)],
        ])
        await runScript(this.#client, ADD, this.#allKeys(appId), args)
      }
    }
  }

  /** Forgets letters; returns those that were still kept. */
  async remove(letters: readonly DeadLetter[]): Promise<DeadLetter[]> {
    const removed: DeadLetter[] = []
    for (const [appId, own] of groupBy(letters, ({ appId }) => appId)) {
      for (const some of slices(own, LETTERS_PER_CALL)) {
        const args = some.flatMap((letter) => [
          ...[letter.id, reasonNumber(letter.reason), letter.customer],
          ...[letter.requestId, tagOf(letter)],
        ])
        const gone = new Set(await runTexts(this.#client, REMOVE, this.#allKeys(appId), args))
        removed.push(...some.filter(({ id }) => gone.has(id)))
      }
    }
    return removed
  }

  /** Letters by id, oldest first; unknown ids are left out. */
  async get(ids: readonly string[]): Promise<DeadLetter[]> {
    const known: KeptLetter[] = []
    for (const [appId, own] of groupBy(new Set(ids), appIdOfLetter)) {
      for (const some of slices(own, READ_AT_ONCE)) {
        const orders = await Promise.all(
          some.map((id) => this.#client.zscore(this.#keys(appId).order, id)),
        )
        const entries = some.map((id, i) => ({ id, order: Number(orders[i] ?? 0) }))
        known.push(...(await this.#load(appId, entries)))
      }
    }
    return known.sort((a, b) => a.order - b.order).map(({ letter }) => letter)
  }

  /** Letters of one workspace that match, page by page. */
  async page(appId: string, request: PageRequest): Promise<LetterPage> {
    const letters: KeptLetter[] = []
    let after = request.after
    let bytes = 0
    for (let looked = 0; looked < MAX_LOOKED_AT;) {
      const count = Math.min(READ_AT_ONCE, Math.max(request.limit - letters.length, 1))
      const entries = await this.#index(appId, { ...request, after }, count)
      for (const { order, letter } of await this.#load(appId, entries)) {
        if (!matches(letter, request.filter)) continue
        letters.push({ order, letter })
        bytes += letter.element.length
      }
      const last = entries.at(-1)
      if (last === undefined || entries.length < count) return { letters, next: null }
      after = last.order
      looked += entries.length
      if (letters.length >= request.limit || bytes > PAGE_BYTES) break
    }
    const more = await this.#index(appId, { ...request, after }, 1)
    return { letters, next: more.length > 0 ? after : null }
  }

  /** Order number of the newest letter, 0 without letters. */
  async newestOrder(appId: string): Promise<number> {
    return Number((await this.#client.get(this.#keys(appId).last)) ?? 0)
  }

  /** Bytes of the stored letters, by the tag of their producer. */
  async bytes(appId: string): Promise<ReadonlyMap<number, number>> {
    const counted = await this.#client.hgetall(this.#keys(appId).bytes)
    return new Map(Object.entries(counted).map(([tag, bytes]) => [Number(tag), Number(bytes)]))
  }

  async counts(appId: string): Promise<Record<DeadLetterReason, number>> {
    const counts = await Promise.all(
      DEAD_LETTER_REASONS.map((reason) => this.#client.zcard(this.#keys(appId).reason(reason))),
    )
    const entries = DEAD_LETTER_REASONS.map((reason, i) => [reason, counts[i] ?? 0])
    return Object.fromEntries(entries) as Record<DeadLetterReason, number>
  }

  async #load(appId: string, entries: readonly IndexEntry[]): Promise<KeptLetter[]> {
    if (entries.length === 0) return []
    const texts = await this.#client.hmget(
      this.#keys(appId).letters,
      ...entries.map(({ id }) => id),
    )
    return entries.flatMap(({ order }, i) => {
      const text = texts[i]
      return text ? [{ order, letter: JSON.parse(text) as DeadLetter }] : []
    })
  }

  #index(appId: string, request: PageRequest, count: number): Promise<IndexEntry[]> {
    const { filter, first, after, upTo } = request
    const keys = this.#keys(appId)
    const from = filter.sinceMs === null ? 0 : filter.sinceMs * ORDERS_PER_MS
    const window = { first, after, from, upTo: upTo ?? null, count }
    if (filter.requestId !== null) {
      return readIndex(this.#client, { key: keys.requests, subject: filter.requestId }, window)
    }
    if (filter.customer !== null) {
      return readIndex(this.#client, { key: keys.customers, subject: filter.customer }, window)
    }
    const key = filter.reason === null ? keys.order : keys.reason(filter.reason)
    return readIndex(this.#client, { key, subject: null }, window)
  }

  #keys(appId: string) {
    const base = workspaceKeys(this.#prefix, appId).deadLetters
    return {
      letters: `${base}:letters`,
      last: `${base}:last`,
      order: `${base}:order`,
      customers: `${base}:customers`,
      requests: `${base}:requests`,
      /** Hash: bytes by producer tag. */
      bytes: `${base}:bytes`,
      reason: (reason: DeadLetterReason) => `${base}:reason:${reason}`,
    }
  }

  #allKeys(appId: string): string[] {
    const keys = this.#keys(appId)
    return [
      ...[keys.letters, keys.last, keys.order, keys.customers, keys.requests],
      ...DEAD_LETTER_REASONS.map(keys.reason),
      keys.bytes,
    ]
  }
}

/** The workspace that a letter's id names: app ids have no dot. */
export function appIdOfLetter(id: string): string {
  return id.slice(0, Math.max(0, id.indexOf('.')))
}

/** The tag of the producer that posted it, as the field that counts its bytes. */
function tagOf({ requestId }: DeadLetter): number {
  return parseRequestId(requestId)?.producerTag ?? 0
}

function reasonNumber(reason: DeadLetterReason): number {
  return DEAD_LETTER_REASONS.indexOf(reason) + 1
}

function* slices<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size)
}

interface IndexEntry {
  readonly id: string
  readonly order: number
}

/** An index as written by lua/dead-letters-add.lua: by order alone, or of one subject (`subject` not null). */
interface LetterIndex {
  readonly key: string
  readonly subject: string | null
}

interface IndexWindow {
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
async function readIndex(
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
    if (first === 'newest') most = `(${after}`
    else least = `(${Math.max(after, from - 1)}`
  }
  const flat =
    first === 'newest'
      ? await client.zrevrangebyscore(key, most, least, 'WITHSCORES', 'LIMIT', 0, count)
      : await client.zrangebyscore(key, least, most, 'WITHSCORES', 'LIMIT', 0, count)
  return [...scoresOf(flat)].map(([id, order]) => ({ id, order }))
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
