/** Bytes per class of the distribution. */
const CLASS_BYTES = 1_000

export interface SizeSummary {
  readonly count: number
  readonly mean: number
  readonly min: number
  readonly max: number
  /** Lower edge of the class of 1,000 that contains the median. */
  readonly median: number
}

/** Distribution of sizes in constant memory; count, mean, min and max are exact. */
export class Sizes {
  #count = 0
  #sum = 0
  #min = Infinity
  #max = 0
  readonly #classes: number[] = []

  add(size: number): void {
    const index = Math.floor(size / CLASS_BYTES)
    this.#count += 1
    this.#sum += size
    this.#min = Math.min(this.#min, size)
    this.#max = Math.max(this.#max, size)
    this.#classes[index] = (this.#classes[index] ?? 0) + 1
  }

  summary(): SizeSummary {
    if (this.#count === 0) return { count: 0, mean: 0, min: 0, max: 0, median: 0 }
    let below = 0
    const half = this.#classes.findIndex((count: number | undefined) => {
      below += count ?? 0
      return below * 2 >= this.#count
    })
    const mean = this.#sum / this.#count
    return {
      count: this.#count,
      mean,
      min: this.#min,
      max: this.#max,
      median: half * CLASS_BYTES,
    }
  }
}
