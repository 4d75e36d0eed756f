import type { ArrivalRecord } from '@relay/simulator/record/record.js'
import { numbersOf } from '../support/shop.js'

const ACCEPTED = 1
const ARRIVED = 2

/** Which numbered elements were accepted, and which arrived: a byte for each, however long it runs. */
export class Tally {
  #marks = new Uint8Array(1 << 20)
  #next = 0
  #read = 0
  #missed = 0

  /** The number of the next element to post. */
  next(): number {
    if (this.#next === this.#marks.length) {
      const wider = new Uint8Array(this.#marks.length * 2)
      wider.set(this.#marks)
      this.#marks = wider
    }
    return this.#next++
  }

  accepted(numbers: readonly number[]): void {
    for (const n of numbers) this.#mark(n, ACCEPTED)
  }

  /** Takes in what arrived since the last time. To be asked before the record's ring is overrun. */
  readArrivals({ elements }: ArrivalRecord): void {
    this.#missed += Math.max(0, elements.first - 1 - this.#read)
    for (const { raw } of elements.after(this.#read, elements.capacity)) {
      for (const n of numbersOf(raw.toString())) this.#mark(n, ARRIVED)
    }
    this.#read = elements.last
  }

  get acceptedCount(): number {
    return this.#count((mark) => (mark & ACCEPTED) !== 0)
  }

  /** Accepted and never arrived. */
  get lost(): number {
    return this.#count((mark) => mark === ACCEPTED)
  }

  /** Arrivals that were gone before they were looked at: above 0, `lost` says nothing. */
  get missed(): number {
    return this.#missed
  }

  #mark(n: number, mark: number): void {
    this.#marks[n] = (this.#marks[n] ?? 0) | mark
  }

  #count(is: (mark: number) => boolean): number {
    let count = 0
    for (const mark of this.#marks) if (is(mark)) count += 1
    return count
  }
}
