import type { DeadLetter, DeadLetterReason } from './dead-letter.js'

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
