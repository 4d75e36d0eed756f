import type { Provenance } from '../element.js'
import { SPAN_CONTEXT_BYTES } from '../telemetry/span-context.js'

/*
 * What follows the JSON of a chunk, where one of its posts is traced: per post the context of its
 * span (zeros: none), then this mark. A process that knows nothing of it reads the chunk as before:
 * it cuts the JSON by length, or inflates it up to its own end. A stored chunk without it ends with
 * `}`; a deflated one ends with these 8 bytes once in 2^64.
 */
const MARK = Buffer.from('\0spans1\0', 'latin1')
const NONE = Buffer.alloc(SPAN_CONTEXT_BYTES)

/** The end of a chunk of these posts; empty when none is traced. */
export function spansTrailer(posts: readonly { readonly provenance: Provenance }[]): Buffer[] {
  if (posts.every(({ provenance }) => provenance.span === undefined)) return []
  return [...posts.map(({ provenance }) => provenance.span ?? NONE), MARK]
}

/** The trailer of a chunk of so many posts as it stands; null when it has none. */
export function trailerOf(chunk: Buffer, posts: number): Buffer | null {
  const markAt = chunk.length - MARK.length
  if (markAt < posts * SPAN_CONTEXT_BYTES || MARK.compare(chunk, markAt) !== 0) return null
  return chunk.subarray(markAt - posts * SPAN_CONTEXT_BYTES)
}

/** The span of a post by its place, in memory of its own. */
export function spanAt(trailer: Buffer, index: number): Buffer | undefined {
  const at = index * SPAN_CONTEXT_BYTES
  const span = Buffer.from(trailer.subarray(at, at + SPAN_CONTEXT_BYTES))
  return span.equals(NONE) ? undefined : span
}
