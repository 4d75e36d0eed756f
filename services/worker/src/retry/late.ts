import type { Clock } from '@relay/shared/clock.js'
import { customerOf, type Item } from '../fetch/window.js'

interface Unanswered {
  readonly items: ReadonlySet<Item>
  readonly customers: ReadonlySet<string>
  /** Until then MoEngage may process it, monotonic ms. */
  readonly untilMs: number
}

/**
 * Requests of one flight that MoEngage may still process although relay closed their connection. The
 * same elements may be sent again at once; later elements of their customers must not overtake them.
 * `InFlight` protects the partition after the flight.
 */
export class Late {
  readonly #clock: Clock
  readonly #graceMs: number
  #unanswered: Unanswered[] = []

  constructor(clock: Clock, graceMs: number) {
    this.#clock = clock
    this.#graceMs = graceMs
  }

  add(items: readonly Item[]): void {
    const untilMs = this.#clock.monotonicMs() + this.#graceMs
    this.#unanswered.push({
      items: new Set(items),
      customers: new Set(items.map(customerOf)),
      untilMs,
    })
  }

  /** Time until a request with these items may be sent, ms. */
  waitMs(items: readonly Item[]): number {
    if (this.#unanswered.length === 0) return 0
    const nowMs = this.#clock.monotonicMs()
    this.#unanswered = this.#unanswered.filter(({ untilMs }) => untilMs > nowMs)
    const overtaken = this.#unanswered.filter(({ items: late, customers }) =>
      items.some((item) => !late.has(item) && customers.has(customerOf(item))),
    )
    return Math.max(0, ...overtaken.map(({ untilMs }) => untilMs - nowMs))
  }
}
