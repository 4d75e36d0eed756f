import type { Provenance, Element } from '@relay/shared/element.js'
import { partitionOf } from '@relay/shared/identity.js'
import { encodeChunk } from '@relay/shared/queue/chunk.js'
import {
  DIGEST_BYTES,
  type AddedReply,
  type NewChunk,
} from '@relay/shared/queue/partition-queue.js'
import type { Post } from '@relay/shared/queue/post.js'
import { parseRequestId } from '@relay/shared/request-id.js'

/** A chunk is full at this many bytes of JSON. */
const CHUNK_BYTES = 98_304

export type PieceOutcome =
  | 'stored'
  /** Certainly not stored: it never left, or Redis refused it. */
  | 'refused'
  /** No answer in time: it may be stored. */
  | 'unknown'
  /** The partition's generation is closed; not stored. */
  | 'closed'
  /** Redis is at its memory limit; not stored. */
  | 'full'

interface Waiting {
  readonly piece: Piece
  readonly provenance: Provenance
  readonly settle: (outcome: PieceOutcome) => void
}

/** Stores a chunk in its partition and activates it if necessary; rejects if Redis refuses or does not answer. */
type AddChunk = (chunk: NewChunk) => Promise<AddedReply>

/** Decides when the pieces of all partitions are flushed. */
export interface Flushes {
  /** Another piece is pending. */
  arrived(): void
  /** `flush` is called once, at the next flush. */
  onFlush(flush: () => void): void
}

/**
 * Group commit for one partition: concurrent posts share chunks. A piece is sent at the next flush of
 * `Flushes` once the previous add has been answered, with all pieces that arrived meanwhile.
 * One add at a time keeps the order of acceptance.
 */
export class PartitionWriter {
  readonly #add: AddChunk
  readonly #compress: () => boolean
  readonly #flushes: Flushes
  #waiting: Waiting[] = []
  #busy = false
  /** Bytes sent by producer, since pieces began to wait. */
  readonly #servedBytes = new Map<number, number>()

  constructor(add: AddChunk, compress: () => boolean, flushes: Flushes) {
    this.#add = add
    this.#compress = compress
    this.#flushes = flushes
  }

  get idle(): boolean {
    return !this.#busy && this.#waiting.length === 0
  }

