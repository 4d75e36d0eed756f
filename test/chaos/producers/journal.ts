import { nowMs } from '../clock.js'
import type { Erasure, Forgetting, Kind, Posted } from '../oracle/model.js'

/** How all producers behave at present; faults change it. */
export interface Mood {
  /** Share of poison among the elements. */
  poisonShare: number
  /** Share of posts that are sent again, with the same key, before their answer is there. */
  impatientShare: number
  /** No producer posts. */
  quiet: boolean
}

/** What the producers posted, and what of it was acknowledged. */
export class Journal {
  readonly posted: Posted[] = []
  readonly #lastSeq = new Map<string, number>()
  /** Answers that a good producer must not get, in words. */
  readonly refusals: string[] = []
  readonly erasures: Erasure[] = []
  readonly forgets: Forgetting[] = []

  next(customer: string, kind: Kind, poison: boolean): Posted {
    const seq = (this.#lastSeq.get(customer) ?? 0) + 1
    this.#lastSeq.set(customer, seq)
    const times = { postedAtMs: nowMs(), acknowledgedAtMs: Infinity }
    const element = { customer, seq, kind, poison, ...times, acknowledged: false }
    this.posted.push(element)
    return element
  }

  /** Their post was answered 200 just now. */
  acknowledge(elements: readonly Posted[]): void {
    for (const element of elements) {
      element.acknowledged = true
      element.acknowledgedAtMs = Math.min(element.acknowledgedAtMs, nowMs())
    }
  }

  get acknowledged(): number {
    return this.posted.filter((element) => element.acknowledged).length
  }
}
