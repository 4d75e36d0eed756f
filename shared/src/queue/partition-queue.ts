import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import type { RedisClient } from '../redis/connect.js'
import { luaText, replyList, replyText, runScript, script, type Reply } from '../redis/script.js'
import {
  decodeChunk,
  UnknownChunkError,
  type TracedElement,
  eraseCustomer,
  type Erased,
} from './chunk.js'
import { deploymentKeys, partitionKeys } from './keys.js'

/**
 * BullMQ's own text for adding a job, as pinned in package.json. It becomes a function that
 * relay's script calls after its checks; a test compares the result with `Queue.add`.
 */
function bullAddStandardJob(): string {
  const require = createRequire(import.meta.url)
  const { addStandardJob } = require('bullmq/dist/cjs/scripts/addStandardJob-9') as {
    addStandardJob: { content: string }
  }
  return [
    'local function addStandardJob(KEYS, ARGV)',
    // The two arguments that its client packs are handed over as they are.
    'local cmsgpack = { unpack = function(value) return value end }',
    addStandardJob.content,
    'end\n',
  ].join('\n')
}

const ADD = script('add-chunk', 1, bullAddStandardJob() + luaText('add-chunk.lua'))
const PEEK = script('peek', 2)
const SETTLE = script('settle', 2)
const CLAIM = script('claim', 1)
const ERASE = script('erase-chunk', 2)
const RELEASE = script('release', 1)
const DEACTIVATE = script('deactivate', 2)

const NOTHING = Buffer.alloc(0)
const DAY_MS = 86_400_000
/** Leading bytes of a digest, which identify the post; see `Post.digest`. */
export const DIGEST_BYTES = 12

/** Counts that a chunk adds to its partition; elements as posted. */
export interface ChunkCounts {
  readonly bytes: number
  readonly user: number
  readonly event: number
  readonly device: number
}

export interface NewChunk {
  readonly payload: Buffer
  readonly counts: ChunkCounts
  /** Of its events beyond the first of each; MoEngage's budget counts every one. */
  readonly furtherActions: number
  /** Digests of the keyed posts that it has elements of. */
  readonly digests: readonly Buffer[]
  /** Last moment at which Redis may store it, Redis ms; absent: there is none. */
  readonly storeUntilMs?: number
}

/** Outcome of adding a chunk to an active partition. */
export type AddedReply =
  | { readonly outcome: 'stored' | 'late' | 'closed'; readonly redisNowMs: number }
  /** `digests` are stored here already; nothing was added. */
  | { readonly outcome: 'seen'; readonly redisNowMs: number; readonly digests: readonly Buffer[] }

export type AddReply =
  | AddedReply
  /** Nothing was added: mark the partition, then add again with this activation. */
  | { readonly outcome: 'inactive'; readonly redisNowMs: number; readonly activation: string }

export interface WaitingChunk {
  readonly id: string
  /** Bytes it takes in Redis. */
  readonly bytes: number
  readonly elements: readonly TracedElement[]
  /** Bitmap: bit i is set when element i is settled. Empty: none is. */
  readonly done: Buffer
}

export interface Peeked {
  readonly waiting: number
  readonly chunks: readonly WaitingChunk[]
  /** Format of the first chunk that this process cannot read; null without one. */
  readonly unreadable: number | null
}

export interface PartlySettled {
  readonly id: string
  readonly done: Buffer
  readonly counts: ChunkCounts
}

function countsText({ bytes, user, event, device }: ChunkCounts): string {
  return `${bytes},${user},${event},${device}`
}

function waitingChunk([id, payload, done]: readonly Reply[]): WaitingChunk {
  const known = Buffer.isBuffer(payload) && payload.length > 0
  return {
    id: replyText(id),
    bytes: known ? payload.length : 0,
    elements: known ? decodeChunk(payload) : [],
    done: Buffer.isBuffer(done) ? done : Buffer.alloc(0),
  }
}

/** The Redis side of one partition. Every call is one script in the partition's slot. */
export class PartitionQueue {
  readonly tag: string
  readonly #client: RedisClient
  readonly #keys: ReturnType<typeof partitionKeys>
  readonly #wake: string

  constructor(client: RedisClient, prefix: string, tag: string) {
    this.#client = client
    this.tag = tag
    this.#keys = partitionKeys(prefix, tag)
    this.#wake = deploymentKeys(prefix).wake
  }

