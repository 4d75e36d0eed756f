import type { Cost } from '../vendor/body.js'
import type { ElementType } from '../vendor/elements.js'
import { Ring } from './ring.js'

/** Why MoEngage silently drops an element after a 200. */
export const DROP_REASONS = ['invalid', 'fair_usage_policy', 'unknown_project'] as const
export type DropReason = (typeof DROP_REASONS)[number]

export interface DroppedElement {
  readonly requestId: string
  readonly appId: string
  readonly projectCode: string | null
  readonly customer: string
  readonly type: ElementType | null
  readonly reason: DropReason
  /** What is wrong with it. */
  readonly message: string
  readonly atMs: number
}

/** Silently dropped elements with reasons: exact counts, and the newest in full. */
export class Drops {
  readonly byReason: Record<DropReason, number> = {
    invalid: 0,
    fair_usage_policy: 0,
    unknown_project: 0,
  }
  readonly newest: Ring<DroppedElement>

  constructor(maxElements: number) {
    this.newest = new Ring(maxElements)
  }

  add(dropped: DroppedElement): void {
    this.byReason[dropped.reason] += 1
    this.newest.push(dropped)
  }
}

export interface Second {
  /** Seconds since 1970. */
  readonly at: number
  requests: number
  accepted: number
  users: number
  events: number
  devices: number
  bytes: number
}

/** Two minutes, as the page shows. */
const KEPT_SECONDS = 120

/** Arrivals in each of the last seconds. */
export class Rates {
  #seconds: Second[] = []

  arrived(nowMs: number, bytes: number): void {
    const second = this.#at(nowMs)
    second.requests += 1
    second.bytes += bytes
  }

  accepted(nowMs: number, cost: Cost): void {
    const second = this.#at(nowMs)
    second.accepted += 1
    second.users += cost.users
    second.events += cost.events
    second.devices += cost.devices
  }

  /** Seconds in which anything happened, oldest first. */
  since(nowMs: number): readonly Second[] {
    this.#forget(nowMs)
    return this.#seconds
  }

  #at(nowMs: number): Second {
    const at = Math.floor(nowMs / 1000)
    const newest = this.#seconds.at(-1)
    if (newest?.at === at) return newest
    const second = { at, requests: 0, accepted: 0, users: 0, events: 0, devices: 0, bytes: 0 }
    this.#seconds.push(second)
    this.#forget(nowMs)
    return second
  }

  #forget(nowMs: number): void {
    const from = Math.floor(nowMs / 1000) - KEPT_SECONDS
    if ((this.#seconds[0]?.at ?? Infinity) >= from) return
    this.#seconds = this.#seconds.filter((s) => s.at >= from)
  }
}

/** Bytes per class of the distribution. */
const CLASS_BYTES = 1_000

export interface SizeSummary {
  readonly count: number
  readonly mean: number
  readonly min: number
  readonly max: number
  /** Lower edge of the class of 1,000 that contains the median. */
  readonly median: number
}

/** Distribution of sizes in constant memory; count, mean, min and max are exact. */
export class Sizes {
  #count = 0
  #sum = 0
  #min = Infinity
  #max = 0
  readonly #classes: number[] = []

  add(size: number): void {
    const index = Math.floor(size / CLASS_BYTES)
    this.#count += 1
    this.#sum += size
    this.#min = Math.min(this.#min, size)
    this.#max = Math.max(this.#max, size)
    this.#classes[index] = (this.#classes[index] ?? 0) + 1
  }

  summary(): SizeSummary {
    if (this.#count === 0) return { count: 0, mean: 0, min: 0, max: 0, median: 0 }
    let below = 0
    const half = this.#classes.findIndex((count: number | undefined) => {
      below += count ?? 0
      return below * 2 >= this.#count
    })
    const mean = this.#sum / this.#count
    return {
      count: this.#count,
      mean,
      min: this.#min,
      max: this.#max,
      median: half * CLASS_BYTES,
    }
  }
}
