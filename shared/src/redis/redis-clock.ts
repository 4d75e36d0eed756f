import type { Clock } from '../clock.js'
import type { RedisClient } from './connect.js'

/**
 * Redis' time from the last reply, extrapolated by the local monotonic clock. It lags by at most one
 * round trip, so a deadline computed from it is early rather than late.
 */
export class RedisClock {
  readonly #clock: Clock
  #redisMs: number | null = null
  #syncedAtMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Milliseconds since 1970 on Redis' clock, or null before the first reply. */
  nowMs(): number | null {
    if (this.#redisMs === null) return null
    return this.#redisMs + (this.#clock.monotonicMs() - this.#syncedAtMs)
  }

  /**
   * Notes a time that Redis just answered with; `sentAtMs` is the monotonic time of the question.
   * Returns how far Redis' clock stepped against expectation, ms; 0 within the round trip.
   */
  heard(redisMs: number, sentAtMs: number): number {
    const nowMs = this.#clock.monotonicMs()
    const expected = this.nowMs()
    const roundTripMs = nowMs - sentAtMs
    const step = expected === null ? 0 : redisMs - expected
    this.#redisMs = redisMs
    this.#syncedAtMs = nowMs
    return Math.abs(step) <= roundTripMs + TOLERANCE_MS ? 0 : step
  }

  /** Forgets: another server may have another clock. */
  reset(): void {
    this.#redisMs = null
  }
}

/** Differences below this are scheduling and rounding, not a step. */
const TOLERANCE_MS = 250

/** Redis' time now, ms since 1970; in a cluster, one server's. */
export async function readRedisMs(client: RedisClient): Promise<number> {
  const [seconds, microseconds] = await client.time()
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000)
}
