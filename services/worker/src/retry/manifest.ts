import type { Cost } from '@relay/shared/budget/cost.js'
import type { WorkspaceLimits } from '@relay/shared/config/workspace.js'
import type { VendorError } from '../classify/outcome.js'
import type { Item } from '../fetch/window.js'
import { isBisected, onAccepted, onRefused, startBisection, type Bisection } from './bisect.js'
import { batchOf, ENVELOPE_BYTES, type Batch } from '../batch/pack.js'
import { splitForProbe, splitToCost } from './probe.js'
import { suspectsOf } from './suspects.js'

/**
 * What of a flight is still to be delivered, in order, and in which requests. Splits, halves and
 * bisects; never changes the order of one customer's elements.
 */
export class Manifest {
  #batches: (readonly Item[])[]
  /** The front batch, while the elements that MoEngage refuses in it are being found. */
  #bisection: Bisection | null = null
  readonly #limits: () => WorkspaceLimits

  constructor(items: readonly Item[], limits: () => WorkspaceLimits) {
    this.#batches = [items]
    this.#limits = limits
  }

  /** The next request, or null when nothing is left. */
  next(): Batch | null {
    const items = this.#nextItems()
    return items.length === 0 ? null : batchOf(items, this.#limits())
  }

  /** The next request was delivered. */
  delivered(): void {
    if (this.#bisection === null) this.#batches.shift()
    else this.#bisect(onAccepted(this.#bisection))
  }

  /** The next request was refused for its elements. Returns the one to dead-letter, if it is found. */
  refused(error: VendorError | null): Item | null {
    const items = this.#batches[0] ?? []
    const suspects = suspectsOf(error, items)
    if (this.#bisection === null) {
      if (items.length === 1) {
        this.#batches.shift()
        return items[0] ?? null
      }
      this.#bisection = startBisection(items.length, suspects)
      return null
    }
    const step = onRefused(this.#bisection, suspects)
    this.#bisect(step.bisection)
    return step.step === 'dead_letter' ? (items[step.index] ?? null) : null
  }

  /** The next request was too large. Returns the one element that is so by itself, if it is. */
  tooLarge(ceilingBytes: number): Item | null {
    const front = this.#nextItems()
    this.#endBisection()
    if (front.length === 1) {
      this.#batches[0] = (this.#batches[0] ?? []).slice(1)
      this.#tidy()
      return front[0] ?? null
    }
    const [items = [], ...rest] = this.#batches
    const body = batchOf(front, this.#limits()).bodyBytes
    // At least in two, whatever the ceiling is thought to be.
    const most = Math.min(ceilingBytes, Math.ceil(body * 0.75))
    this.#batches = [...divide(items, most), ...rest]
    return null
  }

  /** Sets a small part apart to go first: a probe. */
  splitForProbe(): void {
    this.#endBisection()
    const [items = [], ...rest] = this.#batches
    this.#batches = [...splitForProbe(items), ...rest]
    this.#tidy()
  }

  /**
   * Makes the next request cost no more than `most`, between customers: what was put together before
   * a 429 may be more than another sender leaves. A bisection's requests are small by themselves.
   */
  splitToCost(most: Cost): void {
    if (this.#bisection !== null) return
    const [items = [], ...rest] = this.#batches
    this.#batches = [...splitToCost(items, most, this.#limits()), ...rest]
    this.#tidy()
  }

  /** Forgets items that are another worker's now. */
  drop(isLost: (item: Item) => boolean): void {
    if (!this.#batches.some((items) => items.some(isLost))) return
    this.#endBisection()
    this.#batches = this.#batches.map((items) => items.filter((item) => !isLost(item)))
    this.#tidy()
  }

  #nextItems(): readonly Item[] {
    const items = this.#batches[0] ?? []
    if (this.#bisection === null) return items
    const { start, end } = this.#bisection.next
    return items.slice(start, end)
  }

  #bisect(bisection: Bisection): void {
    this.#bisection = bisection
    if (isBisected(bisection)) this.#endBisection()
  }

  /** What the bisection has not settled becomes an ordinary batch again. */
  #endBisection(): void {
    if (this.#bisection === null) return
    const { start } = this.#bisection.next
    this.#bisection = null
    this.#batches[0] = (this.#batches[0] ?? []).slice(start)
    this.#tidy()
  }

  #tidy(): void {
    this.#batches = this.#batches.filter((items) => items.length > 0)
  }
}

/** Divides items, in order, into bodies of at most `mostBytes`; one element goes even if larger. */
function divide(items: readonly Item[], mostBytes: number): Item[][] {
  const parts: Item[][] = []
  let part: Item[] = []
  let bytes = ENVELOPE_BYTES
  for (const item of items) {
    const size = item.element.json.length + 1
    if (part.length > 0 && bytes + size - 1 > mostBytes) {
      parts.push(part)
      part = []
      bytes = ENVELOPE_BYTES
    }
    part.push(item)
    bytes += size
  }
  if (part.length > 0) parts.push(part)
  return parts
}