  write(piece: Piece, provenance: Provenance): Promise<PieceOutcome> {
    return new Promise((settle) => {
      this.#waiting.push({ piece, provenance, settle })
      this.#flushes.arrived()
      if (this.#busy) return
      this.#busy = true
      this.#flushes.onFlush(this.#start)
    })
  }

  readonly #start = (): void => void this.#flush()

  async #flush(): Promise<void> {
    const outcome = await this.#store(this.#take())
    if (outcome !== 'stored') this.#refuseRest(outcome)
    if (this.#waiting.length > 0) this.#flushes.onFlush(this.#start)
    else this.#busy = false
  }

  /**
   * Pending pieces up to one chunk: all, or those of the producers that used least so far, each
   * producer's in order. Two tries of one keyed post never share a chunk, so the second is recognised
   * as a duplicate.
   */
  #take(): Waiting[] {
    if (fitOneChunk(this.#waiting)) {
      this.#servedBytes.clear()
      return this.#waiting.splice(0)
    }
    const turns = new ProducerTurns(this.#waiting, this.#servedBytes)
    const taken = new Set<Waiting>()
    const keyed = new Set<string>()
    let bytes = 0
    for (let next = turns.next(); next !== undefined; next = turns.next()) {
      const { piece } = next
      const key = dedupeKeyOf(piece)
      const isRepeated = key !== null && keyed.has(key)
      if (taken.size > 0 && (bytes + piece.bytes > CHUNK_BYTES || isRepeated)) break
      if (key !== null) keyed.add(key)
      bytes += piece.bytes
      taken.add(next)
      turns.took(next)
    }
    this.#waiting = this.#waiting.filter((waiting) => !taken.has(waiting))
    if (this.#waiting.length === 0) this.#servedBytes.clear()
    return [...taken]
  }

  /** Stores a batch; pieces that Redis already has count as stored. */
  async #store(batch: Waiting[]): Promise<PieceOutcome> {
    let rest = batch
    while (rest.length > 0) {
      const reply = await this.#add(toChunk(rest, this.#compress())).catch(failure)
      if (typeof reply === 'string' || reply.outcome !== 'seen') {
        const outcome = typeof reply === 'string' ? reply : outcomeOf(reply.outcome)
        for (const { settle } of rest) settle(outcome)
        return outcome
      }
      const seen = new Set(reply.digests.map(keyOf))
      const isSeen = ({ piece }: Waiting) => seen.has(dedupeKeyOf(piece) ?? '')
      for (const known of rest.filter(isSeen)) known.settle('stored')
      rest = rest.filter((waiting) => !isSeen(waiting))
    }
    return 'stored'
  }

  /** Refuses the pieces behind a failed add at once, before they run into their timeout. */
  #refuseRest(outcome: PieceOutcome): void {
    const rest = this.#waiting
    this.#waiting = []
    for (const { settle } of rest) settle(outcome === 'unknown' ? 'refused' : outcome)
  }
}

/** The usual case; keyed pieces are checked one by one. */
function fitOneChunk(waiting: readonly Waiting[]): boolean {
  if (waiting.length === 1) return true
  let bytes = 0
  for (const { piece } of waiting) {
    bytes += piece.bytes
    if (piece.digest !== undefined || bytes > CHUNK_BYTES) return false
  }
  return true
}

/** Identifies a piece among all tries of its post; excludes the time when the key was first used. */
function dedupeKeyOf({ digest }: Piece): string | null {
  return digest === undefined ? null : keyOf(digest)
}

function keyOf(digest: Buffer): string {
  return digest.toString('latin1', 0, DIGEST_BYTES)
}

function outcomeOf(outcome: 'stored' | 'late' | 'closed'): PieceOutcome {
  return outcome === 'late' ? 'refused' : outcome
}

/** Only Redis' own refusals prove that nothing was stored. */
function failure(error: unknown): PieceOutcome {
  const message = error instanceof Error ? error.message : ''
  if (message.startsWith('OOM ')) return 'full'
  if (/^(READONLY|MASTERDOWN|LOADING|CLUSTERDOWN|MISCONF|NOREPLICAS) /.test(message)) {
    return 'refused'
  }
  // Nothing was written: the connection is down and commands are not queued.
  if (message.includes('enableOfflineQueue options is false')) return 'refused'
  return 'unknown'
}

function toChunk(batch: readonly Waiting[], compress: boolean): NewChunk {
  const parts = batch.map(({ piece, provenance }) => ({ provenance, elements: piece.elements }))
  const payload = encodeChunk(parts, compress)
  const counts = { bytes: payload.length, user: 0, event: 0, device: 0 }
  let furtherActions = 0
  const digests: Buffer[] = []
  let storeUntilMs = Infinity
  for (const { piece } of batch) {
    storeUntilMs = Math.min(storeUntilMs, piece.storeUntilMs ?? Infinity)
    for (const { kind, posted, cost } of piece.elements) {
      counts[kind] += posted
      furtherActions += cost - posted
    }
    if (piece.digest) digests.push(piece.digest)
  }
  return { payload, counts, furtherActions, digests, storeUntilMs }
}

/** Largest piece, bytes of JSON: a post larger than this in one partition becomes several chunks. */
const PIECE_BYTES = 65_536

/** Elements of one post in one partition, stored in one step. */
export interface Piece {
  /** Index of the partition. */
  readonly partition: number
  readonly elements: readonly Element[]
  readonly bytes: number
  /** Identifies the piece among all pieces of all keyed posts; undefined without a key. */
  readonly digest: Buffer | undefined
  /** See `Post.storeUntilMs`. */
  readonly storeUntilMs?: number | undefined
}

/**
 * Divides a post among `partitions` partitions, in order within each. The same post always gives the
 * same pieces, so that a piece stored before a crash is recognised when the post is repeated.
 */
export function dividePost(post: Post, partitions: number): Piece[] {
  const open = new Map<number, { elements: Element[]; bytes: number; ordinal: number }>()
  const pieces: Piece[] = []
  const close = (partition: number): void => {
    const piece = open.get(partition)
    if (!piece || piece.elements.length === 0) return
    const { elements, bytes, ordinal } = piece
    const digest = post.digest && pieceDigest(post.digest, ordinal, elements.length, bytes)
    pieces.push({ partition, elements, bytes, digest, storeUntilMs: post.storeUntilMs })
    open.set(partition, { elements: [], bytes: 0, ordinal: ordinal + 1 })
  }
  for (const element of post.elements) {
    const partition = partitionOf(element.customer, partitions)
    const size = element.json.length
    const before = open.get(partition)
    if (before && before.bytes + size > PIECE_BYTES) close(partition)
    const piece = open.get(partition) ?? { elements: [], bytes: 0, ordinal: 0 }
    piece.elements.push(element)
    piece.bytes += size
    open.set(partition, piece)
  }
  for (const partition of open.keys()) close(partition)
  return pieces
}

/**
 * Equal only for pieces of the same size: settings that changed between a post and its repetition can
 * change the contents of a piece, which is then stored again instead of lost.
 */
function pieceDigest(digest: Buffer, ordinal: number, elements: number, bytes: number): Buffer {
  const own = Buffer.from(digest)
  own.writeUInt32LE((own.readUInt32LE(0) ^ ordinal) >>> 0, 0)
  own.writeUInt32LE((own.readUInt32LE(4) ^ elements) >>> 0, 4)
  own.writeUInt32LE((own.readUInt32LE(8) ^ bytes) >>> 0, 8)
  return own
}

interface Queue {
  readonly producer: number
  readonly waiting: Waiting[]
  at: number
}

/**
 * The order of pending pieces: next is the oldest of the producer that sent the fewest bytes, so that
 * one producer's large posts do not delay the others. Concurrent posts are unordered; the pieces of
 * one post keep their order.
 */
class ProducerTurns {
  readonly #queues: Queue[]
  readonly #servedBytes: Map<number, number>

