import type { Kind, Lane } from '../element.js'

/**
 * Why an element is no longer sent: MoEngage refused it permanently, or it exceeded the maximum age.
 * A closed set that is also a metric label. The order is that of the indexes: append new reasons.
 */
export const DEAD_LETTER_REASONS = [
  'element_refused',
  'undecodable',
  'too_large',
  'expired',
] as const
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number]

/** MoEngage's answer; for an expired element, relay's text. */
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
  /** Number of requests that carried it. */
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
  add(letters: readonly DeadLetter[]): Promise<void>
}

/** Which letters of a workspace; null: any. */
export interface DeadLetterFilter {
  readonly reason: DeadLetterReason | null
  /** As `DeadLetter.customer`. */
  readonly customer: string | null
  readonly requestId: string | null
  /** Died at or after, ms since 1970. */
  readonly sinceMs: number | null
}

export const ANY_LETTER: DeadLetterFilter = {
  reason: null,
  customer: null,
  requestId: null,
  sinceMs: null,
}

export function matches(letter: DeadLetter, filter: DeadLetterFilter): boolean {
  const { reason, customer, requestId, sinceMs } = filter
  if (reason !== null && letter.reason !== reason) return false
  if (customer !== null && letter.customer !== customer) return false
  if (requestId !== null && letter.requestId !== requestId) return false
  return sinceMs === null || letter.deadAtMs >= sinceMs
}
