import { MAX_RESET_MS } from '@relay/shared/vendor/limits.js'
import type { NotSentAnswer, ResponseAnswer, UnknownAnswer } from '../send/answer.js'
import { parseHttpDate } from './retry-after.js'

/** `x-ratelimit-*` of an answer as they stand; null: absent. */
export interface RateLimitHeaders {
  readonly limit: string | null
  readonly remaining: string | null
  readonly reset: string | null
}

/** The account's budget by an answer's headers. Null: absent or unreadable. */
export interface RateGauge {
  /** Units a window, in a unit that the vendor does not define. */
  readonly limit: number | null
  readonly remaining: number | null
  /** Until the window resets, ms, 0 to `MAX_RESET_MS`. */
  readonly resetMs: number | null
}

/** A number, perhaps the first of a list, perhaps with parameters: `100`, `100, 100;w=60`. */
const FIRST_NUMBER = /^\s*(\d{1,13})(\.\d+)?\s*(?:[,;].*)?$/
/** Larger numbers are moments: seconds since 1970, or milliseconds. Seconds left are under 60. */
const EPOCH_SECONDS_FROM = 1e9
const EPOCH_MS_FROM = 1e12

/** Reads the headers; null: the answer has none that can be read. Total. */
export function parseRateGauge(
  headers: RateLimitHeaders | undefined,
  clock: { readonly nowMs: number; readonly date: string | null },
): RateGauge | null {
  if (headers === undefined) return null
  const limit = firstNumber(headers.limit)
  const remaining = firstNumber(headers.remaining)
  const resetMs = readReset(firstNumber(headers.reset), clock)
  if (limit === null && remaining === null && resetMs === null) return null
  return { limit, remaining, resetMs }
}

/** The gauge of an attempt's answer; null: no answer, or none in it. */
export function gaugeOf(
  answer: ResponseAnswer | NotSentAnswer | UnknownAnswer,
  nowMs: number,
): RateGauge | null {
  if (answer.kind !== 'response') return null
  const { rateLimit, date } = answer.headers
  return parseRateGauge(rateLimit, { nowMs, date })
}

function firstNumber(text: string | null): number | null {
  const match = FIRST_NUMBER.exec(text ?? '')
  return match === null ? null : Number(`${match[1] ?? ''}${match[2] ?? ''}`)
}

/** The vendor's pages contradict each other: seconds left, or the moment as seconds since 1970. */
function readReset(
  value: number | null,
  { nowMs, date }: { readonly nowMs: number; readonly date: string | null },
): number | null {
  if (value === null) return null
  if (value < EPOCH_SECONDS_FROM) return bounded(value * 1000)
  const atMs = value < EPOCH_MS_FROM ? value * 1000 : value
  return bounded(atMs - (parseHttpDate(date ?? '') ?? nowMs))
}

/** A reset further away than a window is long is not one. */
function bounded(ms: number): number | null {
  return ms > MAX_RESET_MS ? null : Math.max(0, Math.ceil(ms))
}