  /** `servedBytes`, by producer, is shared by several instances. */
  constructor(waiting: readonly Waiting[], servedBytes: Map<number, number>) {
    this.#servedBytes = servedBytes
    const queues = new Map<number, Queue>()
    for (const each of waiting) {
      const producer = producerOf(each)
      const queue = queues.get(producer)
      if (queue === undefined) queues.set(producer, { producer, waiting: [each], at: 0 })
      else queue.waiting.push(each)
    }
    this.#queues = [...queues.values()]
    const least = Math.min(...servedBytes.values())
    for (const { producer } of this.#queues) {
      // A new producer has no credit for earlier time.
      if (!servedBytes.has(producer)) servedBytes.set(producer, servedBytes.size > 0 ? least : 0)
    }
  }

  /** The next piece; it stays until `took`. */
  next(): Waiting | undefined {
    const queue = this.#first()
    return queue?.waiting[queue.at]
  }

  took({ piece }: Waiting): void {
    const queue = this.#first()
    if (queue === undefined) return
    queue.at += 1
    this.#servedBytes.set(queue.producer, this.#served(queue) + piece.bytes)
  }

  #first(): Queue | undefined {
    let first: Queue | undefined
    for (const queue of this.#queues) {
      if (queue.at === queue.waiting.length) continue
      if (first === undefined || this.#served(queue) < this.#served(first)) first = queue
    }
    return first
  }

  #served({ producer }: Queue): number {
    return this.#servedBytes.get(producer) ?? 0
  }
}

/** Invalid ids share one turn. */
function producerOf({ provenance }: Waiting): number {
  return parseRequestId(provenance.requestId)?.producerTag ?? -1
}
