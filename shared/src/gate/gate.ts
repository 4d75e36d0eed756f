/*
 * Whether a workspace may send: a circuit breaker that all workers share. Pure; `WorkspaceGate` stores it.
 *
 *   open ──transient failure──▶ retrying ──5th retry failed──▶ held
 *   open, retrying, rate_limited ──refused──▶ held
 *   open ──429──▶ rate_limited;  retrying, held ──probe got a 429──▶ rate_limited
 *   rate_limited ──probe failed──▶ retrying
 *   retrying, held, rate_limited ──probe succeeded──▶ open
 *   retrying, held ──another request succeeded──▶ open, unless elements are refused without a reason
 *
 * While it is not open, one request at a time is sent, the probe: a retry every 2 s, after a hold every 1 to 60 s,
 * after a 429 at the end of the pause. While elements are refused without a reason, an untried one is a probe sooner.
 * `paused` by an operator is independent of the state.
 */
import { RETRY_ATTEMPTS, RETRY_INTERVAL_MS } from '../vendor/limits.js'
import type { TransientReason } from './reasons.js'
import {
  unexplainedHold,
  type ClosedMode,
  type Gate,
  type HeldMode,
  type HoldReason,
  type Mode,
  type OpenMode,
  type Probe,
} from './gate-state.js'

/** `probeId`: of the probe that this attempt was, null for any other attempt. */
interface OfAttempt {
  readonly probeId: string | null
}

interface Probing {
  /** The probe sends an element that MoEngage has not refused yet. */
  readonly isUntried?: boolean
}

type Refused = Exclude<HoldReason, 'unavailable'>

interface RateLimited extends OfAttempt {
  /** Pause requested by MoEngage; null without one. */
  readonly retryAfterMs: number | null
  /** Time to the end of the budget's window by the rate-limit headers; null or absent without them. */
  readonly resetMs?: number | null | undefined
}

export type GateEvent =
  /** Delivered, or refused for its elements or size alone: MoEngage works. */
  | ({ readonly type: 'succeeded'; readonly nothingAccepted?: true } & OfAttempt)
  | ({ readonly type: 'failed_transient'; readonly reason: TransientReason } & OfAttempt)
  | ({ readonly type: 'refused_for'; readonly reason: Refused } & OfAttempt)
  | ({ readonly type: 'rate_limited' } & RateLimited)
  /** The workspace's settings changed. */
  | { readonly type: 'config_changed' }
  /** Takes the probe, if `mayStart` grants one: look in the result for one's own id. */
  | ({ readonly type: 'probe_started'; readonly probeId: string; readonly ttlMs: number } & Probing)
  /** Releases a probe without a result: relay interrupted it, or there was nothing to send. */
  | { readonly type: 'probe_released'; readonly probeId: string }
  /** Clears a probe past its time; `mayStart` and `probe_started` do so by themselves. */
  | { readonly type: 'probe_expired' }
  | { readonly type: 'paused' }
  | { readonly type: 'resumed' }

/** When nothing but an event can open the gate, ask again after this long all the same. */
export const PAUSED_RECHECK_MS = 5_000

/** Pause after a probe that was released or whose worker died. */
const RELEASED_PROBE_MS = 500

/**
 * While everything is refused, an element that was not yet refused is tried this long after the last, ms, or
 * after this share of the wait of those that were.
 */
const UNTRIED_MS = 2_000
const UNTRIED_SHARE = 1 / 6

/** Even a Retry-After of 0 leaves a moment. */
const SHORTEST_PAUSE_MS = 250

/** Maximum difference between the workers' estimates of Redis' time, ms. */
const CLOCKS_DIFFER_MS = 5_000

/** Longest a probe may hold the gate before its worker is taken for dead. */
const MAX_PROBE_MS = 300_000

export type MayStart =
  /** `probe`: send only after `probe_started` has made this attempt the one probe. */
  { readonly go: true; readonly probe: boolean } | { readonly go: false; readonly waitMs: number }

