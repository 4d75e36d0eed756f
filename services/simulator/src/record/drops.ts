import type { ElementType } from '../vendor/elements.js'
import { Ring } from './ring.js'

/** Why MoEngage drops an element after a 200, without a word to anyone. */
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

/** What was dropped in silence, and why: exact counts, and the newest in full. */
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
