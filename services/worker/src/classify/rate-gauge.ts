import { MAX_RESET_MS } from '@relay/shared/vendor/limits.js'
import type { NotSentAnswer, ResponseAnswer, UnknownAnswer } from '../send/answer.js'

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

/** By which an answer's moments are told. */
interface AnswerClock {
  /** Wall clock at the moment the answer was read, ms since 1970 UTC. */
  readonly nowMs: number
  /** The answer's own `Date`, if it has one: then relay's clock need not be right. */
  readonly date: string | null
}

/** A number, perhaps the first of a list, perhaps with parameters: `100`, `100, 100;w=60`. */
const FIRST_NUMBER = /^\s*(\d{1,13})(\.\d+)?\s*(?:[,;].*)?$/
/** Larger numbers are moments: seconds since 1970, or milliseconds. Seconds left are under 60. */
const EPOCH_SECONDS_FROM = 1e9
const EPOCH_MS_FROM = 1e12

/** Longest pause that a Retry-After is believed, ms. Longer ones are cut: relay would rather ask. */
export const MAX_RETRY_AFTER_MS = 3_600_000

const SECONDS = /^\d+(\.\d+)?$/
/** The three HTTP dates of RFC 9110 begin with a day's name; `Date.parse` alone accepts far more. */
const HTTP_DATE = /^(Mon|Tues?|Wed(nes)?|Thu(rs)?|Fri|Sat(ur)?|Sun)(day)?,? /

/** Reads the headers; null: the answer has none that can be read. Total. */
export function parseRateGauge(
  headers: RateLimitHeaders | undefined,
  clock: AnswerClock,
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

/**
 * Milliseconds to wait after the answer was read, 0 to `MAX_RETRY_AFTER_MS`; null when the header
 * is absent or unreadable (a negative number is).
 */
export function parseRetryAfter(header: string | null, clock: AnswerClock): number | null {
  const text = header?.trim() ?? ''
  if (SECONDS.test(text)) return Math.min(Math.ceil(Number(text) * 1_000), MAX_RETRY_AFTER_MS)
  const untilMs = parseHttpDate(text)
  if (untilMs === null) return null
  const nowMs = parseHttpDate(clock.date ?? '') ?? clock.nowMs
  return Math.min(Math.max(untilMs - nowMs, 0), MAX_RETRY_AFTER_MS)
}

function firstNumber(text: string | null): number | null {
  const match = FIRST_NUMBER.exec(text ?? '')
  return match === null ? null : Number(`${match[1] ?? ''}${match[2] ?? ''}`)
}

/** The vendor's pages contradict each other: seconds left, or the moment as seconds since 1970. */
function readReset(value: number | null, { nowMs, date }: AnswerClock): number | null {
  if (value === null) return null
  if (value < EPOCH_SECONDS_FROM) return bounded(value * 1000)
  const atMs = value < EPOCH_MS_FROM ? value * 1000 : value
  return bounded(atMs - (parseHttpDate(date ?? '') ?? nowMs))
}

/** A reset further away than a window is long is not one. */
function bounded(ms: number): number | null {
  return ms > MAX_RESET_MS ? null : Math.max(0, Math.ceil(ms))
}

/** Milliseconds since 1970 of an HTTP date; null: not one. */
function parseHttpDate(text: string): number | null {
  if (!HTTP_DATE.test(text)) return null
  // The oldest form, asctime, names no zone and means UTC.
  const ms = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`)
  return Number.isNaN(ms) ? null : ms
}
