import { type Cost, exceeds } from '@relay/shared/budget/cost.js'
import { groupBy } from '@relay/shared/group-by.js'
import type { WorkspaceLimits } from '@relay/shared/config/workspace.js'
import type { VendorError } from '../classify/outcome.js'
import { customerOf, type Item } from '../fetch/window.js'
import { isBisected, onAccepted, onRefused, startBisection, type Bisection } from './bisect.js'
import { BodyBuilder, batchOf, type Batch } from '../batch/body.js'
import type { Shapes } from '../batch/shape.js'

/**
 * The undelivered elements of a flight, in order, and their division into requests. Splits, halves and
 * bisects; never changes the order of one customer's elements.
 */
export class DeliveryPlan {
  #batches: (readonly Item[])[]
  /** The front batch, while the elements that MoEngage refuses in it are being found. */
  #bisection: Bisection | null = null
  /** Items that were put behind others. */
  readonly #postponed = new Set<Item>()
  readonly #limits: () => WorkspaceLimits
  /** Constant for the whole flight, so that a request's cost equals its reservation. */
  readonly #shapes: Shapes | null
  /** The last batch, because most are requested several times. */
  #made: { readonly batch: Batch; readonly limits: WorkspaceLimits }

  constructor(batch: Batch, limits: () => WorkspaceLimits) {
    this.#batches = [batch.items]
    this.#shapes = batch.shapes
    this.#limits = limits
    this.#made = { batch, limits: limits() }
  }

  /** The next request, or null when nothing is left. */
  next(): Batch | null {
    const items = this.#nextItems()
    return items.length === 0 ? null : this.#batchOf(items)
  }

  /** All remaining items, including those that a running bisection has settled. */
  get items(): readonly Item[] {
    return this.#batches.flat()
  }

  /** The next request was delivered. */
  delivered(): void {
    if (this.#bisection === null) this.#batches.shift()
    else this.#bisect(onAccepted(this.#bisection))
  }

  /** The next request was refused for its elements. Returns the one at fault, if it is found. */
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
    const body = this.#batchOf(front).bodyBytes
    // At least two parts, regardless of the estimated ceiling.
    const most = Math.min(ceilingBytes, Math.ceil(body * 0.75))
    this.#batches = [...this.#divide(items, most), ...rest]
    return null
  }

