import type { NotStoredReason } from '@relay/shared/queue/post.js'

/** Why a request is refused, in the terms of the vendor's envelope; `http` writes it. */
export type Refusal = CallersFault | RelaysFault

/** The caller can do something about it. */
export interface CallersFault extends RefusalFacts {
  readonly status: 400 | 401 | 403 | 404 | 405 | 408 | 409 | 413 | 415 | 417 | 422 | 429 | 431
  readonly cause?: undefined
}

/** The cause is for the operator: one status stands for many. */
export interface RelaysFault extends RefusalFacts {
  readonly status: 500 | 503
  readonly cause: Cause
}

/** Why relay itself cannot accept a request, as the log names it. */
export type Cause =
  | NotStoredReason
  | 'process_memory'
  | 'producer_limit'
  | 'import_limit'
  | 'traces_unavailable'
  | 'stopping'
  | 'internal'

interface RefusalFacts {
  /** The vendor's error type where its table has one. */
  readonly type: string
  readonly message: string
  readonly attribute?: string
  /** Every problem, one entry each. */
  readonly details?: readonly Detail[]
  readonly retryAfterMs?: number
  readonly headers?: Readonly<Record<string, string>>
}

export interface Detail {
  /** Position of the element in the request, 0-based; absent for a header. */
  readonly index?: number
  readonly attribute: string
  readonly message: string
}
