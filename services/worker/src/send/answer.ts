import { isCertificateFault } from '@relay/shared/process/certificate-fault.js'
import type { Workspace } from '@relay/shared/config/workspace.js'

/** relay's reasons for not finishing a request. They show nothing about MoEngage. */
export const WITHHELD = ['aborted', 'busy', 'closed', 'disallowed', 'expired'] as const
export type Withheld = (typeof WITHHELD)[number]

/** Network faults between relay and MoEngage. */
export const NETWORK_FAULTS = [
  'unresolvable',
  'refused',
  'unreachable',
  'certificate',
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
  /** At most the first 64 KiB; bytes that are not UTF-8 are replaced. */
  readonly body: string
  /** The body exceeds the read limit, or its end did not arrive in time. */
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

/** Result of one attempt. */
export type Answer = (ResponseAnswer | NotSentAnswer | UnknownAnswer) & {
  readonly timings: Timings
}

export interface BulkRequest {
  /** Writes the whole body, UTF-8 JSON. The sender keeps it only until the kernel has it. */
  readonly body: () => Buffer
  /** MoEngage project of its elements; undefined: none. */
  readonly projectCode?: string | undefined
  /** On the sender's clock. Covers connecting, sending, waiting and reading the answer's body. */
  readonly deadlineMonotonicMs: number
  /** Called at the deadline; returns a later one on the same clock if it has been extended. */
  readonly extendedTo?: () => number
  /** Called once, when all but the last byte has left the process; on false the socket is reset. */
  readonly mayFinish: () => boolean
  /** Resets the socket at once, wherever the attempt stands. */
  readonly signal: AbortSignal
}

/** The sender of one workspace, with its account and address as configured now. */
export type NewSender = (workspace: Workspace) => Sender

/** Sends bulk requests of one workspace over dedicated connections. */
export interface Sender {
  /** Never rejects; settles at the deadline at the latest. */
  attempt(request: BulkRequest): Promise<Answer>
  /** Resets requests in flight and closes idle connections. */
  close(): void
}

const BY_CODE: ReadonlyMap<string, NetworkFault> = new Map<string, NetworkFault>([
  ['ENOTFOUND', 'unresolvable'],
  ['EAI_AGAIN', 'unresolvable'],
  ['EAI_FAIL', 'unresolvable'],
  ['EAI_NODATA', 'unresolvable'],
  ['EAI_NONAME', 'unresolvable'],
  ['ECONNREFUSED', 'refused'],
  ['EHOSTUNREACH', 'unreachable'],
  ['ENETUNREACH', 'unreachable'],
  ['ENETDOWN', 'unreachable'],
  ['EADDRNOTAVAIL', 'unreachable'],
  ['EMFILE', 'unreachable'],
  ['ENFILE', 'unreachable'],
  ['ETIMEDOUT', 'timeout'],
  ['EPROTO', 'tls'],
])

const TLS_CODE = /^ERR_(TLS|SSL|OSSL)_/

/** Names a Node.js error of a socket or HTTP parser. Total: anything unknown is a `reset`. */
export function networkFaultOf(error: unknown): NetworkFault {
  const code = codeOf(error)
  const known = BY_CODE.get(code)
  if (known !== undefined) return known
  if (code.startsWith('HPE_')) return 'garbage'
  if (isCertificateFault(code)) return 'certificate'
  return TLS_CODE.test(code) ? 'tls' : 'reset'
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}
