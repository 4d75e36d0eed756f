/** Longest pause that a Retry-After is believed, ms. Longer ones are cut: relay would rather ask. */
export const MAX_RETRY_AFTER_MS = 3_600_000

const SECONDS = /^\d+(\.\d+)?$/
/** The three HTTP dates of RFC 9110 begin with a day's name; `Date.parse` alone accepts far more. */
const HTTP_DATE = /^(Mon|Tues?|Wed(nes)?|Thu(rs)?|Fri|Sat(ur)?|Sun)(day)?,? /

export interface RetryAfterClock {
  /** Wall clock at the moment the answer was read, ms since 1970 UTC. */
  readonly nowMs: number
  /** The answer's own `Date`, if it has one: then relay's clock need not be right. */
  readonly date: string | null
}

/**
 * Milliseconds to wait after the answer was read, 0 to `MAX_RETRY_AFTER_MS`; null when the header
 * is absent or unreadable (a negative number is).
 */
export function parseRetryAfter(header: string | null, clock: RetryAfterClock): number | null {
  const text = header?.trim() ?? ''
  if (SECONDS.test(text)) return Math.min(Math.ceil(Number(text) * 1_000), MAX_RETRY_AFTER_MS)
  const untilMs = parseHttpDate(text)
  if (untilMs === null) return null
  const nowMs = parseHttpDate(clock.date ?? '') ?? clock.nowMs
  return Math.min(Math.max(untilMs - nowMs, 0), MAX_RETRY_AFTER_MS)
}

/** Milliseconds since 1970 of an HTTP date; null: not one. */
export function parseHttpDate(text: string): number | null {
  if (!HTTP_DATE.test(text)) return null
  // The oldest form, asctime, names no zone and means UTC.
  const ms = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`)
  return Number.isNaN(ms) ? null : ms
}
