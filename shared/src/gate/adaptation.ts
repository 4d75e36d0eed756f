/**
 * Share of its budgets that a workspace uses after MoEngage answered 429 although relay kept within
 * them: another sender uses the same account.
 *
 * A 429 shows the available rate at that moment: relay's usage in the window. relay drops below it,
 * waits one window for the other sender's rate to show, returns to just under the rate that fitted,
 * stays there, and tries the full budget only at the end of the promised recovery time. Only a refusal
 * shows whether the other sender is still there, so rare tries keep refusals rare. A steady slow climb
 * would reach the refusal sooner and therefore more often.
 *
 * A 429 while relay used little of the window does not show a rate: another sender had a burst, or
 * MoEngage a fault. relay still backs off, but recovers by doubling.
 */

/** State after the last 429, plain JSON. Null: the configured limits apply. */
export interface Adaptation {
  readonly version: 1
  /** Redis' time when the 429 was read, ms. */
  readonly refusedAtMs: number
  /** Share of the limits used at once, above 0 and below 1. */
  readonly share: number
  /** Share that was in the window when one more request did not fit. */
  readonly fittedShare: number
  /**
   * relay used much less of its window than allowed, so the 429 shows a burst and not a rate:
   * `fittedShare` is a guess. Absent: it was measured.
   */
  readonly guessed?: true
}

/** Factor on the share that fitted. The rest leaves room for requests in flight and the other's growth. */
const DECREASE = 0.7

/** However often refused, relay keeps trying with this share. */
const SMALLEST_SHARE = 0.02

/** One refusal never takes more than this part of the share; with less in the window it is a guess. */
const MAX_LOST = 0.5

/** The share returned to while it is unknown whether the other sender is still there, of what fitted. */
const PLATEAU = 0.9

/**
 * Windows until the full budget is used again, counted from the other sender's last element: just
 * under 5 minutes with the vendor's window of 60 s. All times are in windows, so that a deployment
 * with short ones shows in seconds what takes minutes.
 */
const FULL_AFTER_WINDOWS = 295 / 60

/** Length of the last climb, in windows: short, so that the refusal at its end comes late. */
const CLIMB_WINDOWS = 0.5

/** Growth factor of a guessed share in every window after the first. */
const GUESS_GROWTH = 2

/**
 * Requests per window to aim for while somebody else sends too. One refusal per climb is then under
 * 2 % of them; with full bodies a small budget would be a handful of requests between two climbs.
 */
const REQUESTS_PER_WINDOW = 30

/** Minimum gap between requests, ms: with one request in flight, a short window has room for few. */
const MIN_GAP_MS = 500

/** A state this far in the future was written before Redis' clock stepped back and is ignored, ms. */
const FUTURE_MS = 5_000

export interface RateRefusal {
  /** When the refused request was sent. */
  readonly sentAtMs: number
  readonly nowMs: number
  /**
   * Largest share over the budgets of relay's usage in the window, without refused requests:
   * used / configured limit.
   */
  readonly usedShare: number
  readonly windowMs: number
}

/** State after a 429. A 429 on a request sent before the last change is ignored. */
export function shrink(before: Adaptation | null, refusal: RateRefusal): Adaptation {
  const { sentAtMs, nowMs, usedShare, windowMs } = refusal
  const adaptation = inForce(before, nowMs)
  if (adaptation !== null && sentAtMs <= adaptation.refusedAtMs) return adaptation
  const currentShare = effectiveShare(adaptation, { nowMs, windowMs })
  const guessed = usedShare < currentShare * MAX_LOST
  const fittedShare = clamp(guessed ? currentShare * MAX_LOST : Math.min(usedShare, currentShare))
  const record = { version: 1, refusedAtMs: nowMs, fittedShare } as const
  const share = clamp(fittedShare * DECREASE)
  return guessed ? { ...record, share, guessed } : { ...record, share }
}

/** Usable share of every configured limit: above 0, at most 1. */
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

/** When the full budget is used again at the latest, Redis' time, ms; null: it is now. */
export function fullBudgetAtMs(
  stored: Adaptation | null,
  at: { nowMs: number; windowMs: number },
): number | null {
  const adaptation = inForce(stored, at.nowMs)
  if (adaptation === null || effectiveShare(adaptation, at) >= 1) return null
  return adaptation.refusedAtMs + FULL_AFTER_WINDOWS * at.windowMs
}

/** Returns to just under the share that fitted, and to the full budget only at the end. */
function cautiousShare(share: number, fittedShare: number, windows: number): number {
  const plateau = Math.max(share, fittedShare * PLATEAU)
  // The other's usage stays in MoEngage's window after it stops and can cause one more refusal.
  const climbAt = FULL_AFTER_WINDOWS - 1 - CLIMB_WINDOWS
  return windows < climbAt
    ? between(share, plateau, windows - 1)
    : between(plateau, 1, (windows - climbAt) / CLIMB_WINDOWS)
}

function inForce(adaptation: Adaptation | null, nowMs: number): Adaptation | null {
  return adaptation !== null && adaptation.refusedAtMs > nowMs + FUTURE_MS ? null : adaptation
}

/**
 * Maximum requests in flight over all workers. One while another sender is active: several would be
 * refused together, and one refusal shows as much.
 */
export function requestsAtOnceCap(share: number): number {
  return share >= 1 ? Infinity : 1
}

/** Maximum units of a budget per request, at least 1; Infinity: unlimited. */
export function requestCostCap(
  limitUnits: number,
  { share, windowMs }: { share: number; windowMs: number },
): number {
  if (share >= 1) return Infinity
  const requests = Math.min(REQUESTS_PER_WINDOW, windowMs / MIN_GAP_MS)
  return Math.max(1, Math.floor((limitUnits * share) / requests))
}

/** Reads a stored adaptation; null if it is absent or unreadable. */
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
