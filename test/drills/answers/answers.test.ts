import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '@relay/tools/folders.js'
import { MISTAKES } from './beginners.js'
import { LINES } from './lines.js'

const record = readFileSync(join(ROOT, 'docs/reports/answers.md'), 'utf8')

test('every line of the review is tried again', () => {
  const tried = new Set(LINES.flatMap(({ lines }) => lines))
  expect([...tried].sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, i) => i + 1))
})

test.each(LINES.map(({ lines, before }) => `**${lines.join(', ')}.** Before: ${before}`))(
  'on record: %s',
  (heading) => expect(record).toContain(heading),
)

test.each(MISTAKES.map(({ mistake }) => mistake))('on record, with an answer: %s', (mistake) => {
  expect(record).toContain(`\n| ${mistake} `)
})
