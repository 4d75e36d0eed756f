/**
 * How much of its budgets a workspace uses after MoEngage answered 429 although relay kept within
 * them: somebody else sends on the same account.
 *
 * A 429 tells how much fits at that moment: what relay had in the window. Relay drops below that,
 * waits one window for the other sender's rate to show, returns to just under what fitted, stays,
 * and tries for everything only at the end of the time in which it promises to be back. Whether the
 * other has gone can be learnt only by being refused or not, so trying rarely is what keeps refusals
 * rare; a steady slow climb would reach the refusal sooner and so more often.
 *
 * A 429 with little of relay's own in the window tells nothing of that kind: somebody else had a
 * moment, or MoEngage a fault. Relay makes room all the same, but comes back by doubling.
 */

/** What the last 429 taught; plain JSON. Null: nothing, the configured limits hold. */
export interface Adaptation {
  readonly version: 1
  /** Redis' time when the 429 was read, ms. */
  readonly refusedAtMs: number
  /** Share of the limits used at once, above 0 and below 1. */
  readonly share: number
  /** Share that was in the window when one more request did not fit. */
  readonly fittedShare: number
  /**
   * Relay had much less in its window than it might have had, so the 429 tells of a moment, not of a
   * rate: `fittedShare` is a guess. Absent: it was measured.
   */
  readonly guessed?: true
}

/** What a 429 leaves of the share that fitted. Requests under way and the other's growth fit in the rest. */
const DECREASE = 0.7

/** However often refused, relay keeps trying with this share. */
const SMALLEST_SHARE = 0.02

/** One refusal never takes more than this part of the share; with less in the window it is a guess. */
const MOST_LOST = 0.5

/** The share returned to while it is unknown whether the other sender is still there, of what fitted. */
const PLATEAU = 0.9

/**
 * Windows after which everything is used again, counted from the other sender's last element: just
 * under 5 minutes with the vendor's window of 60 s. All times are in windows, so that a deployment
 * with short ones shows in seconds what takes minutes.
 */
const FULL_AFTER_WINDOWS = 295 / 60

/** Length of the last climb, in windows: short, so that the refusal at its end comes late. */
const CLIMB_WINDOWS = 0.5

/** What was only guessed grows by this factor in every window after the first. */
const GUESS_GROWTH = 2

/**
 * Requests per window to aim for while somebody else sends too. One refusal per climb is then under
 * 2 % of them; with full bodies a small budget would be a handful of requests between two climbs.
 */
const REQUESTS_PER_WINDOW = 30

/** One request is under way at a time: in a short window there is no room for as many, ms. */
const LEAST_GAP_MS = 500

/** A lesson from so far in the future was written before Redis' clock stepped back: it says nothing, ms. */
const FUTURE_MS = 5_000

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
export function shrink(before: Adaptation | null, refusal: RateRefusal): Adaptation {
  const { sentAtMs, nowMs, usedShare, windowMs } = refusal
  const adaptation = inForce(before, nowMs)
  if (adaptation !== null && sentAtMs <= adaptation.refusedAtMs) return adaptation
  const currentShare = effectiveShare(adaptation, { nowMs, windowMs })
  const guessed = usedShare < currentShare * MOST_LOST
  const fittedShare = clamp(guessed ? currentShare * MOST_LOST : Math.min(usedShare, currentShare))
  const lesson = { version: 1, refusedAtMs: nowMs, fittedShare } as const
  const share = clamp(fittedShare * DECREASE)
  return guessed ? { ...lesson, share, guessed } : { ...lesson, share }
}

/** Share of every configured limit that may be used now: above 0, at most 1. */
export function effectiveShare(
  stored: Adaptation | null,
  { nowMs, windowMs }: { nowMs: number; windowMs: number },
): number {
  const adaptation = inForce(stored, nowMs)
  if (adaptation === null) return 1
  const { share, fittedShare, guessed } = adaptation
  const windows = (nowMs - adaptation.refusedAtMs) / windowMs
  const cautious = cautiousShare(share, fittedShare, windows)
  if (guessed !== true) return cautious
  // Whether a rate stands behind it shows in a window or two; then a refusal measures it.
  return Math.max(cautious, Math.min(1, share * GUESS_GROWTH ** Math.max(0, windows - 1)))
}

/** Back to just under what fitted, and to all of it only at the end. */
function cautiousShare(share: number, fittedShare: number, windows: number): number {
  const plateau = Math.max(share, fittedShare * PLATEAU)
  // What the other sent stays in MoEngage's window after it stopped, and can refuse relay once more.
  const climbAt = FULL_AFTER_WINDOWS - 1 - CLIMB_WINDOWS
  return windows < climbAt
    ? between(share, plateau, windows - 1)
    : between(plateau, 1, (windows - climbAt) / CLIMB_WINDOWS)
}

function inForce(adaptation: Adaptation | null, nowMs: number): Adaptation | null {
  return adaptation !== null && adaptation.refusedAtMs > nowMs + FUTURE_MS ? null : adaptation
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
  const requests = Math.min(REQUESTS_PER_WINDOW, windowMs / LEAST_GAP_MS)
  return Math.max(1, Math.floor((limitUnits * share) / requests))
}

/** Reads a stored adaptation; an absent or unreadable one is none. */
export function readAdaptation(json: string | null): Adaptation | null {
  if (json === null) return null
  try {
    const stored = JSON.parse(json) as Partial<Adaptation> | null
    const { version, share, fittedShare, refusedAtMs, guessed } = stored ?? {}
    if (version !== 1 || refusedAtMs === undefined) return null
    if (share === undefined || fittedShare === undefined) return null
    const known = { version, refusedAtMs, share: clamp(share), fittedShare: clamp(fittedShare) }
    return guessed === true ? { ...known, guessed } : known
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
