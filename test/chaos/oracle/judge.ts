import { judgeDeadLetters } from './dead-letters.js'
import { judgeDeliveries } from './deliveries.js'
import { explainDuplicates } from './duplicates.js'
import type { Evidence, Violation } from './model.js'
import { judgeRequests } from './requests.js'

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
    ],
  }
}
