import type { DeadLetter, DeadLetterReason } from '@relay/shared/dead-letters/dead-letter.js'
import type { Outcome } from '../classify/outcome.js'
import type { Item } from '../fetch/window.js'

export interface Refusal {
  readonly outcome: Outcome
  /** Requests of its flight so far. */
  readonly attempts: number
  /** Wall clock, ms since 1970 UTC. */
  readonly deadAtMs: number
}

/** The dead letter of an item: its id says where it was queued, so it is the same however often written. */
export function deadLetterOf(item: Item, { outcome, attempts, deadAtMs }: Refusal): DeadLetter {
  const { window, chunk, index, element } = item
  const error = 'error' in outcome ? outcome.error : null
  const { appId, lane } = window.partition
  return {
    id: `${window.tag}/${chunk.id}/${String(index)}`.replaceAll('/', '.'),
    appId,
    lane,
    kind: element.kind,
    customer: Buffer.from(element.customer, 'latin1').toString('hex'),
    element: element.json.toString('utf8'),
    cost: element.cost,
    posted: element.posted,
    reason: reasonOf(outcome),
    answer: {
      status: error?.status ?? 0,
      type: error?.type ?? '',
      message: error?.message ?? '',
      attribute: error?.attribute ?? null,
    },
    attempts,
    requestId: element.provenance.requestId,
    acceptedAtMs: element.provenance.acceptedAtMs,
    deadAtMs,
  }
}

function reasonOf({ outcome }: Outcome): DeadLetterReason {
  return outcome === 'undecodable' || outcome === 'too_large' ? outcome : 'element_refused'
}