/** Whether a new attempt may start now, and if not, when to ask again. */
export function mayStart(gate: Gate, nowMs: number, { isUntried = false }: Probing = {}): MayStart {
  if (gate.paused) return { go: false, waitMs: PAUSED_RECHECK_MS }
  const { mode } = gate
  if (mode.state === 'open') return { go: true, probe: false }
  const ownMs = mode.probe?.expiresAtMs ?? mode.nextProbeAtMs
  const readyAtMs = isUntried ? Math.min(ownMs, untriedAtMs(gate)) : ownMs
  const waitMs = Math.ceil(readyAtMs - nowMs)
  // Further ahead than it can have been set: Redis' clock stepped back since.
  return waitMs <= 0 || waitMs > longestWaitMs(mode)
    ? { go: true, probe: true }
    : { go: false, waitMs }
}

/** When an element that MoEngage has not refused yet may be a probe while others are refused, ms. */
function untriedAtMs(gate: Gate): number {
  const { mode } = gate
  if (mode.state !== 'held' || mode.probe !== null) return Infinity
  const hold = unexplainedHold(gate)
  if (hold === null) return Infinity
  const refusedAtMs = mode.nextProbeAtMs - mode.probeIntervalMs
  if (hold === 'some_refused') return refusedAtMs
  return refusedAtMs + Math.max(UNTRIED_MS, mode.probeIntervalMs * UNTRIED_SHARE)
}

function longestWaitMs(mode: ClosedMode): number {
  if (mode.probe !== null) return MAX_PROBE_MS + CLOCKS_DIFFER_MS
  const ownMs = mode.state === 'held' ? mode.probeIntervalMs : MAX_BACKOFF_MS * 2
  return Math.max(ownMs, mode.askedMs ?? 0) + CLOCKS_DIFFER_MS
}

/** Whether the probe, if there is one, is this one. */
export function isProbe(gate: Gate, probeId: string): boolean {
  return gate.mode.state !== 'open' && gate.mode.probe?.id === probeId
}

/** The gate after an event. Total; `random` is uniform in [0, 1). */
export function advance(gate: Gate, event: GateEvent, nowMs: number, random: number): Gate {
  if (event.type === 'paused' || event.type === 'resumed') {
    return { ...gate, paused: event.type === 'paused' }
  }
  if (event.type === 'probe_started') {
    const answer = mayStart(gate, nowMs, event)
    if (!answer.go || !answer.probe) return gate
    return withMode(gate, withProbe(gate.mode, event.probeId, nowMs + bounded(event.ttlMs)))
  }
  return withMode(gate, nextMode(gate, event, nowMs, random))
}

type ModeEvent = Exclude<GateEvent, { type: 'paused' | 'resumed' | 'probe_started' }>

function nextMode(gate: Gate, event: ModeEvent, nowMs: number, random: number): Mode {
  const { mode } = gate
  switch (event.type) {
    case 'succeeded':
      return succeeded(gate, event)
    case 'failed_transient':
      return failed(mode, event, nowMs)
    case 'refused_for':
      return refused(mode, event, nowMs)
    case 'rate_limited':
      return limited(mode, event, nowMs, random)
    case 'config_changed':
      return reconfigured(mode, nowMs)
    case 'probe_released':
      return released(mode, event, nowMs)
    case 'probe_expired':
      return expired(mode, nowMs)
  }
}

/**
 * The success of an older request does not lift a pause that MoEngage requested, and a refusal of other
 * elements does not show that MoEngage accepts elements again.
 */
function succeeded(gate: Gate, event: OfAttempt & { readonly nothingAccepted?: true }): Mode {
  const { mode } = gate
  if (mode.state === 'open') return mode
  if (event.nothingAccepted && unexplainedHold(gate) !== null) {
    return isFromProbe(mode, event) ? { ...mode, probe: null } : mode
  }
  return mode.state === 'rate_limited' && !isFromProbe(mode, event) ? mode : { state: 'open' }
}

