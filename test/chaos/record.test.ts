import { withRows } from './report.js'

const HEAD = '| seed | verdict |\n| --- | --- |'
const table = (what: string, ...rows: string[]) => ({ date: '2026-01-02', what, head: HEAD, rows })
const REPORT = '# Report\n\nText.\n'

test('a first row begins a table at the end', () => {
  expect(withRows(REPORT, table('runs of 6 s', '| 1 | held |'))).toBe(
    `${REPORT}\n### 2026-01-02: 1 runs of 6 s\n\n${HEAD}\n| 1 | held |\n`,
  )
})

test('later rows join the table of the same day and kind, for any text after it, and are counted', () => {
  const first = withRows(REPORT, table('runs of 6 s', '| 1 | held |'))
  const other = withRows(first, table('runs of 9 s (x)', '| 7 | held |'))
  expect(withRows(other, table('runs of 6 s', '| 2 | held |', '| 3 | held |'))).toBe(
    `${REPORT}\n### 2026-01-02: 3 runs of 6 s\n\n${HEAD}\n| 1 | held |\n| 2 | held |\n| 3 | held |\n` +
      `\n### 2026-01-02: 1 runs of 9 s (x)\n\n${HEAD}\n| 7 | held |\n`,
  )
})
