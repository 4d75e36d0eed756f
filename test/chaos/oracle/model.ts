export type Kind = 'user' | 'event' | 'device'

/** One element that a producer posted. `seq` counts the elements of one customer from 1, no gaps. */
export interface Posted {
  readonly customer: string
  readonly seq: number
  readonly kind: Kind
  /** MoEngage refuses it: it must become a dead letter. */
  readonly poison: boolean
  readonly postedAtMs: number
  /** When its post was answered 200; Infinity: not yet. */
  acknowledgedAtMs: number
  /** Its post was answered 200. */
  acknowledged: boolean
}

/** One element that MoEngage took, in the order of arrival. */
export interface Arrived {
  readonly customer: string
  readonly seq: number
  readonly kind: Kind
  /** Of a user update: the value of its attribute `last`. */
  readonly last: number | null
  readonly requestId: string
}

/** One request as MoEngage saw it; times in ms since 1970. */
export interface VendorRequest {
  readonly requestId: string
  readonly startedAtMs: number
  readonly arrivedAtMs: number | null
  readonly endedAtMs: number | null
  readonly fate: 'open' | 'accepted' | 'refused' | 'dropped'
  readonly status: number | null
  /** The scripted fault that MoEngage applied. */
  readonly fault: string | null
  readonly bytes: number
  readonly cost: { readonly users: number; readonly events: number; readonly devices: number }
  readonly customers: readonly string[]
  /** The workers that may have sent it; absent: unknown. */
  readonly places?: readonly string[]
  /** When its whole answer had been passed on to the worker's connection; absent: it never was. */
  readonly answeredAtMs?: number
}

/** Within 2 s; within a lease and 1 s; when the vendor is probed or a window ends. */
export type Resumes = 'soon' | 'lease' | 'later'

/**
 * What of a delivery a fault can lose, so that elements are sent again: MoEngage's answer on its way to
 * the worker, or the settle that follows it, on its way to Redis or after Redis had it. 'claims': it ends
 * every claim, so that no request in flight at its time can be settled, however late its answer comes.
 */
export type Loss = 'nothing' | 'answers' | 'settles' | 'claims' | 'both'

/** A fault that was injected, from its first effect until everything it touched worked again. */
export interface Disturbance {
  readonly name: string
  readonly fromMs: number
  readonly toMs: number
  readonly loses: Loss
  /** The processes that it touches; absent: any. */
  readonly places?: readonly string[]
  /** How soon sending resumes once it is over; 'later': when a probe or a window says so. */
  readonly resumes?: Resumes
  /** A connection can look open to MoEngage although relay's side is frozen or gone. */
  readonly mayLinger: boolean
}

export interface Limits {
  /** Users and devices together, per window. */
  readonly users: number
  readonly events: number
  readonly windowMs: number
  readonly bodyBytes: number
}

export interface DeadLetter {
  readonly customer: string
  readonly seq: number
}

/** The backlog that one view showed, between the question and its answer. */
export interface ViewSample {
  readonly where: string
  readonly fromMs: number
  readonly toMs: number
  readonly backlog: number
  /** How old it said to be; absent or 0: read just now. */
  readonly ageMs?: number
}

/** A customer whose data an operator had erased. */
export interface Erasure {
  readonly customer: string
  readonly askedAtMs: number
  /** When relay answered `done`; Infinity: it has not. */
  doneAtMs: number
}

/** A Redis that came back at `toMs` as it was at `fromMs`. */
export interface Forgetting {
  readonly fromMs: number
  readonly toMs: number
}

/** All that is known of one run. */
export interface Evidence {
  readonly posted: readonly Posted[]
  readonly arrived: readonly Arrived[]
  readonly requests: readonly VendorRequest[]
  readonly disturbances: readonly Disturbance[]
  readonly deadLetters: readonly DeadLetter[]
  readonly limits: Limits
  readonly samples: readonly ViewSample[]
  readonly erasures: readonly Erasure[]
  readonly forgets: readonly Forgetting[]
  /** When everything worked again; null: nothing was wrong. */
  readonly healedAtMs: number | null
  readonly leaseMs: number
  readonly requestTimeoutMs: number
  /** How long a fault keeps what was delivered in the backlog, ms. */
  readonly settleWithinMs: number
}

export const LAWS = [
  'nothing acknowledged is missing',
  'first deliveries are in order',
  'redelivery is a contiguous run',
  'the last value wins',
  'nothing is delivered that was never posted',
  'duplicates have a cause',
  'one request at a time per customer',
  'both windows hold',
  'bodies are within the limit',
  'only poison is dead-lettered',
  'good posts are not refused',
  'processes live',
  'everything drains',
  'nothing leaks',
  'the schedule can be played',
  'the views show the backlog',
  'sending resumes in time',
  'nothing of a forgotten customer is sent',
] as const
export type Law = (typeof LAWS)[number]

export interface Violation {
  readonly law: Law
  readonly detail: string
}
