import type { Clock } from '@relay/shared/clock.js'
import type { Deployment } from '@relay/shared/queue/deployment.js'
import { partitionTag } from '@relay/shared/queue/keys.js'
import type { Layout, LayoutStore } from '@relay/shared/queue/layout.js'
import { PartitionQueue, type NewChunk } from '@relay/shared/queue/partition-queue.js'
import type { Post, PostStore, NotStoredReason, StoreOutcome } from '@relay/shared/queue/post.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'
import { readRedisMs, RedisClock } from '@relay/shared/redis/redis-clock.js'
import { connectionsOf, type Connections } from '@relay/shared/redis/replication.js'
import {
  PartitionWriter,
  type PieceOutcome,
  type Flushes,
  dividePost,
  type Piece,
} from './partition-writer.js'

/** Deadline of an add, ms. With the calls before it, a 503 is sent within a second. */
export const ADD_TIMEOUT_MS = 600
/** Maximum total time of a post in the store, ms. */
const STORE_TIMEOUT_MS = 900
/** Maximum age of a layout, ms. */
const LAYOUT_AGE_MS = 60_000
/** Pause before another read of a layout that is being changed, ms. */
const LAYOUT_WAIT_MS = 25

export interface RedisPostStoreOptions {
  readonly client: RedisClient
  readonly prefix: string
  readonly deployment: Deployment
  readonly layouts: LayoutStore
  readonly clock: Clock
  /** Why another post cannot be accepted; null if it can. */
  readonly refusal: (post: Post) => 'backlog_full' | 'redis_full' | 'durability' | null
  /** Whether chunks should be compressed now, to save memory at the cost of CPU. */
  readonly compress: () => boolean
  /** Waits until writes since `before` have the configured durability; false if they do not. */
  readonly durable: (before: Connections) => Promise<boolean>
  readonly sleep: (ms: number) => Promise<void>
}

interface Writer {
  readonly tag: string
  readonly writer: PartitionWriter
}

/** Stores posts as chunks in the queues of their partitions. One per process. */
export class RedisPostStore implements PostStore {
  readonly #options: RedisPostStoreOptions
  readonly #redisClock: RedisClock
  readonly #flushes: FlushScheduler
  readonly #writers = new Map<string, Writer>()
  readonly #layouts = new Map<string, { layout: Layout; readAtMs: number }>()

  constructor(options: RedisPostStoreOptions) {
    this.#options = options
    this.#redisClock = new RedisClock(options.clock)
    this.#flushes = new FlushScheduler(options.clock)
    options.client.on('close', () => {
      this.#redisClock.reset()
      this.#layouts.clear()
    })
  }

