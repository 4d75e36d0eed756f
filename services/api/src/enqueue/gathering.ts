import type { Clock } from '@relay/shared/clock.js'
import type { Departures } from './partition-writer.js'

/** The longest that a piece waits for others, ms, however many go on coming. */
const MOST_GATHERED_MS = 10
/** Pieces do not leave sooner than this after those before, ms. */
const REST_MS = 2

/**
 * Says when pieces leave: all of a process together, at the first turn of the event loop that brings
 * no more of them. A lone post leaves the turn after it came. Under load, posts that are on their
 * way anyway, and those that come within the rest after the last departure, share chunks, commands
 * and system calls: leaving with every turn makes chunks of one or two posts.
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
    if (!isQuiet && this.#clock.monotonicMs() - this.#sinceMs < MOST_GATHERED_MS) {
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
