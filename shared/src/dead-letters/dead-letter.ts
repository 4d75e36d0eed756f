import type { Kind, Lane } from '../element.js'

/**
 * Why an element is not sent any more: MoEngage refused it for good, or it became older than allowed.
 * A closed set, also a metric label, and in the order of their indexes: new ones go to the end.
 */
export const DEAD_LETTER_REASONS = [
  'element_refused',
  'undecodable',
  'too_large',
  'expired',
] as const
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number]

/** What MoEngage answered; of an expired element, relay's own words. */
export interface VendorAnswer {
  readonly status: number
  readonly type: string
  readonly message: string
  readonly attribute: string | null
  /** MoEngage's name for the refused request; absent or null: it gave none. */
  readonly requestId?: string | null
}

/** An element that is not sent any more, kept for an operator to read, replay or purge. */
export interface DeadLetter {
  /** Derived from where the element was queued: writing it twice stores it once. */
  readonly id: string
  readonly appId: string
  readonly lane: Lane
  readonly kind: Kind
  /** Hash of the customer's identity, hex: see `customerKey`. */
  readonly customer: string
  /** The element's own JSON text. */
  readonly element: string
  readonly cost: number
  readonly posted: 0 | 1
  readonly reason: DeadLetterReason
  readonly answer: VendorAnswer
  /** How many requests carried it. */
  readonly attempts: number
  readonly requestId: string
  /** MoEngage project; absent: none. */
  readonly projectCode?: string | undefined
  /** Wall clock, ms since 1970 UTC. */
  readonly acceptedAtMs: number
  readonly deadAtMs: number
}

/** Where dead letters go; the store behind the operator API implements it. */
export interface DeadLetterSink {
  /** Stores them; rejects when that is not certain. Storing the same again changes nothing. */
  bury(letters: readonly DeadLetter[]): Promise<void>
}
