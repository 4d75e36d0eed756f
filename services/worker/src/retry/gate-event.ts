import type { Outcome } from '../classify/outcome.js'
import type { GateEvent } from '@relay/shared/gate/gate.js'

/**
 * What an attempt's outcome tells the gate; null: nothing. A refusal of elements or of a size is a
 * success here: MoEngage is there and answers for this account.
 */
export function gateEventOf(outcome: Outcome, probeId: string | null): GateEvent | null {
  switch (outcome.outcome) {
    case 'delivered':
    case 'element_refused':
    case 'undecodable':
    case 'too_large':
      return { type: 'succeeded', probeId }
    case 'refused':
      return { type: 'refused_for', reason: outcome.reason, probeId }
    case 'rate_limited':
      return {
        type: 'rate_limited',
        retryAfterMs: outcome.retryAfterMs,
        resetMs: outcome.resetMs ?? null,
        probeId,
      }
    case 'transient':
      return { type: 'failed_transient', reason: outcome.reason, probeId }
    case 'interrupted':
      return probeId === null ? null : { type: 'probe_released', probeId }
  }
}
