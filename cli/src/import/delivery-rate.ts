interface Sample {
  readonly atMs: number
  /** Elements that have left for MoEngage, from an arbitrary start. */
  readonly delivered: number
}

/** The workspace as it was seen at one moment. */
export interface Look {
  readonly atMs: number
  /** Lines that the import had sent then. */
  readonly sent: number
  /** Elements that waited then. */
  readonly waiting: number
  /** Length of the budget window. */
  readonly windowMs: number
}

/** The rate is that of so long, or of a budget window: what it was before says nothing. */
const RATE_MS = 60_000
/** A rate over less than this is chance. */
const LEAST_MS = 30_000

/**
 * How fast MoEngage has been taking elements lately, as far as an import can tell: what it sent less
 * what waits. Known only while something waits all the time, since else it is the import that is slow.
 */
export class DeliveryRate {
  #samples: Sample[] = []
  #leastMs = LEAST_MS

  add({ atMs, sent, waiting, windowMs }: Look): void {
    if (waiting === 0) {
      this.#samples = []
      return
    }
    this.#samples.push({ atMs, delivered: sent - waiting })
    const fromMs = atMs - Math.max(RATE_MS, windowMs)
    // One sample from before stays: the rate is measured from it.
    while ((this.#samples[1]?.atMs ?? Infinity) <= fromMs) this.#samples.shift()
    this.#leastMs = Math.max(LEAST_MS, windowMs)
  }

  /** null: nothing can be said yet. */
  get perSecond(): number | null {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)]
    if (first === undefined || last === undefined) return null
    const spanMs = last.atMs - first.atMs
    const rate = ((last.delivered - first.delivered) * 1000) / spanMs
    return spanMs >= this.#leastMs && rate > 0 ? rate : null
  }
}
