import { KINDS, type Element, type Kind, type Provenance } from '../element.js'

/** An element with where it came from. */
export interface TracedElement extends Element {
  readonly provenance: Provenance
  /** Length of `json`, whose getter allocates a buffer on each call. */
  readonly jsonBytes: number
  /** Writes its JSON into `target` at `at`; returns where it ends. */
  copyJson(target: Buffer, at: number): number
}

/** Bytes of one row of a chunk's table of elements; chunk.ts has the layout. */
export const ELEMENT_BYTES = 15
/** The last of them: the customer's key. */
export const CUSTOMER_BYTES = 8
/** In the byte of the kind: the element counts as posted. */
export const POSTED = 0x80

/** Data shared by the elements of one chunk. */
export interface ChunkText {
  /** Rows of `ELEMENT_BYTES`, one an element. */
  readonly table: Buffer
  /** All their JSON, one after the other. */
  readonly json: Buffer
}

/**
 * An element of a chunk: two numbers in addition to the chunk's shared data. A worker holds a hundred
 * thousand; a buffer and a string for each took three times the memory of their JSON.
 */
export class ChunkElement implements TracedElement {
  readonly provenance: Provenance
  readonly #text: ChunkText
  /** Where its row begins. */
  readonly #row: number
  /** Where its JSON begins. */
  readonly #from: number

  constructor(text: ChunkText, row: number, from: number, provenance: Provenance) {
    this.#text = text
    this.#row = row
    this.#from = from
    this.provenance = provenance
  }

  get jsonBytes(): number {
    return this.#text.table.readUInt32LE(this.#row)
  }

  get kind(): Kind {
    const index = (this.#text.table[this.#row + 4] ?? POSTED) & ~POSTED
    const kind = KINDS[index]
    if (kind !== undefined) return kind
    throw new RangeError(`chunk holds an element of unknown kind ${index}`)
  }

  get posted(): 0 | 1 {
    return (this.#text.table[this.#row + 4] ?? 0) & POSTED ? 1 : 0
  }

  get cost(): number {
    return this.#text.table.readUInt16LE(this.#row + 5)
  }

  get customer(): string {
    const end = this.#row + ELEMENT_BYTES
    return this.#text.table.toString('latin1', end - CUSTOMER_BYTES, end)
  }

  get json(): Buffer {
    return this.#text.json.subarray(this.#from, this.#from + this.jsonBytes)
  }

  copyJson(target: Buffer, at: number): number {
    return at + this.#text.json.copy(target, at, this.#from, this.#from + this.jsonBytes)
  }
}
