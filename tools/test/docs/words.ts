/** Pages that a command writes as a whole. */
const GENERATED: ReadonlySet<string> = new Set([
  'docs/reference/errors.md',
  'docs/reference/metrics.md',
  'docs/reference/vendor-coverage.md',
  'docs/reports/answers.md',
  'docs/reports/backlog-memory.md',
  'docs/reports/budget-use.md',
  'docs/reports/drills.md',
  'docs/reports/performance.md',
  'docs/reports/rate-headers.md',
  'docs/reports/security-inputs.md',
  'docs/reports/soak.md',
])

/** A part of a page that a command writes; without an end marker it is the rest of the page. */
const GENERATED_PART = /<!-- (\w+): begin -->[^]*?(?:<!-- \1: end -->|$)/g

/** Words of a page that were written by hand. A word contains at least one letter or digit. */
export function handWrittenWords(page: string, text: string): number {
  if (GENERATED.has(page)) return 0
  return text.replaceAll(GENERATED_PART, '').match(/\S*[\p{L}\p{N}]\S*/gu)?.length ?? 0
}
