import type { ArrivalRecord } from '@relay/simulator/record/record.js'

/** How often every line of an import arrived. Has to be read before the record forgets elements. */
export class Arrivals {
  readonly #times: Uint8Array
  readonly #record: ArrivalRecord
  #seen = 0
  #missed = 0

  /** `record` may be of elements that came before: they are not counted. */
  constructor(record: ArrivalRecord, lines: number) {
    this.#record = record
    this.#times = new Uint8Array(lines)
    this.#seen = record.elements.last
  }

  /** Counts the arrivals since the last call. */
  look(): void {
    const { elements } = this.#record
    this.#missed += Math.max(0, elements.first - 1 - this.#seen)
    for (const { raw } of elements.after(this.#seen, Infinity)) {
      const number = Number(/"email":"customer(\d+)@/.exec(raw.toString())?.[1])
      this.#times[number] = (this.#times[number] ?? 0) + 1
    }
    this.#seen = elements.last
  }

  /** Lines that never came and lines that came again; `missed`: elements that were not looked at in time. */
  result(): { never: number; again: number; missed: number } {
    let never = 0
    let again = 0
    for (const times of this.#times) {
      if (times === 0) never++
      if (times > 1) again++
    }
    return { never, again, missed: this.#missed }
  }
}