  /**
   * Adds a chunk unless Redis gets to it after `deadlineRedisMs`. `activation`: the one for which the
   * caller marked the partition, '' for none. Rejects when Redis does not answer.
   */
  async add(
    chunk: NewChunk,
    nowMs: number,
    deadlineRedisMs: number,
    activation = '',
  ): Promise<AddReply> {
    const { bytes, user, event, device } = chunk.counts
    const elements = user + event + device
    const reply = replyList(
      await runScript(
        this.#client,
        ADD,
        [this.#keys.job],
        [
          ...[nowMs, deadlineRedisMs, `{"elements":${elements},"bytes":${bytes}}`],
          ...[chunk.payload, bytes, user, event, device, chunk.furtherActions],
          ...[this.tag, this.#wake, activation],
          ...chunk.digests,
        ],
      ),
    )
    const outcome = replyText(reply[0])
    const redisNowMs = Number(reply[1])
    if (outcome === 'stored' || outcome === 'late' || outcome === 'closed') {
      return { outcome, redisNowMs }
    }
    if (outcome === 'inactive') return { outcome, redisNowMs, activation: replyText(reply[2]) }
    return {
      outcome: 'seen',
      redisNowMs,
      digests: reply.slice(2).filter((part) => Buffer.isBuffer(part)),
    }
  }

  /**
   * Whether a keyed post's piece was stored here, for the same use of its key; see add-chunk.lua.
   * `nowMs`: Redis' time.
   */
  async hasSeen(digest: Buffer, nowMs: number): Promise<boolean> {
    const day = Math.floor(nowMs / DAY_MS)
    const days = [day, day - 1, day + 1].map((one) => this.#keys.seen(one))
    const post = digest.subarray(0, DIGEST_BYTES)
    const found = await Promise.all(days.map((key) => this.#client.hgetBuffer(key, post)))
    const usedAtS = digest.length > DIGEST_BYTES ? digest.readUInt32BE(DIGEST_BYTES) : nowMs / 1000
    return found.some((stored) => {
      if (stored === null || stored.length < 4) return stored !== null
      return usedAtS - stored.readUInt32BE(0) < DAY_MS / 1000
    })
  }

  /**
   * The oldest chunks after the first `skip`; `waiting` is the total number. Stops before the first chunk
   * of an unsupported format, which `unreadable` reports. `watch`: if the read reaches the end, the next
   * add sends a wake-up.
   */
  async peek(skip: number, chunks: number, bytes: number, watch: boolean): Promise<Peeked> {
    const reply = replyList(
      await runScript(
        this.#client,
        PEEK,
        [this.#keys.wait, this.#keys.control],
        [skip, chunks, bytes, this.#keys.job, watch ? 1 : 0],
      ),
    )
    const waiting = Number(reply[0])
    const found: WaitingChunk[] = []
    for (let i = 1; i + 2 < reply.length; i += 3) {
      try {
        found.push(waitingChunk(reply.slice(i, i + 3)))
      } catch (error) {
        if (!(error instanceof UnknownChunkError)) throw error
        return { waiting, chunks: found, unreadable: error.version }
      }
    }
    return { waiting, chunks: found, unreadable: null }
  }

  /**
   * Settles whole and partly finished chunks, unless `claim` does not own the partition any more (`fenced`).
   * `lateMs`: how long MoEngage may still process an attempt with elements of the partition. `after`: the last
   * settle as known under an earlier claim; null: it was not made under one. If Redis lost that one,
   * nothing changes (`forgotten`).
   */
  async settle(
    { claim, id, after }: { claim: string; id: string; after: string | null },
    finished: readonly string[],
    partly: readonly PartlySettled[],
    lateMs: number,
  ): Promise<{ outcome: 'settled'; waiting: number } | { outcome: 'fenced' | 'forgotten' }> {
    const marks = partly.flatMap((one) => [one.id, one.done, countsText(one.counts)])
    const about = [claim, this.#keys.job, Math.ceil(lateMs), id, after ?? '-']
    const reply = replyList(
      await runScript(
        this.#client,
        SETTLE,
        [this.#keys.wait, this.#keys.control],
        [...about, finished.length, ...finished, ...marks],
      ),
    )
    const outcome = replyText(reply[0])
    if (outcome === 'settled') return { outcome, waiting: Number(reply[1]) }
    return { outcome: outcome === 'forgotten' ? outcome : 'fenced' }
  }

  /** Number of the chunk that was stored last; 0: none was yet. */
  async lastId(): Promise<number> {
    return Number((await this.#client.get(this.#keys.id)) ?? 0)
  }

  /** Ids of everything that waits, oldest first. */
  async ids(): Promise<string[]> {
    return (await this.#client.lrange(this.#keys.wait, 0, -1)).reverse()
  }

  /**
   * Erases a customer from one chunk in place. Returns null if the chunk has no elements of the customer
   * or is settled. The owner of the partition can continue meanwhile.
   */
  async erase(id: string, customer: string): Promise<Erased | null> {
    for (;;) {
      const job = this.#keys.job + id
      const [chunk, done] = await this.#client.hmgetBuffer(job, 'chunk', 'done')
      if (!chunk) return null
      const erased = eraseCustomer(chunk, done ?? NOTHING, customer)
      if (erased === null) return null
      const { user, event, device } = erased.counts
      const read = createHash('sha1')
        .update(chunk)
        .update(done ?? NOTHING)
      const args = [read.digest('hex'), erased.chunk, user, event, device]
      const reply = await runScript(this.#client, ERASE, [job, this.#keys.control], args)
      if (replyText(reply) === 'erased') return erased
      if (replyText(reply) === 'gone') return null
    }
  }

  /** Takes ownership if the owner is still `seen` ('' for none), unless Redis gets to it too late. */
  async claim(seen: string, claim: string, deadlineRedisMs: number) {
    const args = [seen, claim, Math.floor(deadlineRedisMs)]
    const reply = replyList(await runScript(this.#client, CLAIM, [this.#keys.control], args))
    return { claimed: reply[0] === 1, owner: replyText(reply[1]), lastSettle: replyText(reply[2]) }
  }

  async release(claim: string): Promise<boolean> {
    const args = [claim, this.#wake, this.tag]
    return (await runScript(this.#client, RELEASE, [this.#keys.control], args)) === 1
  }

  /** Chunks in the queue. */
  waiting(): Promise<number> {
    return this.#client.llen(this.#keys.wait)
  }

  /** Has the next add refused until its api marked the partition again; false when chunks wait. */
  async deactivate(): Promise<boolean> {
    const { wait, control } = this.#keys
    return (await runScript(this.#client, DEACTIVATE, [wait, control], [])) === 1
  }

  /** The claim that owns the partition, '' for none. */
  async owner(): Promise<string> {
    return (await this.#client.hget(this.#keys.control, 'owner')) ?? ''
  }
}
