import { judgeDeadLetters } from './dead-letters.js'
import { judgeDeliveries } from './deliveries.js'
import { explainDuplicates } from './duplicates.js'
import type { Evidence, Violation } from './model.js'
import { judgeErasures } from './erasures.js'
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
