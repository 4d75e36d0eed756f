import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { handWrittenWords } from './words.js'
import { ROOT } from '../../src/folders.js'

/** A new colleague should be able to read all of them in two hours. */
const MAX_WORDS = 20_000

const pages = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((page) => page !== '' && existsSync(join(ROOT, page)))

test(`hand-written documents have at most ${MAX_WORDS} words`, () => {
  const words = pages.map((page) => handWrittenWords(page, readFileSync(join(ROOT, page), 'utf8')))
  expect(words.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(MAX_WORDS)
})

test('counts words, and leaves out punctuation and generated parts', () => {
  expect(handWrittenWords('a.md', '# One\n\n| two | – |\n| --- | --- |\n')).toBe(2)
  const part = 'one\n<!-- settings: begin -->\ntwo\n<!-- settings: end -->\nthree'
  expect(handWrittenWords('a.md', part)).toBe(2)
  expect(handWrittenWords('a.md', 'one\n<!-- recorded: begin -->\ntwo')).toBe(1)
  expect(handWrittenWords('docs/reference/metrics.md', 'one')).toBe(0)
})
