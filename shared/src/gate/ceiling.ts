/**
 * Learns the largest body MoEngage takes, from the bodies it took and those it answered with 413.
 * Halves until one is taken, then closes in from below; now and then looks whether more is allowed.
 */

/** State of one workspace's body size ceiling; plain JSON, kept across restarts. */
export interface Ceiling {
  readonly version: 1
  /** Bodies up to this size are built, bytes. */
  readonly bytes: number
  /** Largest body taken since the last refusal that contradicts it; 0: none. */
  readonly acceptedBytes: number
  /** Smallest body refused; null: none, so the configured limit is all there is. */
  readonly refusedBytes: number | null
  /** Wall clock of the next look upward, ms; null: nothing to look for. */
  readonly raiseAtMs: number | null
  /** Pause before the next look upward, should this one fail. */
  readonly raiseIntervalMs: number
}

/** Closer than this, another refusal would teach less than it costs, bytes. */
const PRECISION_BYTES = 4_096

/** No ceiling is believed to be below this, bytes. */
const SMALLEST_CEILING_BYTES = 1_024

/** MoEngage documents 100 and 128 KB. A 413 to a body larger than this, bytes, is taken to be about its size. */
const PLAUSIBLE_BYTES = 16_384

/** An accepted body of at least this share of the ceiling confirms the ceiling. */
const NEARLY_FULL = 0.9

const FIRST_RAISE_MS = 3_600_000
const MAX_RAISE_MS = 24 * FIRST_RAISE_MS
const RAISE_FACTOR = 1.25

/** Nothing is known yet. `limitBytes`: the configured limit, never exceeded. */
export function unknownCeiling(limitBytes: number): Ceiling {
  return {
    version: 1,
    bytes: limitBytes,
    acceptedBytes: 0,
    refusedBytes: null,
    raiseAtMs: null,
    raiseIntervalMs: FIRST_RAISE_MS,
  }
}

/** Reads a stored ceiling under the configured limit; unreadable ones are unknown. */
export function readCeiling(json: string | null, limitBytes: number): Ceiling {
  const stored = parse(json)
  if (stored === null) return unknownCeiling(limitBytes)
  const unrefused = stored.refusedBytes === null
  return { ...stored, bytes: unrefused ? limitBytes : Math.min(stored.bytes, limitBytes) }
}

/** MoEngage answered other than 413 to a body of `bodyBytes`. Same object: nothing was learnt. */
export function onBodyAccepted(
  ceiling: Ceiling,
  bodyBytes: number,
  { limitBytes, nowMs }: { limitBytes: number; nowMs: number },
): Ceiling {
  const { refusedBytes, bytes } = ceiling
  if (refusedBytes === null) return ceiling
  if (bodyBytes < bytes * NEARLY_FULL && bodyBytes <= ceiling.acceptedBytes) return ceiling
  const acceptedBytes = Math.max(ceiling.acceptedBytes, bodyBytes)
  const known = { ...ceiling, acceptedBytes }
  if (bytes >= limitBytes && bodyBytes > limitBytes - PRECISION_BYTES)
    return unknownCeiling(limitBytes)
  if (bodyBytes < bytes * NEARLY_FULL) return known
  const raising = acceptedBytes >= refusedBytes || nowMs >= (ceiling.raiseAtMs ?? nowMs)
  if (raising) {
    const raised = Math.min(limitBytes, Math.floor(bytes * RAISE_FACTOR))
    return { ...known, bytes: raised, refusedBytes: Math.max(refusedBytes, raised) }
  }
  // Once a look upward failed, the gap between taken and refused is not searched again.
  const searching = ceiling.raiseIntervalMs === FIRST_RAISE_MS
  const gapBytes = refusedBytes - acceptedBytes
  return searching && gapBytes > PRECISION_BYTES
    ? { ...known, bytes: Math.max(bytes, acceptedBytes + Math.floor(gapBytes / 2)) }
    : known
}

/**
 * Whether it is not known that MoEngage takes bodies of this size: one was refused, and none nearly
 * as large was taken since.
 */
export function isInDoubt({ refusedBytes, acceptedBytes }: Ceiling, bodyBytes: number): boolean {
  if (refusedBytes === null) return false
  return acceptedBytes === 0 || bodyBytes > acceptedBytes + PRECISION_BYTES
}

/**
 * Whether a 413 to a body of this size is about its size. A small one counts if a smaller was accepted since
 * one was refused, and none as large of late (`recentBytes`): a proxy may answer 413 to everything for a
 * while, or to something in an element.
 */
export function explains413(
  { acceptedBytes }: Ceiling,
  bodyBytes: number,
  recentBytes: number,
): boolean {
  if (bodyBytes > PLAUSIBLE_BYTES) return true
  return acceptedBytes > 0 && bodyBytes > acceptedBytes && bodyBytes > recentBytes
}

/** All that was sent was refused: that taught nothing about sizes, unless a body was accepted meanwhile. */
export function forgetUnproven(ceiling: Ceiling, limitBytes: number): Ceiling {
  return ceiling.acceptedBytes === 0 ? unknownCeiling(limitBytes) : ceiling
}

/**
 * MoEngage answered 413 to a body of `bodyBytes`. The next body is smaller. Returns the same object if
 * the body was in flight when a smaller one was refused.
 */
export function onBodyRefused(ceiling: Ceiling, bodyBytes: number, nowMs: number): Ceiling {
  const known = ceiling.refusedBytes !== null && bodyBytes >= ceiling.refusedBytes
  if (known && ceiling.bytes < bodyBytes) return ceiling
  // MoEngage now refuses a size that it accepted before, so earlier acceptances no longer count.
  const acceptedBytes = ceiling.acceptedBytes < bodyBytes ? ceiling.acceptedBytes : 0
  const lookedUp = ceiling.raiseAtMs !== null && nowMs >= ceiling.raiseAtMs && acceptedBytes > 0
  const raiseIntervalMs = lookedUp
    ? Math.min(ceiling.raiseIntervalMs * 2, MAX_RAISE_MS)
    : ceiling.raiseIntervalMs
  return {
    version: 1,
    bytes: lowered({ acceptedBytes, refusedBytes: bodyBytes, settled: lookedUp }),
    acceptedBytes,
    refusedBytes: lookedUp ? bodyBytes : Math.min(ceiling.refusedBytes ?? bodyBytes, bodyBytes),
    raiseAtMs: nowMs + raiseIntervalMs,
    raiseIntervalMs,
  }
}

function lowered(known: { acceptedBytes: number; refusedBytes: number; settled: boolean }): number {
  const { acceptedBytes, refusedBytes, settled } = known
  if (settled || (acceptedBytes > 0 && refusedBytes - acceptedBytes <= PRECISION_BYTES)) {
    return acceptedBytes
  }
  const middle = Math.floor((acceptedBytes + refusedBytes) / 2)
  return Math.max(middle, SMALLEST_CEILING_BYTES)
}

function parse(json: string | null): Ceiling | null {
  if (json === null) return null
  try {
    const stored = JSON.parse(json) as Partial<Ceiling> | null
    return stored?.version === 1 && typeof stored.bytes === 'number' ? (stored as Ceiling) : null
  } catch {
    return null
  }
}
