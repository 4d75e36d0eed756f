import type { Clock } from '../clock.js'

/**
 * A process's estimate of the ledger's time (lua/ledger-clock.lua): its monotonic clock, from the fastest
 * reply so far. It must not follow a step of Redis' clock or a reply that was read late. Never too large.
 */
export class LedgerTime {
  readonly #clock: Clock
  /** The ledger's time minus this process's monotonic time, ms. */
  #offsetMs = -Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  observe(ledgerNowMs: number): void {
    this.#offsetMs = Math.max(this.#offsetMs, ledgerNowMs - this.#clock.monotonicMs())
  }

  /** ms; '' before the first reply. */
  expectedMs(): number | '' {
    const nowMs = this.#clock.monotonicMs() + this.#offsetMs
    return Number.isFinite(nowMs) ? Math.floor(nowMs) : ''
  }
}
