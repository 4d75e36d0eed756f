/** A part of Redis that does not answer must not hold up lanes that need others, ms. */
const MAX_TURN_MS = 100

/** A FIFO semaphore for work that takes memory. */
export class Semaphore {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(atATime: number) {
    this.#free = atATime
  }

  /** Runs `work` with a permit. Work that takes too long continues, but gives up its permit. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>((begin) => this.#waiting.push(begin))
    const turn = { isOver: false }
    const end = (): void => {
      if (!turn.isOver) this.#pass()
      turn.isOver = true
    }
    const timer = setTimeout(end, MAX_TURN_MS)
    try {
      return await work()
    } finally {
      clearTimeout(timer)
      end()
    }
  }

  #pass(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free += 1
    else next()
  }
}
