import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { deniedPhrases } from './language.js'
import { ROOT } from '../../src/folders.js'

/** The list of phrases itself, and this test. */
const EXEMPT = /docs\/language\.(test\.)?ts$/
/** Records of earlier runs keep their words. */
const RECORDED = 'docs/reports/'

const files = execFileSync(
  'git',
  ['ls-files', '-co', '--exclude-standard', '*.md', '*.ts', '*.js', '*.mjs', '*.lua', '*.yml'],
  { cwd: ROOT, encoding: 'utf8' },
)
  .split('\n')
  .filter(
    (file) =>
      file !== '' &&
      !EXEMPT.test(file) &&
      !file.startsWith(RECORDED) &&
      existsSync(join(ROOT, file)),
  )

const found = files.flatMap((file) =>
  deniedPhrases(readFileSync(join(ROOT, file), 'utf8'), file.endsWith('.md')).map((finding) => ({
    file,
    ...finding,
  })),
)

test('documents, comments and texts contain no denied phrase', () => {
  const faults = found.map(
    ({ file, line, phrase, instead }) => `${file}:${line}: "${phrase}": ${instead}`,
  )
  expect(faults).toEqual([])
})

test('a denied phrase is found in a comment, a string and a page, and not in code', () => {
  const phrases = (text: string, isMarkdown = false) =>
    deniedPhrases(text, isMarkdown).map(({ line, phrase }) => [line, phrase])
  expect(phrases('const a = 1\n// joins anew')).toEqual([[2, 'anew']])
  expect(phrases("log('lease is under way')")).toEqual([[1, 'under way']])
  expect(phrases('const anew = mend(heed)')).toEqual([])
  expect(phrases('One.\n\n```\nanew\n```\n\nIt goes on.\n', true)).toEqual([[7, 'goes on']])
})
