import type { Clock } from '../clock.js'

/** How often it is measured, ms. */
const EVERY_MS = 100
/** How long a delay is remembered: longer than any timeout of a connection to Redis, ms. */
const REMEMBER_MS = 6_000

/** Measures how late the event loop ran its timers. */
export class LoopDelay {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  #tickedAtMs: number
  /** The longest delay of the last seconds, and its end. */
  #worst = { delayMs: 0, endedAtMs: -Infinity }

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
    this.#tickedAtMs = clock.monotonicMs()
    setInterval(() => { this.recentMs() }, EVERY_MS).unref() // prettier-ignore
  }

  /** The longest delay of the last seconds, ms; includes one that is just ending. */
  recentMs(): number {
    const nowMs = this.#clock.monotonicMs()
    const delayMs = Math.max(0, nowMs - this.#tickedAtMs - EVERY_MS)
    this.#tickedAtMs = nowMs
    const isOver = nowMs - this.#worst.endedAtMs > REMEMBER_MS
    if (isOver || delayMs >= this.#worst.delayMs) this.#worst = { delayMs, endedAtMs: nowMs }
    return this.#worst.delayMs
  }
}
