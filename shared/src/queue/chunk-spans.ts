import type { Provenance } from '../element.js'
import { SPAN_CONTEXT_BYTES } from '../telemetry/tracer.js'

/*
 * Trailer after the JSON of a chunk with traced posts: per post the context of its span (zeros: none),
 * then this mark. Versions without tracing still read the chunk, because they take the JSON by its length
 * or inflate it up to its end. A stored chunk without a trailer ends with `}`; a deflated one ends with
 * these 8 bytes once in 2^64.
 */
const MARK = Buffer.from('\0spans1\0', 'latin1')
const NONE = Buffer.alloc(SPAN_CONTEXT_BYTES)

/** The end of a chunk of these posts; empty when none is traced. */
export function spansTrailer(posts: readonly { readonly provenance: Provenance }[]): Buffer[] {
  if (posts.every(({ provenance }) => provenance.span === undefined)) return []
  return [...posts.map(({ provenance }) => provenance.span ?? NONE), MARK]
}

/** The raw trailer of a chunk with this number of posts; null without one. */
export function trailerOf(chunk: Buffer, posts: number): Buffer | null {
  const markAt = chunk.length - MARK.length
  if (markAt < posts * SPAN_CONTEXT_BYTES || MARK.compare(chunk, markAt) !== 0) return null
  return chunk.subarray(markAt - posts * SPAN_CONTEXT_BYTES)
}

/** A copy of the span of the post at this index. */
export function spanAt(trailer: Buffer, index: number): Buffer | undefined {
  const at = index * SPAN_CONTEXT_BYTES
  const span = Buffer.from(trailer.subarray(at, at + SPAN_CONTEXT_BYTES))
  return span.equals(NONE) ? undefined : span
}
