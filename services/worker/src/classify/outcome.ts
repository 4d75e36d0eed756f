import {
  REFUSAL_REASONS,
  TRANSIENT_REASONS,
  type RefusalReason,
  type TransientReason,
} from '@relay/shared/gate/reasons.js'

/** MoEngage's own words, cut to a bounded length. For dead letters, operators and guessing. */
export interface VendorError {
  readonly status: number
  readonly type: string
  readonly message: string
  readonly attribute: string | null
  readonly requestId: string | null
}

/** MoEngage's verdict on one request. */
export type Outcome =
  /** `requestId`: MoEngage's id of the request, for its support; null if the answer has none. */
  | { readonly outcome: 'delivered'; readonly requestId: string | null }
  /** One or more elements are wrong: bisect. */
  | { readonly outcome: 'element_refused'; readonly error: VendorError }
  /** Refused for a reason that names no element: one of them, or something that concerns all. Bisect. */
  | { readonly outcome: 'unexplained'; readonly error: VendorError }
  /** The body cannot be decoded, maybe because of one element: bisect. */
  | { readonly outcome: 'undecodable'; readonly error: VendorError }
  /** The body is over MoEngage's ceiling: halve and learn. */
  | { readonly outcome: 'too_large'; readonly error: VendorError }
  /** Hold the workspace. */
  | {
      readonly outcome: 'refused'
      readonly reason: RefusalReason
      readonly error: VendorError
    }
  /** `retryAfterMs` null: MoEngage named no time. */
  | {
      readonly outcome: 'rate_limited'
      readonly retryAfterMs: number | null
      /** Time until the window resets by the rate-limit headers; absent or null without them. */
      readonly resetMs?: number | null
    }
  /** `mayHaveArrived`: MoEngage may have processed the elements; they are sent again all the same. */
  | {
      readonly outcome: 'transient'
      readonly reason: TransientReason
      readonly mayHaveArrived: boolean
    }
  /** relay ended the attempt. It is not an event for the gate, because it shows nothing about MoEngage. */
  | { readonly outcome: 'interrupted'; readonly mayHaveArrived: boolean }

const PLAIN_LABELS = [
  'delivered',
  'element_refused',
  'unexplained',
  'too_large',
  'rate_limited',
  'interrupted',
] as const

/** Every value of `outcomeLabel`, so that metrics can be preset to zero. */
export const OUTCOME_LABELS = [...PLAIN_LABELS, ...REFUSAL_REASONS, ...TRANSIENT_REASONS] as const
export type OutcomeLabel = (typeof OUTCOME_LABELS)[number]

/** The outcome as one label of a closed set. */
export function outcomeLabel(outcome: Outcome): OutcomeLabel {
  if ('reason' in outcome) return outcome.reason
  // Neither names an element; a series each would be too much.
  return outcome.outcome === 'undecodable' ? 'unexplained' : outcome.outcome
}
