import type { Outcome } from '../classify/outcome.js'
import type { GateEvent } from '@relay/shared/gate/gate.js'

/**
 * The gate event of an attempt's outcome; null: none. A refusal of elements or of a size is a success
 * here: MoEngage is there and answers for this account. `everythingRefused`: an unexplained refusal
 * is one too many.
 */
export function gateEventOf(
  outcome: Outcome,
  probeId: string | null,
  everythingRefused = false,
): GateEvent | null {
  switch (outcome.outcome) {
    case 'delivered':
      return { type: 'succeeded', probeId }
    case 'element_refused':
    case 'too_large':
      return { type: 'succeeded', probeId, nothingAccepted: true }
    case 'unexplained':
    case 'undecodable':
      return unexplained(probeId, everythingRefused)
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

function unexplained(probeId: string | null, everythingRefused: boolean): GateEvent | null {
  if (everythingRefused) return { type: 'refused_for', reason: 'everything_refused', probeId }
  return probeId === null ? null : { type: 'succeeded', probeId, nothingAccepted: true }
}
