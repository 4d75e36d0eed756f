import { createHash } from 'node:crypto'
import type { Cost, Endpoint, ReceivedElement } from '../vendor/body.js'
import type { ElementType } from '../vendor/elements.js'
import { SILENT_DROPS, type SilentDropReason } from '../vendor/silent-drops.js'
import { OverlapWatch } from './overlap.js'

/**
 * The outcome of a request. `dropped`: its connection closed before it arrived; nothing happened.
 * `refused`: an error answer; nothing happened. `accepted`: its elements were recorded, for any answer
 * that the client saw. `open`: not decided yet.
 */
export type Fate = 'open' | 'accepted' | 'refused' | 'dropped'

export interface RecordedRequest {
  readonly seq: number
  readonly requestId: string
  readonly appId: string
  readonly endpoint: Endpoint
  /** `project_code` of the request; null if absent. */
  readonly projectCode: string | null
  /** First byte, ms since 1970 on a clock that never steps. */
  readonly startedAtMs: number
  arrivedAtMs: number | null
  /** When the answer was written or the connection closed, whichever came first. */
  endedAtMs: number | null
  fate: Fate
  /** Status that was sent; null when none was. */
  status: number | null
  type: string | null
  message: string | null
  /** Id of the fault rule that was applied. */
  fault: string | null
  bytes: number
  elements: number
  cost: Cost
  /** In order of their first element. */
  customers: readonly string[]
  /** The sender's end of the connection. */
  remotePort: number | null
}

export interface RecordedElement {
  readonly seq: number
  readonly requestId: string
  readonly appId: string
  readonly projectCode: string | null
  readonly type: ElementType
  readonly customer: string
  readonly arrivedAtMs: number
  /** JSON exactly as in the body. */
  readonly raw: Buffer
}

export interface RecordLimits {
  readonly maxElements: number
  readonly maxRequests: number
}

/** Why MoEngage silently drops an element, or a part of it, after a 200. */
export type DropReason = 'invalid' | 'fair_usage_policy' | 'unknown_project' | SilentDropReason

interface DroppedElement {
  readonly requestId: string
  readonly appId: string
  readonly projectCode: string | null
  readonly customer: string
  readonly type: ElementType | null
  readonly reason: DropReason
  /** The part that is dropped, e.g. `attributes.age`; '': the whole element. */
  readonly path: string
  /** What is wrong with it. */
  readonly message: string
  /** JSON exactly as in the body; null if bytes are not kept. */
  readonly raw: Buffer | null
  readonly atMs: number
}

/** Silently dropped elements and parts with reasons: exact counts, and the newest in full. */
class Drops {
  readonly byReason = Object.fromEntries(
    ['invalid', 'fair_usage_policy', 'unknown_project', ...Object.keys(SILENT_DROPS)].map((r) => [
      r,
      0,
    ]),
  ) as Record<DropReason, number>
  readonly newest: Ring<DroppedElement>

  constructor(maxElements: number) {
    this.newest = new Ring(maxElements)
  }

  add(dropped: DroppedElement): void {
    this.byReason[dropped.reason] += 1
    this.newest.push(dropped)
  }
}

/** Sizes in constant memory. */
class Sizes {
  #count = 0
  #sum = 0
  #max = 0

  add(size: number): void {
    this.#count += 1
    this.#sum += size
    this.#max = Math.max(this.#max, size)
  }

  summary() {
    const mean = this.#count === 0 ? 0 : this.#sum / this.#count
    return { count: this.#count, mean, max: this.#max }
  }
}

const NO_COST: Cost = { users: 0, events: 0, devices: 0 }

const startTotals = () => ({
  requests: 0,
  accepted: 0,
  refused: 0,
  dropped: 0,
  faulted: 0,
  bytes: 0,
  elements: 0,
  users: 0,
  events: 0,
  devices: 0,
  droppedElements: 0,
  /** Elements whose bytes had arrived before for the same customer (among those still held). */
  duplicates: 0,
})
type Totals = ReturnType<typeof startTotals>

const customerKey = (appId: string, customer: string) => `${appId}\n${customer}`

/** Everything that arrived: exact totals, and the newest requests and elements in full. */
export class ArrivalRecord {
  readonly totals: Totals = startTotals()
  readonly statuses = new Map<number, number>()
  readonly overlap = new OverlapWatch()
  readonly bodyBytes = new Sizes()
  /** Elements dropped after a 200, with reasons. */
  readonly drops: Drops
  readonly requests: Ring<RecordedRequest>
  readonly elements: Ring<RecordedElement>
  readonly #ofCustomer = new Map<string, number[]>()
  readonly #seen = new Map<string, number>()

  constructor({ maxElements, maxRequests }: RecordLimits) {
    this.requests = new Ring(maxRequests)
    this.elements = new Ring(maxElements)
    this.drops = new Drops(maxElements)
  }

