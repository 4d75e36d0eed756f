/**
 * Lets a few run at one time; the others wait, and producers take turns, so that one producer's queue
 * is its own. What waits is bounded by the posts that a producer may have in progress.
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

  /** Gives the place of who has ended to the next. */
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
