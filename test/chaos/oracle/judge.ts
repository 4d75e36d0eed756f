import { goneRightly, judgeDeliveries } from './deliveries.js'
import { explainDuplicates } from './duplicates.js'
import type { Evidence, Violation } from './model.js'
import { judgeLiveness } from './liveness.js'
import { judgeRequests } from './requests.js'
import { judgeViews } from './views.js'

export interface Judgement {
  readonly violations: readonly Violation[]
  readonly duplicates: ReadonlyMap<string, number>
}

/** Holds a run's evidence against every law. Knows nothing of how relay works. */
export function judge(evidence: Evidence): Judgement {
  const { perCause, violations } = explainDuplicates(evidence)
  return {
    duplicates: perCause,
    violations: [
      ...judgeDeliveries(evidence),
      ...violations,
      ...judgeRequests(evidence),
      ...judgeDeadLetters(evidence),
      ...judgeViews(evidence),
      ...judgeErasures(evidence),
      ...judgeLiveness(evidence),
    ],
  }
}

/** All acknowledged poison is dead-lettered, and nothing else, for any outages. */
function judgeDeadLetters(evidence: Evidence): Violation[] {
  const { posted, deadLetters } = evidence
  const mayBeGone = goneRightly(evidence)
  const name = (e: { customer: string; seq: number }) => `${e.customer} ${e.seq}`
  const dead = new Set(deadLetters.map(name))
  const poison = new Map(posted.filter((p) => p.poison).map((p) => [name(p), p]))
  const wrong = [...dead]
    .filter((key) => !poison.has(key))
    .map((key) => ({ law: 'only poison is dead-lettered' as const, detail: `${key} is dead` }))
  const missing = [...poison]
    .filter(([key, letter]) => letter.acknowledged && !dead.has(key) && !mayBeGone(letter))
    .map(([key]) => ({
      law: 'nothing acknowledged is missing' as const,
      detail: `${key}: poison that is no dead letter`,
    }))
  return [...wrong, ...missing]
}

/** Once relay has answered `done`, nothing that it had accepted of that customer is sent, unless Redis forgot that. */
function judgeErasures({ erasures, posted, arrived, requests, forgets }: Evidence): Violation[] {
  const startedAt = new Map(requests.map((r) => [r.requestId, r.startedAtMs]))
  const acceptedAt = new Map(posted.map((p) => [`${p.customer} ${p.seq}`, p]))
  const kept = erasures.filter(({ askedAtMs, doneAtMs }) => {
    return !forgets.some(({ fromMs, toMs }) => doneAtMs >= fromMs && askedAtMs <= toMs)
  })
  return kept.flatMap(({ customer, askedAtMs, doneAtMs }) =>
    arrived
      .filter((a) => a.customer === customer)
      .filter((a) => (startedAt.get(a.requestId) ?? -Infinity) > doneAtMs)
      .filter(({ seq }) => {
        const element = acceptedAt.get(`${customer} ${seq}`)
        return element !== undefined && element.acknowledgedAtMs < askedAtMs
      })
      .map(({ seq, requestId }) => ({
        law: 'nothing of a forgotten customer is sent' as const,
        detail: `${customer}: ${seq} in request ${requestId}, begun after the answer`,
      })),
  )
}
