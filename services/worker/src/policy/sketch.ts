/** Bytes of a customer's key; each pair is the index in a row. See identity.ts. */
const ROWS = 4
const WIDTH = 65_536
const MAX_COUNT = 0xffff
/** Units after which a sketch is replaced, in units of what makes a suspect: what lies in a cell by chance stays an eighth of it. */
const CAPACITY = WIDTH / 8

/**
 * An upper bound of what was sent of each customer since it began: a count-min sketch of 512 KB
 * whatever the number of customers. A customer's key is a hash by itself, so its bytes are the indexes.
 */
export class UnitSketch {
  readonly #cells = new Uint16Array(ROWS * WIDTH)
  readonly #suspectUnits: number
  #units = 0

  /** A customer with so many units is a suspect. */
  constructor(suspectUnits: number) {
    this.#suspectUnits = suspectUnits
  }

  /** Whether it holds so much that most customers would soon look like suspects. */
  get isFull(): boolean {
    return this.#units >= CAPACITY * this.#suspectUnits
  }

  /** Adds units of a customer; returns at least what was added of it so far. */
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
