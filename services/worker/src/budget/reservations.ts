import type { Clock } from '@relay/shared/clock.js'
import type { Cost } from '@relay/shared/budget/cost.js'
import type { OpenReservation } from '@relay/shared/budget/ledger.js'
import type { Lane } from '@relay/shared/element.js'

interface Entry {
  readonly cost: Cost
  readonly lane: Lane
  expiresAtMs: number
}

/** This worker's own reservations of the last window, to be entered again when Redis forgot them. */
export class Reservations {
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()
  /** Nothing expires before, monotonic ms. */
  #nextExpiryMs = Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `countsMs`: time for which the cost counts from now. */
  note(id: string, cost: Cost, lane: Lane, countsMs: number): void {
    this.#removeExpired()
    const expiresAtMs = this.#clock.monotonicMs() + countsMs
    this.#entries.set(id, { cost, lane, expiresAtMs })
    this.#nextExpiryMs = Math.min(this.#nextExpiryMs, expiresAtMs)
  }

  /** The answer came: from now it counts for `countsMs`. */
  answered(id: string, countsMs: number): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    entry.expiresAtMs = this.#clock.monotonicMs() + countsMs
    this.#nextExpiryMs = Math.min(this.#nextExpiryMs, entry.expiresAtMs)
  }

  refunded(id: string): void {
    this.#entries.delete(id)
  }

  open(): OpenReservation[] {
    this.#removeExpired()
    const nowMs = this.#clock.monotonicMs()
    return [...this.#entries].map(([id, { cost, lane, expiresAtMs }]) => ({
      id,
      cost,
      lane,
      expiresInMs: expiresAtMs - nowMs,
    }))
  }

  #removeExpired(): void {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs < this.#nextExpiryMs) return
    this.#nextExpiryMs = Infinity
    for (const [id, { expiresAtMs }] of this.#entries) {
      if (expiresAtMs <= nowMs) this.#entries.delete(id)
      else this.#nextExpiryMs = Math.min(this.#nextExpiryMs, expiresAtMs)
    }
  }
}
