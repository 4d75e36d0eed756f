/** The part of Jest's `--json` result that counts. */
export interface JestResult {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  /** Files that failed before any of their tests could run. */
  readonly numRuntimeErrorTestSuites: number
}

/** The last line of `npm test`. A run without a result is a failure. */
export function closingLine(result: JestResult | null): string {
  if (result === null) return '0 passed, 1 failed, 0 skipped'
  const failed = result.numFailedTests + result.numRuntimeErrorTestSuites
  const skipped = result.numPendingTests + result.numTodoTests
  return `${String(result.numPassedTests)} passed, ${String(failed)} failed, ${String(skipped)} skipped`
}
