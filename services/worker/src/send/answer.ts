/** Reasons of relay's own for not finishing a request. They say nothing about MoEngage. */
export const WITHHELD = ['aborted', 'busy', 'closed', 'disallowed', 'expired'] as const
export type Withheld = (typeof WITHHELD)[number]

/** What went wrong on the way to MoEngage or back. */
export const NETWORK_FAULTS = [
  'unresolvable',
  'refused',
  'unreachable',
  'tls',
  'timeout',
  'reset',
  'garbage',
] as const
export type NetworkFault = (typeof NETWORK_FAULTS)[number]

export interface Timings {
  /** Until the connection (with TLS) was usable; null: a kept one was used, or none came up. */
  readonly connectMs: number | null
  readonly totalMs: number
}

/** MoEngage's status line and headers were read. */
export interface ResponseAnswer {
  readonly kind: 'response'
  readonly status: number
  readonly headers: {
    readonly retryAfter: string | null
    readonly date: string | null
    /** `x-ratelimit-*`; absent: none of them came. */
    readonly rateLimit?: {
      readonly limit: string | null
      readonly remaining: string | null
      readonly reset: string | null
    }
  }
  /** At most the first 64 KiB; bytes that are no UTF-8 are replaced. */
  readonly body: string
  /** The body is longer than was read, or its end did not come in time. */
  readonly truncated: boolean
  /** False: it came before the request's last byte was written, so the request was never whole. */
  readonly requestComplete: boolean
}

/** The last byte was never written: MoEngage cannot have processed anything. */
export interface NotSentAnswer {
  readonly kind: 'not_sent'
  readonly why: Withheld | NetworkFault
}

/** The whole request may have arrived, and no answer came. */
export interface UnknownAnswer {
  readonly kind: 'unknown'
  readonly why: 'aborted' | NetworkFault
}

/** What one attempt brought. */
export type Answer = (ResponseAnswer | NotSentAnswer | UnknownAnswer) & {
  readonly timings: Timings
}

export interface BulkRequest {
  /** The whole body, UTF-8 JSON. */
  readonly body: Buffer
  /** MoEngage project of its elements; undefined: none. */
  readonly projectCode?: string | undefined
  /** On the sender's clock. Covers connecting, sending, waiting and reading the answer's body. */
  readonly deadlineMonotonicMs: number
  /** Asked at the deadline: a later one on the same clock, if it has been put off by then. */
  readonly extendedTo?: () => number
  /** Asked once, when all but the last byte has left the process; false: the socket is reset. */
  readonly mayFinish: () => boolean
  /** Resets the socket at once, wherever the attempt stands. */
  readonly signal: AbortSignal
}

/** Sends bulk requests of one workspace over connections of its own. */
export interface Sender {
  /** Never rejects; settles at the deadline at the latest. */
  attempt(request: BulkRequest): Promise<Answer>
  /** Resets what is under way and closes idle connections. */
  close(): void
}