/** Requests that were in flight when the gate closed fail too; only the leader's failure counts. */
function failed(
  mode: Mode,
  event: OfAttempt & { readonly reason: TransientReason },
  nowMs: number,
): Mode {
  const { reason } = event
  const fresh = { state: 'retrying', reason, sinceMs: nowMs, attempt: 1, probe: null } as const
  if (mode.state === 'open') return { ...fresh, nextProbeAtMs: nowMs + RETRY_INTERVAL_MS }
  if (!isFromProbe(mode, event)) return mode
  switch (mode.state) {
    case 'held':
      return { ...heldAgain(mode, 'unavailable', nowMs), cause: reason }
    case 'rate_limited':
      return { ...fresh, nextProbeAtMs: nowMs + RETRY_INTERVAL_MS }
    case 'retrying': {
      if (mode.attempt >= RETRY_ATTEMPTS) {
        return { ...hold('unavailable', mode.sinceMs, nowMs), cause: reason }
      }
      const nextProbeAtMs = mode.probe.outdated ? nowMs : nowMs + RETRY_INTERVAL_MS
      return { ...mode, reason, attempt: mode.attempt + 1, nextProbeAtMs, probe: null }
    }
  }
}

function refused(mode: Mode, event: OfAttempt & { readonly reason: Refused }, nowMs: number): Mode {
  if (mode.state !== 'held') {
    const held = hold(event.reason, nowMs, nowMs)
    // A late answer to an older request leaves the running probe its place.
    return mode.state === 'open' || isFromProbe(mode, event) ? held : { ...held, probe: mode.probe }
  }
  return isFromProbe(mode, event) ? heldAgain(mode, event.reason, nowMs) : mode
}

function limited(mode: Mode, event: RateLimited, nowMs: number, random: number): Mode {
  const named = event.retryAfterMs ?? event.resetMs ?? null
  const asked = named === null ? null : Math.max(named, SHORTEST_PAUSE_MS)
  if (mode.state !== 'open' && !isFromProbe(mode, event)) {
    // Several requests in flight are refused together: the longest requested pause counts, not the sum.
    return asked === null
      ? mode
      : {
          ...mode,
          nextProbeAtMs: Math.max(mode.nextProbeAtMs, nowMs + asked),
          askedMs: Math.max(mode.askedMs ?? 0, asked),
        }
  }
  const again = mode.state === 'rate_limited'
  const backoffMs = again ? Math.min(mode.backoffMs * 2, MAX_BACKOFF_MS) : FIRST_BACKOFF_MS
  return {
    state: 'rate_limited',
    sinceMs: again ? mode.sinceMs : nowMs,
    nextProbeAtMs: nowMs + pauseMs(event, jittered(backoffMs, random)),
    backoffMs,
    probe: null,
    ...(asked === null ? {} : { askedMs: asked }),
  }
}

/** A reset time does not ask for a retry: an early one does not shorten the backoff. */
function pauseMs({ retryAfterMs, resetMs }: RateLimited, backoffMs: number): number {
  if (retryAfterMs !== null) return Math.max(retryAfterMs, SHORTEST_PAUSE_MS)
  return Math.max(backoffMs, resetMs ?? 0)
}

/** A probe in flight belongs to the old settings: it stays the probe, but its failure causes no wait. */
function reconfigured(mode: Mode, nowMs: number): Mode {
  switch (mode.state) {
    case 'open':
    case 'rate_limited':
      return mode
    case 'retrying':
      return { ...mode, nextProbeAtMs: nowMs, probe: outdated(mode.probe) }
    case 'held': {
      const probeIntervalMs = firstProbeIntervalMs(mode.reason)
      return { ...mode, probeIntervalMs, nextProbeAtMs: nowMs, probe: outdated(mode.probe) }
    }
  }
}

function outdated(probe: Probe | null): Probe | null {
  return probe === null ? null : { ...probe, outdated: true }
}

function hold(reason: HoldReason, sinceMs: number, nowMs: number): HeldMode {
  const probeIntervalMs = firstProbeIntervalMs(reason)
  const nextProbeAtMs = nowMs + probeIntervalMs
  return { state: 'held', reason, sinceMs, nextProbeAtMs, probeIntervalMs, probe: null }
}

