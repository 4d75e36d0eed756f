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

  async run<T>(producer: string, work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#max) this.#running += 1
    else await this.#turn(producer)
    try {
      return await work()
    } finally {
      this.#pass()
    }
  }

  #turn(producer: string): Promise<void> {
    return new Promise((resolve) => {
      const own = this.#waiting.get(producer)
      if (own === undefined) this.#waiting.set(producer, [resolve])
      else own.push(resolve)
    })
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
