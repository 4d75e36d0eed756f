/**
 * Detects other senders on the account from MoEngage's rate-limit headers, before MoEngage refuses a
 * request. Pure.
 *
 * The headers are not trusted: their unit is not documented, and the pages contradict each other. A
 * unit counts as proven once `remaining` fell by relay's usage during a whole window. It is ruled out
 * once it did not, or once MoEngage accepted more than the unit left. When all units are ruled out, the
 * headers are ignored for `DISTRUST_MS`.
 *
 * The effect is bounded, so that wrong headers cost little: the share never falls below `MIN_SHARE`, and
 * after `TRIAL_AFTER_WINDOWS` in a row relay tries the full budget for a window. Then either MoEngage
 * refuses, which is measured as without headers (adaptation.ts), or it accepts more than advertised and
 * the headers are known to be wrong.
 */
import type { Cost } from '@relay/shared/budget/cost.js'

/** Units that the headers may count. Requests are left out: the ledger cannot separate others' from relay's. */
const UNITS = ['users', 'events', 'elements'] as const
type Unit = (typeof UNITS)[number]

/** Least share of the limits that a gauge can leave to relay. */
export const MIN_SHARE = 0.5
const TRIAL_AFTER_WINDOWS = 10
const DISTRUST_MS = 3_600_000
/** Others' use below this share of the limit is noise: requests in flight, rounding. */
const NOISE = 0.05
/** Share that relay uses of the units that others leave, because their rate varies. */
const CAUTION = 0.95
/** Others' use is projected from at least this part of a window. */
const MIN_ELAPSED = 0.25
/** Maximum difference between resets of one window, which are in whole seconds, ms. */
const SAME_RESET_MS = 2_000
/** Own units in a window, in units of its largest request, that make it evidence. */
const EVIDENCE_REQUESTS = 5

/** A successful answer whose headers name all three values. */
export interface GaugeReading {
  readonly nowMs: number
  readonly windowMs: number
  readonly limit: number
  readonly remaining: number
  readonly resetMs: number
  /** Of the answered request. */
  readonly cost: Cost
}

/** The window that the headers speak of, as far as it was seen. */
interface SeenWindow {
  readonly resetAtMs: number
  readonly limit: number
  readonly firstRemaining: number
  readonly leastRemaining: number
  /** Accepted after the first reading, and the largest single request, by unit. */
  readonly own: Readonly<Record<Unit, number>>
  readonly largest: Readonly<Record<Unit, number>>
}

export interface VendorGauge {
  readonly possible: readonly Unit[]
  readonly proven: readonly Unit[]
  readonly window: SeenWindow | null
  readonly distrustUntilMs: number
  /** Share of the configured limits that others leave, and how long it is valid. */
  readonly share: number
  readonly shareUntilMs: number
  /** Since when the share is below 1 without a break; null: it is not. */
  readonly cappedSinceMs: number | null
}

export const NO_GAUGE: VendorGauge = {
  ...{ possible: UNITS, proven: [], window: null, distrustUntilMs: -Infinity },
  ...{ share: 1, shareUntilMs: -Infinity, cappedSinceMs: null },
}

function unitsOf({ users, events, devices }: Cost): Record<Unit, number> {
  return { users: users + devices, events, elements: users + events + devices }
}

/** Share of the configured limits to use, `MIN_SHARE` to 1. */
export function gaugeShare(gauge: VendorGauge, nowMs: number, windowMs: number): number {
  const { share, shareUntilMs, cappedSinceMs } = gauge
  if (nowMs >= shareUntilMs || cappedSinceMs === null) return 1
  return nowMs - cappedSinceMs >= TRIAL_AFTER_WINDOWS * windowMs ? 1 : share
}

/** Takes the reading of a successful answer in. */
export function onReading(gauge: VendorGauge, reading: GaugeReading): VendorGauge {
  const { nowMs, limit, remaining, resetMs } = reading
  if (nowMs < gauge.distrustUntilMs || limit < 1 || remaining > limit) return gauge
  const { window } = gauge
  const resetAtMs = nowMs + resetMs
  const same =
    window !== null &&
    nowMs < window.resetAtMs &&
    limit === window.limit &&
    Math.abs(resetAtMs - window.resetAtMs) <= SAME_RESET_MS
  if (same) return withinWindow(gauge, window, reading)
  const judged = window === null ? gauge : judge(gauge, window)
  const none = { users: 0, events: 0, elements: 0 }
  const seen = { resetAtMs, limit, firstRemaining: remaining, leastRemaining: remaining }
  const fresh = { ...judged, window: { ...seen, own: none, largest: unitsOf(reading.cost) } }
  return judged.possible.length === 0 ? distrusted(nowMs) : fresh
}

