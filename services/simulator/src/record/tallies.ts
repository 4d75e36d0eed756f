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

/** Sizes in constant memory. */
export class Sizes {
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
