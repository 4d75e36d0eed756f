import type { JudgedBatch, LineFinding } from './batch.js'

/** Errors, and warnings, that one answer lists. contract: "first 100". */
export const MAX_LISTED = 100

/** What is certain about an import so far. */
export class Tally {
  accepted = 0
  rejected = 0
  /** Every line up to this one is stored or rejected. */
  lastLine: number
  readonly errors: LineFinding[] = []
  readonly warnings: LineFinding[] = []

  constructor(firstLine: number) {
    this.lastLine = firstLine - 1
  }

  add({ assessment, rejected, errors, warnings }: JudgedBatch, lastLine: number): void {
    this.accepted += assessment.accepted.length
    this.rejected += rejected
    this.lastLine = lastLine
    this.errors.push(...errors.slice(0, MAX_LISTED - this.errors.length))
    this.warnings.push(...warnings.slice(0, MAX_LISTED - this.warnings.length))
  }
}