function heldAgain(mode: HeldMode, reason: HoldReason, nowMs: number): HeldMode {
  const { state, sinceMs, askedMs } = mode
  const again = {
    state,
    sinceMs,
    reason,
    probe: null,
    ...(askedMs === undefined ? {} : { askedMs }),
  }
  const { probeIntervalMs: beforeMs } = mode
  if (mode.probe?.outdated === true) {
    return { ...again, probeIntervalMs: beforeMs, nextProbeAtMs: nowMs }
  }
  const probeIntervalMs = nextProbeIntervalMs(reason, beforeMs)
  return { ...again, probeIntervalMs, nextProbeAtMs: nowMs + probeIntervalMs }
}

function released(mode: Mode, event: OfAttempt, nowMs: number): Mode {
  if (!isFromProbe(mode, event)) return mode
  const nextProbeAtMs = Math.max(mode.nextProbeAtMs, nowMs + RELEASED_PROBE_MS)
  return { ...mode, nextProbeAtMs, probe: null }
}

function expired(mode: Mode, nowMs: number): Mode {
  if (mode.state === 'open' || mode.probe === null || nowMs < mode.probe.expiresAtMs) return mode
  return { ...mode, nextProbeAtMs: Math.min(mode.nextProbeAtMs, nowMs), probe: null }
}

function withProbe(mode: Mode, id: string, expiresAtMs: number): Mode {
  return mode.state === 'open' ? mode : { ...mode, probe: { id, expiresAtMs, outdated: false } }
}

function withMode(gate: Gate, mode: Mode): Gate {
  return mode === gate.mode ? gate : { ...gate, mode }
}

function isFromProbe<M extends Mode>(
  mode: M,
  { probeId }: OfAttempt,
): mode is Exclude<M, OpenMode> & { readonly probe: Probe } {
  return mode.state !== 'open' && mode.probe?.id === probeId
}

function bounded(ttlMs: number): number {
  return Math.min(Math.max(ttlMs, RELEASED_PROBE_MS), MAX_PROBE_MS)
}

interface ProbeSchedule {
  readonly firstMs: number
  readonly growth: number
  readonly longestMs: number
}

const MINUTE_MS = 60_000

/**
 * Gentle growth at first: an outage of 15 s ends between probes that are under 5 s apart, and a
 * held workspace costs MoEngage one request a minute in the long run.
 */
const BY_REASON: Readonly<Record<HoldReason, ProbeSchedule>> = {
  unavailable: { firstMs: 2_000, growth: 1.5, longestMs: MINUTE_MS },
  // A key is often fixed within seconds, on MoEngage's side too.
  credentials_refused: { firstMs: 1_000, growth: 1.5, longestMs: MINUTE_MS },
  misconfigured: { firstMs: 1_000, growth: 1.5, longestMs: MINUTE_MS },
  wrong_host: { firstMs: 2_000, growth: 1.5, longestMs: MINUTE_MS },
  wrong_request: { firstMs: 2_000, growth: 1.5, longestMs: MINUTE_MS },
  everything_refused: { firstMs: 2_000, growth: 1.5, longestMs: MINUTE_MS },
  some_refused: { firstMs: 2_000, growth: 1.5, longestMs: MINUTE_MS },
  // An address is added to the allow-list within minutes, by hand.
  ip_refused: { firstMs: 2_000, growth: 1.5, longestMs: MINUTE_MS },
  // Rarely, because retries do not reactivate a suspended account.
  account_refused: { firstMs: 5_000, growth: 2, longestMs: MINUTE_MS },
}

function firstProbeIntervalMs(reason: HoldReason): number {
  return BY_REASON[reason].firstMs
}

/** The pause after a probe that failed for `reason`, when the one before it was `intervalMs`. */
function nextProbeIntervalMs(reason: HoldReason, intervalMs: number): number {
  const { firstMs, growth, longestMs } = BY_REASON[reason]
  return Math.min(Math.max(intervalMs * growth, firstMs), longestMs)
}

/** First pause after a 429 without Retry-After, ms. */
const FIRST_BACKOFF_MS = 1_000

/** Longest such pause: one window of the vendor's budgets, after which any budget is free again. */
const MAX_BACKOFF_MS = MINUTE_MS

/** Up to a quarter more, so that several senders of a workspace do not return together. */
function jittered(backoffMs: number, random: number): number {
  return Math.round(backoffMs * (1 + random / 4))
}
