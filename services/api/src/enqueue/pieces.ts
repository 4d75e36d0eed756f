import type { Element } from '@relay/shared/element.js'
import { partitionOf } from '@relay/shared/identity.js'
import type { Post } from '@relay/shared/queue/post.js'

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
