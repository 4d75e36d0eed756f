import type { Law } from './oracle.js'
import type { ScenarioName } from './scenarios.js'

/** The seed that finds a mutant of `test/chaos/mutants`, and the law that it breaks. */
export interface Kill {
  readonly mutant: string
  readonly scenario: ScenarioName
  readonly seed: number
  readonly seconds: number
  readonly law: Law
}

/** Mutants that are not here are found by the fault suite alone so far. */
export const KILLS: readonly Kill[] = [
  { mutant: 'settle-order', scenario: 'split', seed: 31, seconds: 60, law: 'settle undone' },
  { mutant: 'takeover', scenario: 'brief', seed: 1, seconds: 15, law: 'overlap' },
  { mutant: 'mark', scenario: 'brief', seed: 1, seconds: 5, law: 'active set' },
  { mutant: 'one-in-flight', scenario: 'stalled', seed: 2, seconds: 30, law: 'overlap' },
  { mutant: 'claim', scenario: 'rolling', seed: 1, seconds: 15, law: 'repeated' },
]
