import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../../src/folders.js'

const FOLDER = join(ROOT, 'k8s/base/generated')

test('the committed rules and dashboards of Kubernetes are up to date: else run npm run ops:manifests', () => {
  const program = `
    import { manifestFiles } from './tools/src/ops/manifests.ts'
    process.stdout.write(JSON.stringify([...manifestFiles()]))`
  const options = ['--conditions=@relay/source', '--import', 'tsx', '--input-type=module', '-e']
  const { stdout, stderr } = spawnSync(process.execPath, [...options, program], { cwd: ROOT })
  expect(stderr.toString()).toBe('')
  const made = JSON.parse(stdout.toString()) as [string, string][]
  expect(made.length).toBe(6)
  for (const [name, text] of made) expect(readFileSync(join(FOLDER, name), 'utf8')).toBe(text)
})
