import type { Outcome } from '../classify/outcome.js'
import type { UnexplainedHold } from '@relay/shared/gate/gate-state.js'
import type { GateEvent } from '@relay/shared/gate/gate.js'

/**
 * The gate event of an attempt's outcome; null: none. A refusal of elements or of a size is a success
 * here: MoEngage is there and answers for this account. `hold`: why an unexplained refusal is one too many.
 */
export function gateEventOf(
  outcome: Outcome,
  probeId: string | null,
  hold: UnexplainedHold | null = null,
): GateEvent | null {
  switch (outcome.outcome) {
    case 'delivered':
      return { type: 'succeeded', probeId }
    case 'element_refused':
    case 'too_large':
      return { type: 'succeeded', probeId, nothingAccepted: true }
    case 'unexplained':
    case 'undecodable':
      return unexplained(probeId, hold)
    case 'refused':
      return { type: 'refused_for', reason: outcome.reason, probeId }
    case 'rate_limited':
      return rateLimited(outcome, probeId)
    case 'transient':
      return { type: 'failed_transient', reason: outcome.reason, probeId }
    case 'interrupted':
      return probeId === null ? null : { type: 'probe_released', probeId }
  }
}

function rateLimited(
  { retryAfterMs, resetMs = null }: Extract<Outcome, { outcome: 'rate_limited' }>,
  probeId: string | null,
): GateEvent {
  return { type: 'rate_limited', retryAfterMs, resetMs, probeId }
}

function unexplained(probeId: string | null, hold: UnexplainedHold | null): GateEvent | null {
  if (hold !== null) return { type: 'refused_for', reason: hold, probeId }
  return probeId === null ? null : { type: 'succeeded', probeId, nothingAccepted: true }
}
