import { RULES, type Rule, type RuleName } from './rules.js'
import { PATH_CHARACTERS } from './path.js'

/** One thing that is wrong or doubtful about one element. */
export interface Finding {
  /** Position in the request, 0-based. */
  readonly index: number
  /** Path inside the element, e.g. `actions[0].attributes.price`. */
  readonly attribute: string
  readonly message: string
  readonly rule: RuleName
}

/**
 * What is found while a request is validated. Keeps at most `limit` findings of each severity, so
 * that a hostile request cannot make a large answer, but counts them all.
 */
export class Findings {
  readonly problems: Finding[] = []
  readonly warnings: Finding[] = []
  problemCount = 0
  warningCount = 0
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  add(rule: RuleName, index: number, attribute: string, detail = ''): void {
    const { severity, message }: Rule = RULES[rule]
    const problem = severity === 'refuse'
    if (problem) this.problemCount++
    else this.warningCount++
    const list = problem ? this.problems : this.warnings
    if (list.length >= this.#limit) return
    const path =
      attribute.length > PATH_CHARACTERS ? `${attribute.slice(0, PATH_CHARACTERS)}…` : attribute
    list.push({ index, attribute: path, message: message(detail), rule })
  }
}