  /** Sets one element apart to be sent last: it will show whether MoEngage accepts others than a suspect. */
  keepWitness(): void {
    const [items = [], ...rest] = this.#batches
    if (this.#bisection !== null || rest.length > 0 || items.length < 3) return
    const counts = new Map<string, number>()
    for (const item of items) counts.set(customerOf(item), (counts.get(customerOf(item)) ?? 0) + 1)
    const witness = items.findLast((item) => counts.get(customerOf(item)) === 1)
    if (witness === undefined) return
    this.#batches = [items.filter((item) => item !== witness), [witness]]
  }

  /**
   * Puts an item that `refused` returned behind the next request that is not for such an item, and its
   * customer's later items behind it. Returns whether there are others.
   */
  postpone(item: Item): boolean {
    const left = this.#left().filter((one) => one !== item)
    const customer = customerOf(item)
    const own = left.filter((one) => customerOf(one) === customer)
    // Usually the item is its customer's only one, and the search continues.
    if (own.length > 0 || this.#bisection === null) {
      this.#endBisection()
      const others = (items: readonly Item[]) => items.filter((o) => customerOf(o) !== customer)
      this.#batches = this.#batches.map(others)
    }
    this.#tidy()
    this.#postponed.add(item)
    const at = this.#batches.findIndex((_, i) => this.#isOfOthers(i))
    this.#batches.splice(at < 0 ? this.#batches.length : at + 1, 0, [item], own)
    this.#tidy()
    return left.length > own.length
  }

  /**
   * Sets the one element apart that goes first while everything is refused: of the customers' oldest
   * items, the one with the smallest rank. Suspects go next, each by itself.
   */
  splitForTrial(rankOf: (item: Item) => number, isSuspect: (item: Item) => boolean): void {
    this.#endBisection()
    const oldest = this.oldest.map((item) => ({ item, rank: rankOf(item) }))
    const [head] = oldest
    if (head === undefined) return
    const { item } = oldest.reduce((best, one) => (one.rank < best.rank ? one : best), head)
    const rest = this.#batches.map((items) => items.filter((one) => one !== item))
    this.#batches = [[item], ...rest]
    for (const one of oldest) if (one.item !== item && isSuspect(one.item)) this.postpone(one.item)
    this.#tidy()
  }

  /** Sets a small part apart to go first: a probe. */
  splitForProbe(): void {
    this.#endBisection()
    const [items = [], ...rest] = this.#batches
    this.#batches = [...splitForProbe(items), ...rest]
    this.#tidy()
  }

  /**
   * Splits the next request between customers so that it costs at most `most`: a request made before a 429
   * may exceed the budget that another sender leaves. A bisection's requests are small anyway.
   */
  splitToCost(most: Cost): void {
    if (this.#bisection !== null) return
    const [items = [], ...rest] = this.#batches
    this.#batches = [...splitToCost(items, most, (some) => this.#batchOf(some).cost), ...rest]
    this.#tidy()
  }

  /** Makes the next request no larger than the ceiling, which may have been learnt since it was made. */
  splitToBytes(ceilingBytes: number): void {
    const [items = [], ...rest] = this.#batches
    if (this.#bisection !== null || items.length < 2) return
    if (this.#batchOf(items).bodyBytes <= ceilingBytes) return
    this.#batches = [...this.#divide(items, ceilingBytes), ...rest]
  }

  /** Forgets items that are another worker's now. */
  drop(isLost: (item: Item) => boolean): void {
    if (!this.#batches.some((items) => items.some(isLost))) return
    this.#endBisection()
    this.#batches = this.#batches.map((items) => items.filter((item) => !isLost(item)))
    this.#tidy()
  }

  /** Whether a batch is not for an item that was put behind others. */
  #isOfOthers(index: number): boolean {
    if (index === 0 && this.#bisection !== null) return true
    const [first] = this.#batches[index] ?? []
    return first !== undefined && !this.#postponed.has(first)
  }

  /** Each customer's oldest item. */
  get oldest(): readonly Item[] {
    const oldest = new Map<string, Item>()
    for (const item of this.#left()) {
      if (!oldest.has(customerOf(item))) oldest.set(customerOf(item), item)
    }
    return [...oldest.values()]
  }

  /** Everything that is not settled. */
  #left(): readonly Item[] {
    const [front = [], ...rest] = this.#batches
    return [...front.slice(this.#bisection?.next.start ?? 0), ...rest.flat()]
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

  /** Turns the unsettled items of the bisection into an ordinary batch again. */
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

  #batchOf(items: readonly Item[]): Batch {
    const limits = this.#limits()
    if (this.#made.limits !== limits || !isSame(this.#made.batch.items, items)) {
      this.#made = { batch: batchOf(items, limits, this.#shapes), limits }
    }
    return this.#made.batch
  }

  /** Divides items, in order, into bodies of at most `mostBytes`; one element goes even if larger. */
  #divide(items: readonly Item[], mostBytes: number): Item[][] {
    const parts: Item[][] = []
    let body = new BodyBuilder(this.#limits(), this.#shapes)
    for (const item of items) {
      let addition = body.quote(item)
      if (body.items.length > 0 && body.bodyBytes + addition.bytes > mostBytes) {
        parts.push(body.items)
        body = new BodyBuilder(this.#limits(), this.#shapes)
        addition = body.quote(item)
      }
      body.add(addition)
    }
    return [...parts, body.items]
  }
}

function isSame(a: readonly Item[], b: readonly Item[]): boolean {
  return a === b || (a.length === b.length && a.every((item, i) => item === b[i]))
}

/**
 * Which items fit MoEngage's words about a refusal: those without the attribute that it misses,
 * or with the one that it names. A guess only: bisection survives a wrong one.
 */
export function suspectsOf(error: VendorError | null, items: readonly Item[]) {
  const attribute = error?.attribute ?? null
  if (attribute === null || attribute === '') return () => false
  const needle = JSON.stringify(attribute)
  const missing = /not found|missing|required/i.test(error?.message ?? '')
  return (index: number): boolean => items[index]?.element.json.includes(needle) === !missing
}

/** Minimum elements of a held workspace's probe, which carries whole runs of customers. */
const PROBE_ELEMENTS = 10

/**
 * Splits a batch into a small probe and the rest, between customers, so that elements that may have
 * arrived are sent again in the same runs. Returns one part if the batch is already small.
 */
function splitForProbe(items: readonly Item[]): readonly Item[][] {
  const customers = new Set<string>()
  for (const { element } of items.slice(0, PROBE_ELEMENTS)) customers.add(element.customer)
  return apart(items, customers)
}

/**
 * Splits a batch, between customers, into a part that costs at most `most` and the rest. The first
 * customer is included regardless of its cost. Returns one part if the batch costs at most `most`.
 */
function splitToCost(
  items: readonly Item[],
  most: Cost,
  costOf: (items: readonly Item[]) => Cost,
): readonly Item[][] {
  if (!exceeds(costOf(items), most)) return [[...items]]
  const customers = new Set<string>()
  const chosen: Item[] = []
  for (const [customer, own] of groupBy(items, ({ element }) => element.customer)) {
    chosen.push(...own)
    if (customers.size > 0 && exceeds(costOf(chosen), most)) break
    customers.add(customer)
  }
  return apart(items, customers)
}

/** These customers' items first, then the others', each in order. */
function apart(items: readonly Item[], customers: ReadonlySet<string>): readonly Item[][] {
  const first = items.filter(({ element }) => customers.has(element.customer))
  const rest = items.filter(({ element }) => !customers.has(element.customer))
  return rest.length === 0 ? [[...items]] : [first, rest]
}
