/**
 * How much of its budgets a workspace uses after MoEngage answered 429 although relay kept within
 * them: somebody else sends on the same account.
 *
 * A 429 tells how much fits at that moment: what relay had in the window. Relay drops below that,
 * waits one window for the other sender's rate to show, returns to just under what fitted, stays,
 * and tries for everything only at the end of the time in which it promises to be back. Whether the
 * other has gone can be learnt only by being refused or not, so trying rarely is what keeps refusals
 * rare; a steady slow climb would reach the refusal sooner and so more often.
 */

/** What the last 429 taught; plain JSON. Null: nothing, the configured limits hold. */
export interface Adaptation {
  readonly version: 1
  /** Wall clock when the 429 was read, ms. */
  readonly refusedAtMs: number
  /** Share of the limits used at once, above 0 and below 1. */
  readonly share: number
  /** Share that was in the window when one more request did not fit. */
  readonly fittedShare: number
}

/** What a 429 leaves of the share that fitted. Requests under way and the other's growth fit in the rest. */
const DECREASE = 0.7

/** However often refused, relay keeps trying with this share. */
const SMALLEST_SHARE = 0.02

/** The share returned to while it is unknown whether the other sender is still there, of what fitted. */
const PLATEAU = 0.9

/** Time after which everything is used again, ms, counted from the other sender's last element. */
const FULL_AFTER_MS = 295_000

/** Length of the last climb, ms: short, so that the refusal at its end comes late. */
const CLIMB_MS = 30_000

/**
 * Requests per minute to aim for while somebody else sends too. One refusal per climb is then under
 * 2 % of them; with full bodies a small budget would be a handful of requests between two climbs.
 */
const REQUESTS_PER_MINUTE = 30

const MINUTE_MS = 60_000

export interface RateRefusal {
  /** When the refused request was sent. */
  readonly sentAtMs: number
  readonly nowMs: number
  /**
   * Largest share, over the budgets, of what was in relay's own window without refused requests:
   * used / configured limit.
   */
  readonly usedShare: number
  readonly windowMs: number
}

/** What a 429 teaches. Requests sent before the last lesson was learnt teach nothing new. */
export function shrink(adaptation: Adaptation | null, refusal: RateRefusal): Adaptation {
  const { sentAtMs, nowMs, usedShare, windowMs } = refusal
  if (adaptation !== null && sentAtMs <= adaptation.refusedAtMs) return adaptation
  const currentShare = effectiveShare(adaptation, { nowMs, windowMs })
  // One refusal never more than halves: with little in the window it says little about the rate.
  const fittedShare = clamp(Math.max(Math.min(usedShare, currentShare), currentShare / 2))
  return { version: 1, refusedAtMs: nowMs, share: clamp(fittedShare * DECREASE), fittedShare }
}

/** Share of every configured limit that may be used now: above 0, at most 1. */
export function effectiveShare(
  adaptation: Adaptation | null,
  { nowMs, windowMs }: { nowMs: number; windowMs: number },
): number {
  if (adaptation === null) return 1
  const { share, fittedShare } = adaptation
  const plateau = Math.max(share, fittedShare * PLATEAU)
  const elapsedMs = nowMs - adaptation.refusedAtMs
  // What the other sent stays in MoEngage's window after it stopped, and can refuse relay once more.
  const fullAtMs = Math.max(FULL_AFTER_MS - windowMs, 2 * windowMs + CLIMB_MS)
  const climbAtMs = fullAtMs - CLIMB_MS
  if (elapsedMs < climbAtMs) {
    return between(share, plateau, (elapsedMs - windowMs) / windowMs)
  }
  return between(plateau, 1, (elapsedMs - climbAtMs) / CLIMB_MS)
}

/** Nothing is left of the lesson; it can be forgotten. */
export function hasRecovered(
  adaptation: Adaptation,
  at: { nowMs: number; windowMs: number },
): boolean {
  return effectiveShare(adaptation, at) >= 1
}

/**
 * Most requests under way at once, over all workers. One while somebody else sends: several would be
 * refused together where one refusal tells as much.
 */
export function requestsAtOnceCap(share: number): number {
  return share >= 1 ? Infinity : 1
}

/** Most units of a budget that one request should take; Infinity: as many as fit. At least 1. */
export function requestCostCap(
  limitUnits: number,
  { share, windowMs }: { share: number; windowMs: number },
): number {
  if (share >= 1) return Infinity
  const unitsPerMinute = (limitUnits * share * MINUTE_MS) / windowMs
  return Math.max(1, Math.floor(unitsPerMinute / REQUESTS_PER_MINUTE))
}

/** Reads a stored adaptation; an absent or unreadable one is none. */
export function readAdaptation(json: string | null): Adaptation | null {
  if (json === null) return null
  try {
    const stored = JSON.parse(json) as Partial<Adaptation> | null
    const { version, share, fittedShare, refusedAtMs } = stored ?? {}
    if (version !== 1 || refusedAtMs === undefined) return null
    if (share === undefined || fittedShare === undefined) return null
    return { version, refusedAtMs, share: clamp(share), fittedShare: clamp(fittedShare) }
  } catch {
    return null
  }
}

function between(from: number, to: number, progress: number): number {
  return from + (to - from) * Math.min(Math.max(progress, 0), 1)
}

function clamp(share: number): number {
  return Math.min(Math.max(share, SMALLEST_SHARE), 1)
}
