import { Recent } from './progress.js'

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

/** The rate covers this time, or a budget window. */
const RATE_MS = 60_000
/** A rate over less than this is unreliable. */
const MIN_MS = 30_000

/**
 * MoEngage's recent delivery rate, as seen by an import: lines sent less pending elements. Known only
 * while elements are pending all the time; otherwise the import is the bottleneck.
 */
export class DeliveryRate {
  readonly #samples = new Recent<{ readonly nowMs: number; readonly delivered: number }>()
  #leastMs = MIN_MS

  add({ atMs, sent, waiting, windowMs }: Look): void {
    if (waiting === 0) {
      this.#samples.clear()
      return
    }
    this.#samples.add({ nowMs: atMs, delivered: sent - waiting }, Math.max(RATE_MS, windowMs))
    this.#leastMs = Math.max(MIN_MS, windowMs)
  }

  /** null if it is not known yet. */
  get perSecond(): number | null {
    const rate = this.#samples.perSecond(({ delivered }) => delivered, this.#leastMs)
    return rate !== null && rate > 0 ? rate : null
  }
}
