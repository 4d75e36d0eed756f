/** Why sending to a workspace stops until somebody, or time, mends it. Nothing is lost meanwhile. */
export const REFUSAL_REASONS = [
  /** Key or app id are wrong: 401. */
  'credentials_refused',
  /** Suspended, blocked or blacklisted: 403. */
  'account_refused',
  /** The app id is unknown, does not match, or has no secret set: 409 and InvalidParams. */
  'misconfigured',
  /** Not MoEngage's bulk import: 3xx, 404, 405. */
  'wrong_host',
  /** Relay, or a proxy on the way, built a request that no retry makes right. */
  'wrong_request',
] as const
export type RefusalReason = (typeof REFUSAL_REASONS)[number]

/** Faults that pass by themselves. */
export const TRANSIENT_REASONS = [
  'server_error',
  'request_timeout',
  'too_early',
  'unreadable_answer',
  'timeout',
  'reset',
  'unreachable',
  'tls',
] as const
export type TransientReason = (typeof TRANSIENT_REASONS)[number]

/** MoEngage's own words, cut to a bounded length. For dead letters, operators and guessing. */
export interface VendorError {
  readonly status: number
  readonly type: string
  readonly message: string
  readonly attribute: string | null
  readonly requestId: string | null
}

/** What MoEngage said about one request. */
export type Outcome =
  | { readonly outcome: 'delivered' }
  /** One or more elements are wrong: bisect. */
  | { readonly outcome: 'element_refused'; readonly error: VendorError }
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
  | { readonly outcome: 'rate_limited'; readonly retryAfterMs: number | null }
  /** `mayHaveArrived`: MoEngage may have processed the elements; they are sent again all the same. */
  | {
      readonly outcome: 'transient'
      readonly reason: TransientReason
      readonly mayHaveArrived: boolean
    }
  /** Relay itself ended the attempt. Says nothing about MoEngage; no event for the gate. */
  | { readonly outcome: 'interrupted'; readonly mayHaveArrived: boolean }

const PLAIN_LABELS = [
  'delivered',
  'element_refused',
  'undecodable',
  'too_large',
  'rate_limited',
  'interrupted',
] as const

/** Every value of `outcomeLabel`, so that metrics can be preset to zero. */
export const OUTCOME_LABELS = [...PLAIN_LABELS, ...REFUSAL_REASONS, ...TRANSIENT_REASONS] as const
export type OutcomeLabel = (typeof OUTCOME_LABELS)[number]

/** The outcome as one label of a closed set. */
export function outcomeLabel(outcome: Outcome): OutcomeLabel {
  return 'reason' in outcome ? outcome.reason : outcome.outcome
}
