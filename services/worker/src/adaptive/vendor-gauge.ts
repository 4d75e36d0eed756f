/**
 * Detects other senders on the account from MoEngage's rate-limit headers, before MoEngage refuses a
 * request. Pure.
 *
 * The headers are not trusted: their unit is not documented, and the pages contradict each other. A
 * unit counts as proven once `remaining` fell by relay's usage during a whole window. It is ruled out
 * once it did not, or once MoEngage accepted more than the unit left. When all units are ruled out, or
 * the reset moves away as time passes, the headers are ignored for `DISTRUST_MS`.
 *
 * The effect is bounded, so that wrong headers cost little: the share never falls below `MIN_SHARE`, and
 * after a number of windows in a row relay tries the full budget for a window. Then either MoEngage
 * refuses, which is measured as without headers (adaptation.ts), or it accepts more than advertised and
 * the headers are known to be wrong.
 */
import type { Cost } from '@relay/shared/budget/cost.js'
import type { LedgerUse } from '@relay/shared/budget/ledger.js'

/** Units that the headers may count. Requests are left out: the ledger cannot separate others' from relay's. */
const UNITS = ['users', 'events', 'elements'] as const
type Unit = (typeof UNITS)[number]
type Units = Readonly<Record<Unit, number>>

/** Least share of the limits that a gauge can leave to relay. */
export const MIN_SHARE = 0.5
/** Windows below the full budget before the first trial; each trial that ends in a 429 doubles them. */
const TRIAL_AFTER_WINDOWS = 10
const MAX_TRIAL_AFTER_WINDOWS = 80
const DISTRUST_MS = 3_600_000
/** Others' use below this share of the limit is noise: requests in flight, rounding. */
const NOISE = 0.03
/** Share of the limit that is never spent: what others send between a reading and a request. */
const SLACK = 0.004
/** Maximum difference between resets of one window, which are in whole seconds, ms. */
const SAME_RESET_MS = 2_000
/** Own units in a window, in units of its largest request, that make it evidence. */
const EVIDENCE_REQUESTS = 5

/** An answer whose headers name all three values. */
export interface GaugeReading {
  readonly nowMs: number
  readonly limit: number
  readonly remaining: number
  readonly resetMs: number
  /** Of the answered request; nothing unless MoEngage accepted it. */
  readonly cost: Cost
}

/** The window that the headers speak of, as far as it was seen. */
interface SeenWindow {
  readonly resetAtMs: number
  readonly limit: number
  readonly firstRemaining: number
  readonly leastRemaining: number
  /** Accepted after the first reading, and the largest single request, by unit. */
  readonly own: Units
  readonly largest: Units
  /** The most that could be accepted by the readings so far, if the headers are true. */
  readonly mostOwn: Units
  /** Where relay's own use is counted from; null before the ledger was first read. */
  readonly base: { readonly atMs: number; readonly remaining: number; readonly own: Units } | null
}

export interface VendorGauge {
  readonly possible: readonly Unit[]
  readonly proven: readonly Unit[]
  readonly window: SeenWindow | null
  readonly distrustUntilMs: number
  /** Others' use by the last whole window and by the present one, units per ms. */
  readonly othersBefore: number
  readonly others: number
  /** Share of the configured limits that others leave, and how long it is valid. */
  readonly share: number
  readonly shareUntilMs: number
  /** Since when the share is below 1 without a break; null: it is not. */
  readonly cappedSinceMs: number | null
  readonly trialAfterWindows: number
  /** The reset of the window in which a trial ended in a 429. */
  readonly confirmedUntilMs: number
}

export const NO_GAUGE: VendorGauge = {
  ...{ possible: UNITS, proven: [], window: null, distrustUntilMs: -Infinity },
  ...{ othersBefore: 0, others: 0, share: 1, shareUntilMs: -Infinity, cappedSinceMs: null },
  ...{ trialAfterWindows: TRIAL_AFTER_WINDOWS, confirmedUntilMs: -Infinity },
}

