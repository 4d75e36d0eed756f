/** Why a request is refused, in the terms of the vendor's envelope; `http` writes it. */
export interface Refusal {
  readonly status: number
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
