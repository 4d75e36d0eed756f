import type { Kind, Lane } from '@relay/shared/element.js'
import type { ProducerQuota, Workspace } from '@relay/shared/config/workspace.js'
import type { AssessmentContext, AssessmentOutcome } from './assess.js'
import type { Caller } from './fairness.js'
import type { Cause } from '../refusal.js'
import type { RuleName } from '../validate/rules.js'

/** The workspace of an app id as configured now, or undefined. */
export type Workspaces = (appId: string) => Workspace | undefined

/** What identifies a keyed request; the first request with a key defines it. */
export interface ClaimRequest {
  readonly producer: string
  readonly appId: string
  readonly key: string
  /** SHA-256 of the body after decompression. */
  readonly bodyHash: Buffer
  /** Given to the request if it is the first with its key. */
  readonly requestId: string
  readonly nowMs: number
}

/** The right to run a keyed request, held until `complete` or `release`. */
export interface Claim {
  /** `new`: the first try. `resumed`: an earlier try ended without an answer; the facts are from it. */
  readonly state: 'new' | 'resumed'
  readonly requestId: string
  readonly acceptedAtMs: number
  /** Identifies this use of (producer, app id, key) to the queues: see `Post.digest`. */
  readonly digest: Buffer
}

export type ClaimOutcome =
  | Claim
  /** Answered before with the same body. */
  | { readonly state: 'replay'; readonly first: FirstAnswer }
  /** The key belongs to another body. */
  | { readonly state: 'mismatch' }
  /** The first try is still running. */
  | { readonly state: 'running' }
  /** The producer's keys use all of their memory. */
  | { readonly state: 'full' }
  | { readonly state: 'unavailable' }

/** What is needed to derive an answer again from the same body. */
export interface FirstAnswer {
  readonly requestId: string
  readonly acceptedAtMs: number
  /** As given to `complete`. */
  readonly form: string
}

export type Recalled = Extract<ClaimOutcome, { state: 'replay' | 'mismatch' | 'unavailable' }>

/** Remembers answers by Idempotency-Key for 24 h. Its methods never reject. */
export interface Idempotency {
  /** What `claim` would return for a used key, without claiming it; otherwise null. */
  recall(request: Omit<ClaimRequest, 'requestId'>): Promise<Recalled | null>
  claim(request: ClaimRequest): Promise<ClaimOutcome>
  /** The request was accepted and answered. `form`: a few bytes that derive the same answer again. */
  complete(claim: Claim, form: string): Promise<void>
  /**
   * The request ended without success. `unknown`: something may be stored, and the next one with its
   * key resumes at once. `refused`: nothing is stored, and nothing of the key is kept.
   */
  release(claim: Claim, ended: 'unknown' | 'refused'): Promise<void>
}

export interface QuotaRequest {
  readonly producer: string
  readonly appId: string
  readonly lane: Lane
  readonly quota: ProducerQuota
  /** An event counts once for each action, as in MoEngage's budget. */
  readonly elements: number
  readonly bytes: number
}

export type QuotaOutcome =
  | { readonly granted: true }
  | { readonly granted: false; readonly retryAfterMs: number; readonly exceeded: string }

/** Keeps one producer from using the others' share. Called only for producers with a quota. */
export interface Quota {
  /** Never rejects. `exceeded` names the limit, in words for the producer. */
  take(request: QuotaRequest): Promise<QuotaOutcome>
  /** Undoes a `take` of a request that certainly was not stored. Never rejects. */
  giveBack(request: QuotaRequest): Promise<void>
}

/** Judges bodies beside the event loop, one at a time. Rejects when that fails. */
export interface LargeBodies {
  /** In turn over producers; null: the caller left before its turn. Rejects when the thread fails. */
  assess(
    producer: string,
    body: Buffer,
    context: AssessmentContext,
    caller: Caller,
  ): Promise<AssessmentOutcome | null>
}

/** Receives what the intake did, for metrics and logs. Must not throw. */
export interface IntakeObserver {
  elements(count: {
    readonly appId: string
    readonly kind: Kind
    readonly lane: Lane
    /** `rejected`: invalid; `unavailable`: valid, but not stored for certain. */
    readonly outcome: 'accepted' | 'rejected' | 'unavailable'
    readonly count: number
  }): void
  /** Elements' faults by rule; `rejected` counts the elements. */
  refused(appId: string, rule: RuleName, count: number): void
  warned(appId: string, rule: RuleName, count: number): void
  answered(answer: {
    /** Bounded: one of the known routes, or `unknown`. */
    readonly route: string
    readonly status: number
    readonly durationMs: number
    readonly requestId: string
    readonly appId: string | null
    readonly producer: string | null
    readonly bodyBytes: number
    readonly elements: number
    /** Why relay itself could not accept it; null otherwise. */
    readonly cause: Cause | null
  }): void
  /** An unexpected error; the producer got 500. */
  failed(error: unknown, requestId: string): void
}

/**
 * Finds a producer's own request in one workspace, as that producer may see it; null: unknown.
 * Rejects when Redis does not answer.
 */
export type ProducersTrace = (
  requestId: string,
  appId: string,
  producer: string,
) => Promise<object | null>