function unitsOf({ users, events, devices }: Cost): Units {
  return { users: users + devices, events, elements: users + events + devices }
}

/** Share of the configured limits to use, `MIN_SHARE` to 1. */
export function gaugeShare(gauge: VendorGauge, nowMs: number, windowMs: number): number {
  const { share, shareUntilMs, cappedSinceMs, trialAfterWindows } = gauge
  if (nowMs >= shareUntilMs || cappedSinceMs === null) return 1
  return nowMs - cappedSinceMs >= trialAfterWindows * windowMs ? 1 : share
}

/** A 429. Null unless it belongs to a trial: it confirms the headers then, and teaches nothing else. */
export function onRefusal(gauge: VendorGauge, nowMs: number, windowMs: number): VendorGauge | null {
  if (nowMs < gauge.confirmedUntilMs) return gauge
  const isTrial = nowMs < gauge.shareUntilMs && gaugeShare(gauge, nowMs, windowMs) > gauge.share
  const confirmedUntilMs = gauge.window?.resetAtMs ?? nowMs
  return isTrial ? { ...gauge, ...nextTrial(gauge, nowMs), confirmedUntilMs } : null
}

function nextTrial({ trialAfterWindows }: VendorGauge, nowMs: number) {
  const doubled = Math.min(2 * trialAfterWindows, MAX_TRIAL_AFTER_WINDOWS)
  return { cappedSinceMs: nowMs, trialAfterWindows: doubled }
}

/** Whether what the headers say of the reset may be used. */
export function isBelieved(gauge: VendorGauge, nowMs: number): boolean {
  return nowMs >= gauge.distrustUntilMs
}

/** Takes an answer's reading in. */
export function onReading(gauge: VendorGauge, reading: GaugeReading): VendorGauge {
  const { nowMs, limit, remaining, resetMs } = reading
  if (!isBelieved(gauge, nowMs) || limit < 1 || remaining > limit) return gauge
  const { window } = gauge
  const resetAtMs = nowMs + resetMs
  if (window !== null && nowMs < window.resetAtMs - SAME_RESET_MS) {
    if (resetAtMs > window.resetAtMs + SAME_RESET_MS) return distrusted(nowMs)
    const same = limit === window.limit && resetAtMs >= window.resetAtMs - SAME_RESET_MS
    if (same) return withinWindow(gauge, window, reading)
  } else if (window !== null && Math.abs(resetAtMs - window.resetAtMs) <= SAME_RESET_MS) {
    return limit === window.limit ? withinWindow(gauge, window, reading) : gauge
  }
  const judged = window === null ? gauge : judge(gauge, window)
  if (judged.possible.length === 0) return distrusted(nowMs)
  const seen = { resetAtMs, limit, firstRemaining: remaining, leastRemaining: remaining }
  const own = mapUnits(() => 0)
  const mostOwn = mapUnits(() => remaining)
  const largest = unitsOf(reading.cost)
  return { ...judged, window: { ...seen, own, largest, mostOwn, base: null } }
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
    (unit) => own[unit] <= window.mostOwn[unit] + largest[unit] * 2,
  )
  if (possible.length === 0) return distrusted(nowMs)
  const leastRemaining = Math.min(window.leastRemaining, remaining)
  const mostOwn = mapUnits((unit) => Math.min(window.mostOwn[unit], own[unit] + remaining))
  const proven = gauge.proven.filter((unit) => possible.includes(unit))
  return {
    ...gauge,
    possible,
    proven,
    window: { ...window, leastRemaining, own, largest, mostOwn },
  }
}

/** Evaluates a finished window: the units whose fall matches relay's usage. */
function judge(gauge: VendorGauge, window: SeenWindow): VendorGauge {
  const fell = window.firstRemaining - window.leastRemaining
  const isEvidence = (unit: Unit) =>
    window.largest[unit] > 0 && window.own[unit] >= window.largest[unit] * EVIDENCE_REQUESTS
  const isTrue = (unit: Unit) => fell >= window.own[unit] - window.largest[unit] * 2
  const possible = gauge.possible.filter((unit) => !isEvidence(unit) || isTrue(unit))
  const proven = possible.filter((unit) => gauge.proven.includes(unit) || isEvidence(unit))
  return { ...gauge, possible, proven, othersBefore: gauge.others }
}

