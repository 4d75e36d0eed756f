import type { NotStoredReason } from '@relay/shared/queue/post.js'
import type { CallersFault, Detail, Refusal } from '../refusal.js'
import type { Finding, FoundAll } from '../validate/findings.js'
import { RULES } from '../validate/rules.js'
import type { BodyFault } from './parse.js'
import type { ClaimOutcome, QuotaOutcome } from './ports.js'

/** The answer for each way in which a well-formed request can fail. */

function detailOf({ index, attribute, message }: Finding): Detail {
  return { index, attribute, message }
}

/** One entry per finding; if the list is cut, a last entry reports how many are missing. */
export function detailsOf(findings: readonly Finding[], count: number): Detail[] {
  const details = findings.map(detailOf)
  const last = findings.at(-1)
  if (last !== undefined && count > findings.length) {
    const message = `and ${count - findings.length} more (not listed)`
    details.push({ index: last.index, attribute: '', message })
  }
  return details
}

export function bodyRefusal({ type, message, attribute }: BodyFault): Refusal {
  const fault = attribute === undefined ? {} : { attribute, details: [{ attribute, message }] }
  return { status: 400, type, message, ...fault }
}

/** The first problem leads, as in the vendor's answer; all are in `details`. */
export function invalidRefusal({ problems, problemCount }: FoundAll): CallersFault {
  const onlySize = problems.every(({ rule }) => rule === 'tooLarge')
  const details = detailsOf(problems, problemCount)
  const [first] = problems
  if (first === undefined) return { status: 400, type: 'AttributeError', message: '', details }
  return {
    status: onlySize ? 413 : 400,
    type: RULES[first.rule].type,
    message: first.message,
    ...(first.attribute === '' ? {} : { attribute: first.attribute }),
    details,
  }
}

export function quotaRefusal(outcome: QuotaOutcome & { granted: false }): Refusal {
  return {
    status: 429,
    type: 'Rate Limit Exceeded',
    message: `Your own quota is exceeded: ${outcome.exceeded}`,
    retryAfterMs: outcome.retryAfterMs,
  }
}

const KEY = 'Idempotency-Key'

type NotClaimed = Exclude<ClaimOutcome['state'], 'new' | 'resumed' | 'replay'>

export function claimRefusal(state: NotClaimed): Refusal {
  switch (state) {
    case 'mismatch': {
      const message = `This ${KEY} was used with another body or project_code; use a new key for a new request`
      return { status: 422, type: 'IdempotencyKeyReused', message, attribute: KEY }
    }
    case 'running': {
      const message = `The first request with this ${KEY} is still running; try again shortly`
      const type = 'IdempotencyKeyInUse'
      return { status: 409, type, message, attribute: KEY, retryAfterMs: 1_000 }
    }
    case 'full': {
      const message = `The memory for your ${KEY}s is full; post without a key, or later`
      return { status: 429, type: 'Rate Limit Exceeded', message, retryAfterMs: 600_000 }
    }
    case 'unavailable':
      return storeRefusal('refused', 'redis_unavailable')
  }
}

/** The problem, and how long it is likely to last, ms. */
const STORE_REASONS: Readonly<Record<NotStoredReason, { words: string; retryAfterMs: number }>> = {
  redis_unavailable: { words: 'The queue is unreachable', retryAfterMs: 2_000 },
  backlog_full: { words: 'The backlog is full', retryAfterMs: 30_000 },
  redis_full: { words: 'The memory of the queue is full', retryAfterMs: 30_000 },
  dead_letters_full: {
    words: 'The memory for your dead letters is full; an operator must replay or purge them',
    retryAfterMs: 600_000,
  },
  durability: { words: 'The queue does not reach the configured durability', retryAfterMs: 5_000 },
}

export function storeRefusal(outcome: 'refused' | 'unknown', reason: NotStoredReason): Refusal {
  const { words, retryAfterMs } = STORE_REASONS[reason]
  const advice =
    outcome === 'refused'
      ? 'Nothing was stored; post it again'
      : `Part of this request may have been stored; post it again with the same ${KEY}`
  return {
    status: 503,
    cause: reason,
    type: 'Service Unavailable',
    message: `${words}. ${advice} after the Retry-After interval.`,
    retryAfterMs,
  }
}

/** An import resumes after the last line whose outcome is known. */
export function importRefusal(outcome: 'refused' | 'unknown', reason: NotStoredReason): Refusal {
  const { words, retryAfterMs } = STORE_REASONS[reason]
  const doubt = outcome === 'refused' ? '' : ' Some later lines may already be stored.'
  return {
    status: 503,
    cause: reason,
    type: 'Service Unavailable',
    message: `${words}. Wait for Retry-After, then resume after last_line.${doubt}`,
    retryAfterMs,
  }
}
