import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../src/folders.js'

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const tracked = (...patterns: string[]) =>
  execFileSync('git', ['ls-files', ...patterns], { cwd: ROOT, encoding: 'utf8' })
    .trim()
    .split('\n')
const newest = /^## (\S+) - /m.exec(read('CHANGELOG.md'))?.[1]

test.each(tracked('*package.json', 'package-lock.json'))(
  '%s names the newest version of the changelog, also of the packages it needs',
  (path) => {
    const own = [...read(path).matchAll(/^ {2}"version": "(.*)"|"@relay\/\w+": "(\d.*)"/gm)]
    expect(own.length).toBeGreaterThan(0)
    expect(new Set(own.map(([, version, needed]) => version ?? needed))).toEqual(new Set([newest]))
  },
)

test.each(tracked('k8s/overlays/*/kustomization.yaml'))('%s runs its images', (path) => {
  const tags = [...read(path).matchAll(/newTag: (.*)/g)].map(([, tag]) => tag)
  expect(tags.length).toBeGreaterThan(0)
  expect(new Set(tags)).toEqual(new Set([newest]))
})
