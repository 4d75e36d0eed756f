interface Sample {
  readonly atMs: number
  /** Elements sent to MoEngage, from an arbitrary start. */
  readonly delivered: number
}

/** The workspace at one moment. */
export interface Look {
  readonly atMs: number
  /** Lines that the import had sent then. */
  readonly sent: number
  /** Pending elements at that time. */
  readonly waiting: number
  /** Length of the budget window. */
  readonly windowMs: number
}

/** The rate covers this time, or a budget window; older samples are dropped. */
const RATE_MS = 60_000
/** A rate over less than this is unreliable. */
const MIN_MS = 30_000

/**
 * MoEngage's recent delivery rate, as seen by an import: lines sent less pending elements. Known only
 * while elements are pending all the time; otherwise the import is the bottleneck.
 */
export class DeliveryRate {
  #samples: Sample[] = []
  #leastMs = MIN_MS

  add({ atMs, sent, waiting, windowMs }: Look): void {
    if (waiting === 0) {
      this.#samples = []
      return
    }
    this.#samples.push({ atMs, delivered: sent - waiting })
    const fromMs = atMs - Math.max(RATE_MS, windowMs)
    // One sample from before stays: the rate is measured from it.
    while ((this.#samples[1]?.atMs ?? Infinity) <= fromMs) this.#samples.shift()
    this.#leastMs = Math.max(MIN_MS, windowMs)
  }

  /** null if it is not known yet. */
  get perSecond(): number | null {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)]
    if (first === undefined || last === undefined) return null
    const spanMs = last.atMs - first.atMs
    const rate = ((last.delivered - first.delivered) * 1000) / spanMs
    return spanMs >= this.#leastMs && rate > 0 ? rate : null
  }
}
