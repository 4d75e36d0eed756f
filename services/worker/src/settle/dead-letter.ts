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

export interface Expiration {
  /** Requests that carried it. */
  readonly attempts: number
  /** Wall clock, ms since 1970 UTC. */
  readonly deadAtMs: number
  /** The age that it exceeded, ms. */
  readonly maxAgeMs: number
}

export function deadLetterOf(item: Item, { outcome, attempts, deadAtMs }: Refusal): DeadLetter {
  const error = 'error' in outcome ? outcome.error : null
  return {
    ...letterOf(item),
    reason: reasonOf(outcome),
    answer: {
      status: error?.status ?? 0,
      type: error?.type ?? '',
      message: error?.message ?? '',
      attribute: error?.attribute ?? null,
      requestId: error?.requestId ?? null,
    },
    attempts,
    deadAtMs,
  }
}

/** The dead letter of an item that became too old to be sent. */
export function expiredLetterOf(
  item: Item,
  { attempts, deadAtMs, maxAgeMs }: Expiration,
): DeadLetter {
  const message = `not delivered within ${maxAgeMs / 1000} s of its acceptance`
  const answer = { status: 0, type: '', message, attribute: null }
  return { ...letterOf(item), reason: 'expired', answer, attempts, deadAtMs }
}

/** The id encodes the position in the queue, so repeated writes have the same id. */
function letterOf({ window, chunk, index, element }: Item) {
  const { appId, lane } = window.partition
  return {
    id: `${window.tag}/${chunk.id}/${index}`.replaceAll('/', '.'),
    appId,
    lane,
    kind: element.kind,
    customer: Buffer.from(element.customer, 'latin1').toString('hex'),
    element: element.json.toString('utf8'),
    cost: element.cost,
    posted: element.posted,
    requestId: element.provenance.requestId,
    projectCode: element.provenance.projectCode,
    acceptedAtMs: element.provenance.acceptedAtMs,
  }
}

function reasonOf(refused: Outcome): DeadLetterReason {
  const { outcome } = refused
  // An unexplained 413: other elements of its size were accepted.
  if (outcome === 'unexplained' && refused.error.status === 413) return 'too_large'
  return outcome === 'undecodable' || outcome === 'too_large' ? outcome : 'element_refused'
}
