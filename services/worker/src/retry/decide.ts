import type { Outcome } from '../classify/outcome.js'
import type { GateEvent } from '@relay/shared/gate/gate.js'

/** What relay does about one answer. */
export type Decision =
  /** Delivered: take the elements out of their queues. */
  | { readonly do: 'settle' }
  /** Send the same again once the gate and the budgets allow. */
  | { readonly do: 'retry' }
  /** Find the elements that MoEngage refuses. */
  | { readonly do: 'isolate' }
  /** Send in smaller bodies. */
  | { readonly do: 'shrink' }

/** Decides on an outcome, and says what it means for the workspace's gate (null: nothing). */
export function decide(
  outcome: Outcome,
  probeId: string | null,
): { decision: Decision; event: GateEvent | null } {
  switch (outcome.outcome) {
    case 'delivered':
      return { decision: { do: 'settle' }, event: { type: 'succeeded', probeId } }
    case 'element_refused':
    case 'undecodable':
      return { decision: { do: 'isolate' }, event: { type: 'succeeded', probeId } }
    case 'too_large':
      return { decision: { do: 'shrink' }, event: { type: 'succeeded', probeId } }
    case 'refused':
      return {
        decision: { do: 'retry' },
        event: { type: 'refused_for', reason: outcome.reason, probeId },
      }
    case 'rate_limited':
      return {
        decision: { do: 'retry' },
        event: { type: 'rate_limited', retryAfterMs: outcome.retryAfterMs, probeId },
      }
    case 'transient':
      return {
        decision: { do: 'retry' },
        event: { type: 'failed_transient', reason: outcome.reason, probeId },
      }
    case 'interrupted':
      return {
        decision: { do: 'retry' },
        event: probeId === null ? null : { type: 'probe_released', probeId },
      }
  }
}
