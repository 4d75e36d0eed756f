import type { Kind, Lane } from '@relay/shared/element.js'
import type { DeadLetterReason } from '@relay/shared/dead-letters/dead-letter.js'
import type { Batch } from '../batch/body.js'
import type { Outcome } from '../classify/outcome.js'
import type { RateGauge } from '../classify/rate-gauge.js'
import type { Answer } from '../send/answer.js'

/** One attempt against MoEngage, for the log and the metrics. */
export interface AttemptReport {
  readonly appId: string
  readonly lane: Lane
  readonly attemptId: string
  readonly probe: boolean
  readonly batch: Batch
  readonly answer: Answer
  readonly outcome: Outcome
  /** The account's budget by the answer's headers; null without them. */
  readonly gauge: RateGauge | null
}

/** Port through which the worker reports events. */
export interface WorkerObserver {
  attempted(report: AttemptReport): void
  /** Settled as delivered; `answeredAtMs` is the wall clock when MoEngage accepted it. */
  delivered(appId: string, lane: Lane, batch: Batch, answeredAtMs: number): void
  /** MoEngage advertises a limit; `differs`: it equals none of the configured ones. */
  advertised(appId: string, limit: number, differs: boolean): void
  /** A customer is held back for MoEngage's per-customer policy. `customer`: hash of its identity. */
  customerHeld(appId: string, customer: string, waitMs: number): void
  deadLettered(appId: string, kind: Kind, reason: DeadLetterReason, posted: number): void
  /** Accepted in shadow, and dropped instead of sent. */
  shadowed(appId: string, batch: Batch): void
  /** Sent again although it may have arrived before. */
  possiblyDuplicated(appId: string, elements: number): void
}
