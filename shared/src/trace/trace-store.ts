import { workspaceKeys } from '../queue/keys.js'
import type { RedisClient } from '../redis/connect.js'
import { runScript, script } from '../redis/script.js'
import {
  decodeTrace,
  encodeTrace,
  listOf,
  type Listed,
  type RequestShare,
  type Traced,
  type TraceEvent,
} from './trace-entry.js'

const TRACE = script('trace', 2)

/** Traces are kept this long after the last entry of their minute. */
export const TRACE_KEPT_MS = 86_400_000

/** Delay in which entries are collected before they are written together, ms. */
const TOGETHER_MS = 20
/** Maximum entries per script call. */
const MAX_ENTRIES_PER_CALL = 200

/** Records the worker's sent elements. Best effort: never rejects, never delays the sender. */
export interface TraceWriter {
  /** `bulkId` names the request to MoEngage as the worker's log does, see `bulkNames`. */
  sent(appId: string, shares: Iterable<RequestShare>, bulkId: string, atMs: number): void
  /** Accepted in shadow, and dropped. */
  shadowed(appId: string, shares: Iterable<RequestShare>, atMs: number): void
}

/** Records the fate of each request's elements in Redis, and looks it up. */
export class TraceStore implements TraceWriter {
  readonly #client: RedisClient
  readonly #prefix: string
  readonly #mostBytes: number
  /** Entries to be written, by app id. */
  readonly #pending = new Map<string, Listed[]>()
  #timer: NodeJS.Timeout | undefined

  /** `mostBytes` bounds the traces of one workspace; 0 keeps none. */
  constructor(client: RedisClient, prefix: string, mostBytes: number) {
    this.#client = client
    this.#prefix = prefix
    this.#mostBytes = mostBytes
  }

  sent(appId: string, shares: Iterable<RequestShare>, bulkId: string, atMs: number): void {
    this.#soon(appId, encodeTrace('sent', atMs, bulkId, summed(shares)))
  }

  shadowed(appId: string, shares: Iterable<RequestShare>, atMs: number): void {
    this.#soon(appId, encodeTrace('shadowed', atMs, '', summed(shares)))
  }

  /** Writes the collected entries. Never rejects. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const writes = [...this.#pending].map(([appId, entries]) => this.#write(appId, entries))
    this.#pending.clear()
    await Promise.allSettled(writes)
  }

  #soon(appId: string, entries: Iterable<Listed>): void {
    if (this.#mostBytes === 0) return
    const waiting = this.#pending.get(appId) ?? []
    waiting.push(...entries)
    this.#pending.set(appId, waiting)
    if (waiting.length >= MAX_ENTRIES_PER_CALL) void this.flush()
    else this.#timer ??= setTimeout(() => void this.flush(), TOGETHER_MS)
  }

  /** Rejects when Redis does not answer. */
  async note(
    appId: string,
    event: TraceEvent,
    shares: Iterable<RequestShare>,
    bulkId: string,
    atMs: number,
  ): Promise<void> {
    if (this.#mostBytes === 0) return
    await this.#write(appId, encodeTrace(event, atMs, bulkId, summed(shares)))
  }

  async #write(appId: string, entries: readonly Listed[]): Promise<void> {
    if (entries.length === 0) return
    const keys = this.#keys(appId)
    const args = [keys.lists, this.#mostBytes, TRACE_KEPT_MS / 1000]
    const listed = entries.flatMap(({ producerTag, minute, entry }) => [producerTag, minute, entry])
    await runScript(this.#client, TRACE, [keys.bytes, keys.producers], [...args, ...listed])
  }

  /** The entries of a request; null if its producer's entries of that minute were dropped. */
  async find(appId: string, requestId: string): Promise<Traced[] | null> {
    const place = listOf(requestId)
    if (place === null) return []
    const { producerTag, minute } = place
    const keys = this.#keys(appId)
    const [entries, dropped] = await Promise.all([
      this.#client.lrangeBuffer(`${keys.lists}${producerTag}:${minute}`, 0, -1),
      this.#client.hget(keys.bytes, String(producerTag)),
    ])
    const own = decodeTrace(entries, requestId)
    // Others of that minute may have come since.
    return own.length === 0 && minute <= Number(dropped ?? 0) ? null : own
  }

  #keys(appId: string) {
    const { traceBytes, traceProducers, traces } = workspaceKeys(this.#prefix, appId)
    return { lists: traces, bytes: traceBytes, producers: traceProducers }
  }
}

function summed(shares: Iterable<RequestShare>): RequestShare[] {
  const sums = new Map<string, number>()
  for (const { requestId, elements } of shares) {
    if (elements > 0) sums.set(requestId, (sums.get(requestId) ?? 0) + elements)
  }
  return [...sums].map(([requestId, elements]) => ({ requestId, elements }))
}
