import type { Kind, Posted } from '../oracle/model.js'

/** What the producers posted, and what of it was acknowledged. */
export class Journal {
  readonly posted: Posted[] = []
  readonly #lastSeq = new Map<string, number>()
  /** Answers that a good producer must not get, in words. */
  readonly refusals: string[] = []

  next(customer: string, kind: Kind, poison: boolean): Posted {
    const seq = (this.#lastSeq.get(customer) ?? 0) + 1
    this.#lastSeq.set(customer, seq)
    const element = { customer, seq, kind, poison, acknowledged: false }
    this.posted.push(element)
    return element
  }

  get acknowledged(): number {
    return this.posted.filter((element) => element.acknowledged).length
  }
}
