import type { Findings } from './findings.js'
import type { Vocabulary } from './vocabulary.js'

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
