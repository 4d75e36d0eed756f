/** Bytes of a customer's key; each pair is the index in a row. See identity.ts. */
const ROWS = 4
const WIDTH = 65_536
const MAX_COUNT = 0xffff
/** Capacity in multiples of `suspectUnits`, after which a sketch is replaced: collisions stay at an eighth. */
const CAPACITY = WIDTH / 8

/**
 * An upper bound of each customer's sent units since its start: a count-min sketch of 512 KB for any
 * number of customers. A customer's key is already a hash, so its bytes are the indexes.
 */
export class UnitSketch {
  readonly #cells = new Uint16Array(ROWS * WIDTH)
  readonly #suspectUnits: number
  #units = 0

  /** `suspectUnits`: units from which a customer is a suspect. */
  constructor(suspectUnits: number) {
    this.#suspectUnits = suspectUnits
  }

  /** Whether it is so full that most customers would soon appear as suspects. */
  get isFull(): boolean {
    return this.#units >= CAPACITY * this.#suspectUnits
  }

  /** Adds units of a customer; returns an upper bound of its total. */
  add(customer: string, units: number): number {
    this.#units += units
    let least = MAX_COUNT
    for (let row = 0; row < ROWS; row += 1) {
      const index = customer.charCodeAt(row * 2) | (customer.charCodeAt(row * 2 + 1) << 8)
      const cell = row * WIDTH + (index & (WIDTH - 1))
      const count = Math.min(MAX_COUNT, (this.#cells[cell] ?? 0) + units)
      this.#cells[cell] = count
      if (count < least) least = count
    }
    return least
  }
}
