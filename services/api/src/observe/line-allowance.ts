import type { Clock } from '@relay/shared/clock.js'

const WINDOW_MS = 10_000
const MAX_LINES = 50

/**
 * Limits the log lines of one kind of problem: in an outage every post fails, and the log would grow
 * as fast as producers post. Metrics count all of them.
 */
export class LineAllowance {
  readonly #clock: Clock
  #windowEndsMs = -Infinity
  #written = 0
  #withheld = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many lines were withheld since the last one that was written; null if this one is withheld. */
  take(): number | null {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs >= this.#windowEndsMs) {
      this.#windowEndsMs = nowMs + WINDOW_MS
      this.#written = 0
    }
    if (this.#written >= MAX_LINES) {
      this.#withheld += 1
      return null
    }
    this.#written += 1
    const withheld = this.#withheld
    this.#withheld = 0
    return withheld
  }
}
