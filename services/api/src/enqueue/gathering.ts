import type { Clock } from '@relay/shared/clock.js'
import type { Departures } from './partition-writer.js'

/** Maximum time that a piece waits for others, ms. */
const MAX_GATHERED_MS = 10
/** Minimum time between two flushes, ms. */
const REST_MS = 2

/**
 * Decides when pieces are flushed: all of a process together, at the first turn of the event loop
 * that brings no more. A lone post leaves one turn after it arrived. Under load, concurrent posts,
 * and those within the pause after a flush, share chunks, commands and system calls: flushing every
 * turn makes chunks of one or two posts.
 */
export class Gathering implements Departures {
  readonly #clock: Clock
  #members: (() => void)[] = []
  #arrivals = 0
  #sinceMs = 0
  #rests = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  arrived(): void {
    this.#arrivals += 1
  }

  join(leave: () => void): void {
    this.#members.push(leave)
    if (this.#members.length > 1) return
    this.#sinceMs = this.#clock.monotonicMs()
    if (!this.#rests) setImmediate(this.#turn)
  }

  readonly #turn = (): void => {
    const isQuiet = this.#arrivals === 0
    this.#arrivals = 0
    if (!isQuiet && this.#clock.monotonicMs() - this.#sinceMs < MAX_GATHERED_MS) {
      setImmediate(this.#turn)
      return
    }
    const members = this.#members
    this.#members = []
    this.#rests = true
    setTimeout(this.#rested, REST_MS)
    for (const leave of members) leave()
  }

  readonly #rested = (): void => {
    this.#rests = false
    if (this.#members.length > 0) this.#turn()
  }
}
