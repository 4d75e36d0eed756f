import type { Caller } from './caller.js'

/**
 * A semaphore whose waiters are served by producer in turn, so that one producer's queue delays no
 * other. The limit of concurrent posts per producer bounds the queue.
 */
export class FairTurns {
  readonly #max: number
  #running = 0
  /** In the order in which producers are served next. */
  readonly #waiting = new Map<string, (() => void)[]>()

  constructor(max: number) {
    this.#max = max
  }

  /** What the work gives; null: the caller left before its turn, and the work was not begun. */
  async run<T>(producer: string, work: () => Promise<T>, caller: Caller): Promise<T | null> {
    if (this.#running < this.#max) this.#running += 1
    else if (!(await this.#turn(producer, caller))) return null
    try {
      return await work()
    } finally {
      this.#pass()
    }
  }

  /** Waits for a turn; false: the caller left. */
  #turn(producer: string, caller: Caller): Promise<boolean> {
    return new Promise((resolve) => {
      const begin = () => {
        stop()
        resolve(true)
      }
      const own = this.#waiting.get(producer)
      if (own === undefined) this.#waiting.set(producer, [begin])
      else own.push(begin)
      const stop = caller.onLeave(() => {
        this.#leave(producer, begin)
        resolve(false)
      })
    })
  }

  #leave(producer: string, begin: () => void): void {
    const others = (this.#waiting.get(producer) ?? []).filter((waiting) => waiting !== begin)
    // Replacing the value keeps the producer's turn.
    if (others.length > 0) this.#waiting.set(producer, others)
    else this.#waiting.delete(producer)
  }

  /** Passes a released slot to the next waiter. */
  #pass(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#running -= 1
      return
    }
    const [producer, own] = next
    const begin = own.shift()
    this.#waiting.delete(producer)
    if (own.length > 0) this.#waiting.set(producer, own)
    begin?.()
  }
}
