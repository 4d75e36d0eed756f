import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from '../../src/folders.js'

const pages = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((page) => page !== '' && existsSync(join(ROOT, page)))

const withoutCode = (text: string) => text.replaceAll(/^```[^]*?^```/gm, '')

/** The anchors of a page: explicit ones, and those that GitHub derives from headings. */
function anchorsOf(file: string): string[] {
  const page = withoutCode(readFileSync(file, 'utf8'))
  const explicit = [...page.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id)
  const headings = [...page.matchAll(/^#+ +(.+)$/gm)]
  const derived = headings.map(([, text = '']) =>
    text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
  return [...explicit, ...derived]
}

test.each(pages)('every relative link of %s leads to a file and a heading', (page) => {
  const text = withoutCode(readFileSync(join(ROOT, page), 'utf8'))
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
  const broken = links
    .filter((link) => !/^(\w+:|\/)/.test(link))
    .filter((link) => {
      const [path = '', anchor] = link.split('#')
      const file = path === '' ? join(ROOT, page) : join(ROOT, dirname(page), path)
      if (!existsSync(file)) return true
      return anchor !== undefined && file.endsWith('.md') && !anchorsOf(file).includes(anchor)
    })
  expect(broken).toEqual([])
})

test('every source file that the contributor’s guide names exists', () => {
  const files = execFileSync('git', ['ls-files', '*.ts'], { cwd: ROOT, encoding: 'utf8' })
  const guide = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8')
  const named = [...guide.matchAll(/`([\w./-]+\/[\w.-]+\.ts)`/g)].map(([, path]) => path!)
  expect(named.length).toBeGreaterThan(5)
  expect(named.filter((path) => !files.includes(`${path}\n`))).toEqual([])
})
