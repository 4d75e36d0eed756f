/** Bytes of a customer's key; each pair is the index in a row. See identity.ts. */
const ROWS = 4
/** Counters of a row, at first and at most. Most workspaces never need the most: 512 KB. */
const MIN_WIDTH = 1_024
const MAX_WIDTH = 65_536
const GROWTH = 4
const MAX_COUNT = 0xffff
/**
 * Units per counter, as a share of `suspectUnits`: from the first a row grows, so that counters hold few
 * units of others; at the second a sketch is replaced, so that collisions stay below a quarter.
 */
const GROWS_FROM = 1 / 32
const FULL_FROM = 1 / 8

/**
 * An upper bound of each customer's sent units since its start: a count-min sketch of at most 512 KB for
 * any number of customers. A customer's key is already a hash, so its bytes are the indexes.
 */
export class UnitSketch {
  #width = MIN_WIDTH
  #cells = new Uint16Array(ROWS * MIN_WIDTH)
  readonly #suspectUnits: number
  #units = 0

  /** `suspectUnits`: units from which a customer is a suspect. */
  constructor(suspectUnits: number) {
    this.#suspectUnits = suspectUnits
  }

  /** Whether it is so full that most customers would soon appear as suspects. */
  get isFull(): boolean {
    return this.#units >= MAX_WIDTH * FULL_FROM * this.#suspectUnits
  }

  /** Adds units of a customer; returns an upper bound of its total. */
  add(customer: string, units: number): number {
    this.#units += units
    const isDense = this.#units >= this.#width * GROWS_FROM * this.#suspectUnits
    if (isDense && this.#width < MAX_WIDTH) this.#grow()
    let least = MAX_COUNT
    for (let row = 0; row < ROWS; row += 1) {
      const index = customer.charCodeAt(row * 2) | (customer.charCodeAt(row * 2 + 1) << 8)
      const cell = row * this.#width + (index & (this.#width - 1))
      const count = Math.min(MAX_COUNT, (this.#cells[cell] ?? 0) + units)
      this.#cells[cell] = count
      if (count < least) least = count
    }
    return least
  }

  /** Every new counter begins with the one that counted its customers so far: none counts too few. */
  #grow(): void {
    const before = this.#cells
    const width = this.#width
    this.#width *= GROWTH
    this.#cells = new Uint16Array(ROWS * this.#width)
    for (let at = 0; at < this.#cells.length; at += width) {
      const row = Math.floor(at / this.#width)
      this.#cells.set(before.subarray(row * width, (row + 1) * width), at)
    }
  }
}
