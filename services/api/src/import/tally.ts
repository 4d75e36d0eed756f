import type { JudgedBatch, LineFinding } from './batch.js'

/** Default number of errors, and warnings, in an answer. contract: "first 100". */
export const LISTED = 100
/** Maximum that a caller can request: about 2 MB of answer. */
export const MAX_LISTED = 10_000

/** The known outcome of an import so far. */
export class Tally {
  accepted = 0
  rejected = 0
  /** Every line up to this one is stored or rejected. */
  lastLine: number
  readonly errors: LineFinding[] = []
  readonly warnings: LineFinding[] = []

  readonly #listed: number

  constructor(firstLine: number, listed: number) {
    this.lastLine = firstLine - 1
    this.#listed = listed
  }

  add({ assessment, rejected, errors, warnings }: JudgedBatch, lastLine: number): void {
    this.accepted += assessment.accepted.length
    this.rejected += rejected
    this.lastLine = lastLine
    this.errors.push(...errors.slice(0, this.#listed - this.errors.length))
    this.warnings.push(...warnings.slice(0, this.#listed - this.warnings.length))
  }
}
