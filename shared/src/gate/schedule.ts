import type { HoldReason } from './gate-state.js'

export interface ProbeSchedule {
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

export function firstProbeIntervalMs(reason: HoldReason): number {
  return BY_REASON[reason].firstMs
}

/** The pause after a probe that failed for `reason`, when the one before it was `intervalMs`. */
export function nextProbeIntervalMs(reason: HoldReason, intervalMs: number): number {
  const { firstMs, growth, longestMs } = BY_REASON[reason]
  return Math.min(Math.max(intervalMs * growth, firstMs), longestMs)
}

/** First pause after a 429 without Retry-After, ms. */
export const FIRST_BACKOFF_MS = 1_000

/** Longest such pause: one window of the vendor's budgets, after which any budget is free again. */
export const MAX_BACKOFF_MS = MINUTE_MS

/** Up to a quarter more, so that several senders of a workspace do not return together. */
export function jittered(backoffMs: number, random: number): number {
  return Math.round(backoffMs * (1 + random / 4))
}