function distrusted(nowMs: number): VendorGauge {
  return { ...NO_GAUGE, distrustUntilMs: nowMs + DISTRUST_MS }
}

/** Whether to read the ledger: only for a unit that is proven. */
export function needsUse({ proven, window }: VendorGauge): boolean {
  return proven.length > 0 && window !== null
}

/** Compares the gauge with relay's own use, of all workers. The rest is the use of other senders. */
export function onUse(
  gauge: VendorGauge,
  at: {
    readonly nowMs: number
    readonly windowMs: number
    readonly use: LedgerUse
    readonly limits: Cost
  },
): VendorGauge {
  const { nowMs, windowMs, use } = at
  const { window, proven } = gauge
  if (window === null || nowMs >= window.resetAtMs || !needsUse(gauge)) return gauge
  const granted = unitsOf(use.granted)
  const open = unitsOf(use.open)
  // Without the open requests: MoEngage may count them only after this reading.
  const own = mapUnits((unit) => granted[unit] - open[unit])
  const fresh = { atMs: nowMs, remaining: window.leastRemaining, own }
  // A ledger that Redis lost counts from zero again.
  const isLost = proven.some((unit) => granted[unit] < (window.base ?? fresh).own[unit])
  const base = isLost ? fresh : (window.base ?? fresh)
  const fell = base.remaining - window.leastRemaining
  const elapsedMs = nowMs - base.atMs
  // The least that any proven unit leaves to others' account.
  const byOthers = Math.min(...proven.map((unit) => fell - (granted[unit] - base.own[unit])))
  const weight = Math.min(1, elapsedMs / windowMs)
  const present = elapsedMs > 0 ? (Math.max(0, byOthers) / elapsedMs) * weight : 0
  const others = present + gauge.othersBefore * (1 - weight)
  const seen = { ...gauge, window: { ...window, base }, others }
  return withShare(seen, window, at)
}

/** The share that this use by others leaves, and no more than is left until the reset. */
function withShare(
  gauge: VendorGauge,
  window: SeenWindow,
  { nowMs, windowMs, use, limits }: Parameters<typeof onUse>[1],
): VendorGauge {
  const used = unitsOf(use.used)
  const open = unitsOf(use.open)
  const configured = unitsOf(limits)
  const isNoise = gauge.others * windowMs <= window.limit * NOISE
  const steady = window.limit - (isNoise ? 0 : gauge.others * windowMs)
  const toOthers = gauge.others * (window.resetAtMs - nowMs)
  const shares = gauge.proven.map((unit) => {
    const now = used[unit] - open[unit] + window.leastRemaining - toOthers - SLACK * window.limit
    return Math.min(steady, isNoise ? Infinity : now) / Math.max(1, configured[unit])
  })
  const share = Math.min(1, Math.max(MIN_SHARE, ...shares))
  if (share === 1) {
    // One window without others does not end the share of the previous window before its maxAge.
    return nowMs >= gauge.shareUntilMs ? { ...gauge, share: 1, cappedSinceMs: null } : gauge
  }
  const stillCapped = nowMs < gauge.shareUntilMs + windowMs ? gauge.cappedSinceMs : null
  const since = stillCapped ?? nowMs
  const capped = {
    ...gauge,
    share,
    shareUntilMs: window.resetAtMs + windowMs,
    cappedSinceMs: since,
  }
  const trialIsOver = nowMs - since >= (gauge.trialAfterWindows + 1) * windowMs
  return trialIsOver ? { ...capped, ...nextTrial(gauge, nowMs) } : capped
}

function mapUnits(of: (unit: Unit) => number): Record<Unit, number> {
  return { users: of('users'), events: of('events'), elements: of('elements') }
}