  async store(post: Post): Promise<StoreOutcome> {
    if (this.#options.client.status !== 'ready') return refused('redis_unavailable')
    const refusal = this.#options.refusal(post)
    if (refusal) return refused(refusal)
    const deadlineMs = this.#options.clock.monotonicMs() + STORE_TIMEOUT_MS
    const progress = { stored: false }
    try {
      return await this.#storeUntil(post, deadlineMs, progress)
    } catch {
      // Outside the writers only layouts, digests and the time are read: no elements have been sent.
      return failure('refused', progress.stored)
    }
  }

  async #storeUntil(
    post: Post,
    deadlineMs: number,
    progress: { stored: boolean },
  ): Promise<StoreOutcome> {
    const before = connectionsOf(this.#options.client)
    let layout = await this.#layout(post.appId)
    let rest = await this.#unseen(post, layout)
    for (;;) {
      const pieces = dividePost(rest, layout.partitions)
      const outcomes = await this.#write(rest, layout, pieces)
      progress.stored ||= outcomes.includes('stored')
      const closed = pieces.filter((_, i) => outcomes[i] === 'closed')
      const failed = outcomes.find((o) => o !== 'stored' && o !== 'closed')
      if (failed) return failure(failed, progress.stored || outcomes.includes('unknown'))
      if (closed.length === 0) break
      if (this.#options.clock.monotonicMs() > deadlineMs) return failure('refused', progress.stored)
      layout = await this.#nextLayout(post.appId, layout)
      rest = await this.#unseen(remainder(post, closed), layout, post)
    }
    if (await this.#options.durable(before)) return { outcome: 'stored' }
    return { outcome: 'unknown', reason: 'durability' }
  }

  /**
   * The part of a keyed post that is not stored in a generation that was closed since. A closed
   * generation accepts no adds, so the result is final.
   */
  async #unseen(rest: Post, { previous }: Layout, whole: Post = rest): Promise<Post> {
    if (whole.digest === undefined || previous.length === 0) return rest
    let left = whole
    for (const generation of previous) {
      const pieces = dividePost(left, generation.partitions)
      const seen = await Promise.all(pieces.map((piece) => this.#hasSeen(left, generation, piece)))
      left = remainder(left, pieces.filter((_, i) => seen[i] !== true)) // prettier-ignore
    }
    return left
  }

  #hasSeen({ appId, lane }: Post, { generation }: { generation: number }, piece: Piece) {
    const { client, prefix, clock } = this.#options
    const nowMs = this.#redisClock.nowMs() ?? clock.nowMs()
    const tag = partitionTag({ appId, lane, generation, index: piece.partition })
    const { digest } = piece
    if (digest === undefined) return Promise.resolve(false)
    return new PartitionQueue(client, prefix, tag).hasSeen(digest, nowMs)
  }

  async #write(post: Post, layout: Layout, pieces: readonly Piece[]): Promise<PieceOutcome[]> {
    const writers = pieces.map((piece) => this.#writer(post, layout, piece.partition))
    await this.#learnRedisTime()
    const { requestId, acceptedAtMs, projectCode, span } = post
    const provenance = { requestId, acceptedAtMs, projectCode, span }
    return Promise.all(
      pieces.map(
        (piece, i) =>
          writers[i]?.writer.write(piece, provenance) ?? Promise.resolve('refused' as const),
      ),
    )
  }

  #writer(post: Post, { generation }: Layout, index: number): Writer {
    const tag = partitionTag({ appId: post.appId, lane: post.lane, generation, index })
    const known = this.#writers.get(tag)
    if (known) return known
    const queue = new PartitionQueue(this.#options.client, this.#options.prefix, tag)
    const add = (chunk: NewChunk) => this.#add(queue, chunk)
    const writer = { tag, writer: new PartitionWriter(add, this.#options.compress, this.#flushes) }
    this.#writers.set(tag, writer)
    return writer
  }

  /** Adds a chunk; activates its partition first if it is inactive. */
  async #add(queue: PartitionQueue, chunk: NewChunk) {
    const { clock, deployment } = this.#options
    let activation = ''
    for (;;) {
      const redisNowMs = this.#redisClock.nowMs()
      // The time has just been read, unless the connection closed since.
      if (redisNowMs === null) throw new Error('READONLY connection was lost before the add')
      // Of this command: one before it certainly stored nothing, and slow answers use up no time of the next.
      const deadline = Math.floor(
        Math.min(redisNowMs + ADD_TIMEOUT_MS, chunk.storeUntilMs ?? Infinity),
      )
      const sentAtMs = clock.monotonicMs()
      // Redis' time: digests are stored by day, and all apis must agree on the day.
      const reply = await queue.add(chunk, Math.floor(redisNowMs), deadline, activation)
      this.#redisClock.heard(reply.redisNowMs, sentAtMs)
      if (reply.outcome !== 'inactive') return reply
      // Without the mark no worker would look for the chunk. Nothing is stored until it is set.
      await deployment.mark([queue.tag]).catch(notStored)
      activation = reply.activation
    }
  }

  async #learnRedisTime(): Promise<void> {
    if (this.#redisClock.nowMs() !== null) return
    const sentAtMs = this.#options.clock.monotonicMs()
    this.#redisClock.heard(await readRedisMs(this.#options.client), sentAtMs)
  }

  async #layout(appId: string): Promise<Layout> {
    const nowMs = this.#options.clock.monotonicMs()
    const known = this.#layouts.get(appId)
    if (known && nowMs - known.readAtMs < LAYOUT_AGE_MS) return known.layout
    const layout = await this.#options.layouts.get(appId)
    this.#layouts.set(appId, { layout, readAtMs: nowMs })
    return layout
  }

  /** The generation after a closed one; it may not be open yet. */
  async #nextLayout(appId: string, closed: Layout): Promise<Layout> {
    this.#layouts.delete(appId)
    for (const writer of this.#writers.values()) {
      if (writer.tag.startsWith(`${appId}/`) && writer.writer.idle) this.#writers.delete(writer.tag)
    }
    const layout = await this.#layout(appId)
    if (layout.generation === closed.generation) {
      this.#layouts.delete(appId)
      await this.#options.sleep(LAYOUT_WAIT_MS)
    }
    return layout
  }
}

/** The elements of these pieces, in their order in the post. */
function remainder(post: Post, pieces: readonly Piece[]): Post {
  const left = new Set(pieces.flatMap(({ elements }) => elements))
  return { ...post, elements: post.elements.filter((element) => left.has(element)) }
}

function notStored(error: unknown): never {
  // A full Redis has its own answer.
  if (error instanceof Error && error.message.startsWith('OOM ')) throw error
  throw new Error('READONLY the partition could not be marked', { cause: error })
}

function refused(reason: NotStoredReason): StoreOutcome {
  return { outcome: 'refused', reason }
}

function failure(piece: PieceOutcome, mayBeStored: boolean): StoreOutcome {
  const reason = piece === 'full' ? 'redis_full' : 'redis_unavailable'
  return { outcome: mayBeStored ? 'unknown' : 'refused', reason }
}

/** Maximum time that a piece waits for others, ms. */
const MAX_WAIT_MS = 10
/** Minimum time between two flushes, ms. */
const COOLDOWN_MS = 2

/**
 * Decides when pieces are flushed: all of a process together, at the first turn of the event loop
 * that brings no more. A lone post leaves one turn after it arrived. Under load, concurrent posts,
 * and those within the pause after a flush, share chunks, commands and system calls: flushing every
 * turn makes chunks of one or two posts.
 */
export class FlushScheduler implements Flushes {
  readonly #clock: Clock
  #members: (() => void)[] = []
  #arrivals = 0
  #sinceMs = 0
  #isCoolingDown = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  arrived(): void {
    this.#arrivals += 1
  }

  onFlush(flush: () => void): void {
    this.#members.push(flush)
    if (this.#members.length > 1) return
    this.#sinceMs = this.#clock.monotonicMs()
    if (!this.#isCoolingDown) setImmediate(this.#turn)
  }

  readonly #turn = (): void => {
    const isQuiet = this.#arrivals === 0
    this.#arrivals = 0
    if (!isQuiet && this.#clock.monotonicMs() - this.#sinceMs < MAX_WAIT_MS) {
      setImmediate(this.#turn)
      return
    }
    const members = this.#members
    this.#members = []
    this.#isCoolingDown = true
    setTimeout(this.#cooledDown, COOLDOWN_MS)
    for (const flush of members) flush()
  }

  readonly #cooledDown = (): void => {
    this.#isCoolingDown = false
    if (this.#members.length > 0) this.#turn()
  }
}