  begin(
    requestId: string,
    appId: string,
    endpoint: Endpoint,
    startedAtMs: number,
    projectCode: string | null = null,
  ): RecordedRequest {
    const request: RecordedRequest = {
      seq: this.requests.last + 1,
      requestId,
      appId,
      endpoint,
      projectCode,
      startedAtMs,
      arrivedAtMs: null,
      endedAtMs: null,
      fate: 'open',
      status: null,
      type: null,
      message: null,
      fault: null,
      bytes: 0,
      elements: 0,
      cost: NO_COST,
      customers: [],
      remotePort: null,
    }
    this.requests.push(request)
    this.totals.requests += 1
    return request
  }

  arrive(request: RecordedRequest, atMs: number): void {
    request.arrivedAtMs = atMs
    this.totals.bytes += request.bytes
  }

  /** Records the elements of an accepted request, in order. */
  accept(request: RecordedRequest, elements: readonly ReceivedElement[], atMs: number): void {
    const { cost } = request
    request.fate = 'accepted'
    this.totals.accepted += 1
    this.totals.elements += elements.length
    this.totals.users += cost.users
    this.totals.events += cost.events
    this.totals.devices += cost.devices
    this.totals.droppedElements += request.elements - elements.length
    this.bodyBytes.add(request.bytes)
    for (const element of elements) this.#keep(request, element, atMs)
  }

  settle(request: RecordedRequest, fate: 'refused' | 'dropped'): void {
    request.fate = fate
    this.totals[fate] += 1
  }

  answered(request: RecordedRequest, status: number): void {
    request.status = status
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
  }

  /** Held elements of one customer in the order of arrival. */
  ofCustomer(appId: string, customer: string): RecordedElement[] {
    const seqs = this.#ofCustomer.get(customerKey(appId, customer)) ?? []
    return seqs.flatMap((seq) => this.elements.get(seq) ?? [])
  }

  /** Customers with held elements. */
  get customerCount(): number {
    return this.#ofCustomer.size
  }

  #keep(request: RecordedRequest, element: ReceivedElement, arrivedAtMs: number): void {
    if (element.raw === null || element.type === null) return
    const { appId, requestId, projectCode } = request
    const { type, customer, raw } = element
    const seq = this.elements.last + 1
    const gone = this.elements.push({
      ...{ seq, requestId, appId, projectCode, type, customer, arrivedAtMs, raw },
    })
    if (gone !== undefined) this.#forget(gone)
    const key = customerKey(appId, customer)
    const seqs = this.#ofCustomer.get(key)
    if (seqs === undefined) this.#ofCustomer.set(key, [seq])
    else seqs.push(seq)
    const digest = digestOf(appId, raw)
    const times = this.#seen.get(digest) ?? 0
    if (times > 0) this.totals.duplicates += 1
    this.#seen.set(digest, times + 1)
  }

  #forget({ seq, appId, customer, raw }: RecordedElement): void {
    const key = customerKey(appId, customer)
    const seqs = this.#ofCustomer.get(key)
    if (seqs?.[0] === seq) seqs.shift()
    if (seqs?.length === 0) this.#ofCustomer.delete(key)
    const digest = digestOf(appId, raw)
    const times = this.#seen.get(digest) ?? 0
    if (times > 1) this.#seen.set(digest, times - 1)
    else this.#seen.delete(digest)
  }
}

/** 16 characters make a collision among 200,000 elements unlikely enough for a simulator. */
function digestOf(appId: string, raw: Buffer): string {
  return createHash('sha1').update(appId).update(raw).digest('binary').slice(0, 16)
}

/** The newest `capacity` items, numbered from 1 in order of arrival. */
export class Ring<T> {
  readonly capacity: number
  #items: T[] = []
  /** Number of the newest item ever put in; 0 before the first. */
  last = 0

  constructor(capacity: number) {
    this.capacity = capacity
  }

  /** Number of the oldest item still held. */
  get first(): number {
    return this.last - this.#items.length + 1
  }

  /** Adds an item as number `last + 1`; returns the evicted one. */
  push(item: T): T | undefined {
    const slot = this.last % this.capacity
    this.last += 1
    const gone = this.#items[slot]
    this.#items[slot] = item
    return gone
  }

  get(seq: number): T | undefined {
    if (seq < this.first || seq > this.last) return undefined
    return this.#items[(seq - 1) % this.capacity]
  }

  /** Held items with numbers above `since`, oldest first, at most `limit`. */
  after(since: number, limit: number): T[] {
    const items: T[] = []
    const from = Math.max(since + 1, this.first)
    for (let seq = from; seq <= this.last && items.length < limit; seq += 1) {
      const item = this.get(seq)
      if (item !== undefined) items.push(item)
    }
    return items
  }
}