function withinWindow(
  gauge: VendorGauge,
  window: SeenWindow,
  { nowMs, remaining, cost }: GaugeReading,
): VendorGauge {
  const units = unitsOf(cost)
  const own = mapUnits((unit) => window.own[unit] + units[unit])
  const largest = mapUnits((unit) => Math.max(window.largest[unit], units[unit]))
  // Accepted more than was left. Answers can be out of order, so one request's worth proves nothing.
  const possible = gauge.possible.filter(
    (unit) => own[unit] <= window.firstRemaining + largest[unit] * 2,
  )
  if (possible.length === 0) return distrusted(nowMs)
  const leastRemaining = Math.min(window.leastRemaining, remaining)
  const proven = gauge.proven.filter((unit) => possible.includes(unit))
  return { ...gauge, possible, proven, window: { ...window, leastRemaining, own, largest } }
}

/** Evaluates a finished window: the units whose fall matches relay's usage. */
function judge(gauge: VendorGauge, window: SeenWindow): VendorGauge {
  const fell = window.firstRemaining - window.leastRemaining
  const isEvidence = (unit: Unit) =>
    window.largest[unit] > 0 && window.own[unit] >= window.largest[unit] * EVIDENCE_REQUESTS
  const isTrue = (unit: Unit) => fell >= window.own[unit] - window.largest[unit] * 2
  const possible = gauge.possible.filter((unit) => !isEvidence(unit) || isTrue(unit))
  const proven = possible.filter((unit) => gauge.proven.includes(unit) || isEvidence(unit))
  return { ...gauge, possible, proven }
}

function distrusted(nowMs: number): VendorGauge {
  return { ...NO_GAUGE, distrustUntilMs: nowMs + DISTRUST_MS }
}

/** Whether to read the ledger: only when a proven unit shows high usage. */
export function needsUse({ proven, window }: VendorGauge): boolean {
  return proven.length > 0 && window !== null && window.leastRemaining < window.limit * (1 - NOISE)
}

/**
 * Compares the gauge with relay's usage (`used`: of all workers, at least as much as MoEngage can have
 * counted). The rest is the usage of other senders.
 */
export function onUse(
  gauge: VendorGauge,
  at: {
    readonly nowMs: number
    readonly windowMs: number
    readonly used: Cost
    readonly limits: Cost
  },
): VendorGauge {
  const { nowMs, windowMs, used, limits } = at
  const { window, proven } = gauge
  if (window === null || nowMs >= window.resetAtMs || !needsUse(gauge)) return gauge
  const own = unitsOf(used)
  const configured = unitsOf(limits)
  const consumed = window.limit - window.leastRemaining
  // The least that any proven unit leaves to others' account.
  const others = Math.min(...proven.map((unit) => consumed - own[unit]))
  const elapsed = Math.max(MIN_ELAPSED, 1 - (window.resetAtMs - nowMs) / windowMs)
  const isNoise = others <= window.limit * NOISE
  // Without others the advertised limit alone counts: it may have become less than the configured one.
  const left = isNoise ? window.limit : (window.limit - others / Math.min(1, elapsed)) * CAUTION
  const shares = proven.map((unit) => left / Math.max(1, configured[unit]))
  const share = Math.min(1, Math.max(MIN_SHARE, ...shares))
  if (share === 1) {
    // One window without others does not end the share of the previous window before its expiry.
    return nowMs >= gauge.shareUntilMs ? { ...gauge, share: 1, cappedSinceMs: null } : gauge
  }
  const stillCapped = nowMs < gauge.shareUntilMs + windowMs ? gauge.cappedSinceMs : null
  const since = stillCapped ?? nowMs
  // The trial's window is over: the next lesson begins afresh.
  const cappedSinceMs = nowMs - since >= (TRIAL_AFTER_WINDOWS + 1) * windowMs ? nowMs : since
  return { ...gauge, share, shareUntilMs: window.resetAtMs + windowMs, cappedSinceMs }
}

function mapUnits(of: (unit: Unit) => number): Record<Unit, number> {
  return { users: of('users'), events: of('events'), elements: of('elements') }
}
