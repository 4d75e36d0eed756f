import type { Clock } from '@relay/shared/clock.js'
import type { Flushes } from './partition-writer.js'

/** Maximum time that a piece waits for others, ms. */
const MAX_WAIT_MS = 10
/** Minimum time between two flushes, ms. */
const COOLDOWN_MS = 2

/**
 * Decides when pieces are flushed: all of a process together, at the first turn of the event loop
 * that brings no more. A lone post leaves one turn after it arrived. Under load, concurrent posts,
 * and those within the pause after a flush, share chunks, commands and system calls: flushing every
 * turn makes chunks of one or two posts.
 */
export class FlushScheduler implements Flushes {
  readonly #clock: Clock
  #members: (() => void)[] = []
  #arrivals = 0
  #sinceMs = 0
  #isCoolingDown = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  arrived(): void {
    this.#arrivals += 1
  }

  onFlush(flush: () => void): void {
    this.#members.push(flush)
    if (this.#members.length > 1) return
    this.#sinceMs = this.#clock.monotonicMs()
    if (!this.#isCoolingDown) setImmediate(this.#turn)
  }

  readonly #turn = (): void => {
    const isQuiet = this.#arrivals === 0
    this.#arrivals = 0
    if (!isQuiet && this.#clock.monotonicMs() - this.#sinceMs < MAX_WAIT_MS) {
      setImmediate(this.#turn)
      return
    }
    const members = this.#members
    this.#members = []
    this.#isCoolingDown = true
    setTimeout(this.#cooledDown, COOLDOWN_MS)
    for (const flush of members) flush()
  }

  readonly #cooledDown = (): void => {
    this.#isCoolingDown = false
    if (this.#members.length > 0) this.#turn()
  }
}
