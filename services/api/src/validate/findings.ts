import { RULES, type Rule, type RuleName } from './rules.js'
import type { Vocabulary } from './vocabulary.js'

/** Maximum length of an attribute path in an answer, characters. */
export const PATH_CHARACTERS = 300

/** Path of a member. Bounded, because names are the caller's and a path is built for each level. */
export function inside(path: string, name: string): string {
  if (path.length > PATH_CHARACTERS) return path
  const short = name.length > PATH_CHARACTERS ? name.slice(0, PATH_CHARACTERS) : name
  return path === '' ? short : `${path}.${short}`
}

/** One error or warning about one element. */
export interface Finding {
  /** Position in the request, 0-based. */
  readonly index: number
  /** Path inside the element, e.g. `actions[0].attributes.price`. */
  readonly attribute: string
  readonly message: string
  readonly rule: RuleName
}

/** What `Findings` has gathered. */
export type FoundAll = Pick<Findings, 'problems' | 'warnings' | 'problemCount' | 'warningCount'>

/** Maximum bytes of JSON of the findings of one severity: names in them are the caller's. */
const MAX_LISTED_BYTES = 128 * 1024

/**
 * The findings of a request. Keeps at most `limit` findings per severity, in a bounded number of
 * bytes, so that a hostile request cannot cause a large answer, but counts all of them.
 */
export class Findings {
  readonly problems: Finding[] = []
  readonly warnings: Finding[] = []
  problemCount = 0
  warningCount = 0
  readonly #limit: number
  readonly #listedBytes = { refuse: 0, warn: 0 }

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Continues with the findings of another thread. */
  static from(found: FoundAll, limit: number): Findings {
    const findings = new Findings(limit)
    findings.problems.push(...found.problems)
    findings.warnings.push(...found.warnings)
    findings.problemCount = found.problemCount
    findings.warningCount = found.warningCount
    findings.#listedBytes.refuse = listedBytes(found.problems)
    findings.#listedBytes.warn = listedBytes(found.warnings)
    return findings
  }

  /** Adds those of one element that was judged by itself. */
  addAll(found: FoundAll, index: number): void {
    this.problemCount += found.problemCount
    this.warningCount += found.warningCount
    for (const finding of found.problems) this.#list('refuse', { ...finding, index })
    for (const finding of found.warnings) this.#list('warn', { ...finding, index })
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
    this.#list(severity, { index, attribute: path, message: message(detail), rule })
  }

  #list(severity: Rule['severity'], finding: Finding): void {
    const list = severity === 'refuse' ? this.problems : this.warnings
    if (list.length >= this.#limit) return
    const bytes = bytesOf(finding.attribute, finding.message)
    if (this.#listedBytes[severity] + bytes > MAX_LISTED_BYTES) {
      // The list is a prefix of all findings: no later, shorter one may follow.
      this.#listedBytes[severity] = MAX_LISTED_BYTES
      return
    }
    this.#listedBytes[severity] += bytes
    list.push(finding)
  }
}

function bytesOf(path: string, text: string): number {
  return Buffer.byteLength(JSON.stringify([path, text]))
}

function listedBytes(list: readonly Finding[]): number {
  return list.reduce((sum, { attribute, message }) => sum + bytesOf(attribute, message), 0)
}

/** A parsed JSON object with unknown members. */
export type Json = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Receives the findings of the checks of one element. */
export interface Reporter {
  readonly index: number
  readonly findings: Findings
  readonly nowMs: number
  readonly names: Vocabulary
  /** An upper bound of the bytes of the element's text. */
  readonly bytes: number
  /** No name contains an unusual character: the text was read sparsely. */
  readonly isPlain: boolean
}
