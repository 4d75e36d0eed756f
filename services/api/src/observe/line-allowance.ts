import type { Clock } from '@relay/shared/clock.js'

const WINDOW_MS = 10_000
const MOST_LINES = 50

/**
 * How many lines a kind of trouble may write: in an outage every post has one, and the log would grow
 * as fast as producers can post. Metrics count all of them.
 */
export class LineAllowance {
  readonly #clock: Clock
  #windowEndsMs = -Infinity
  #written = 0
  #withheld = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many lines were withheld since the last one that was written; null: this one is, too. */
  take(): number | null {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs >= this.#windowEndsMs) {
      this.#windowEndsMs = nowMs + WINDOW_MS
      this.#written = 0
    }
    if (this.#written >= MOST_LINES) {
      this.#withheld += 1
      return null
    }
    this.#written += 1
    const withheld = this.#withheld
    this.#withheld = 0
    return withheld
  }
}
