import { accessSync, constants, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { ROOT } from '../../src/folders.js'

interface Step {
  readonly id?: string
  readonly uses?: string
  readonly run?: string
}
interface Job {
  readonly needs?: string | readonly string[]
  readonly steps: readonly Step[]
  readonly permissions?: Readonly<Record<string, string>>
  readonly 'timeout-minutes'?: number
}
interface Workflow {
  readonly permissions: Readonly<Record<string, string>>
  readonly jobs: Readonly<Record<string, Job>>
}

const FOLDER = join(ROOT, '.github/workflows')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }

/** Nothing here runs on GitHub: what can be told from the text alone. */
describe.each(readdirSync(FOLDER))('the workflow %s', (file) => {
  const text = read(`.github/workflows/${file}`)
  const { permissions, jobs } = parse(text) as Workflow
  const steps = Object.values(jobs).flatMap((job) => job.steps)

  it('pins every action by the hash of a commit, and says which version that is', () => {
    const uses = text.split('\n').filter((line) => /^\s*(- )?uses:/.test(line))
    expect(uses).toHaveLength(steps.filter((step) => step.uses !== undefined).length)
    expect(uses.filter((line) => !/@[0-9a-f]{40} # v?\d+\.\d+\.\d+$/.test(line))).toEqual([])
  })

  it('may only read, but for the job that pushes images', () => {
    expect(permissions).toEqual({ contents: 'read' })
    const more = Object.entries(jobs).filter(([, job]) => job.permissions !== undefined)
    expect(more.map(([name]) => name)).toEqual(file === 'images.yml' ? ['image'] : [])
  })

  it('has jobs that end, and that need jobs which exist', () => {
    for (const { needs = [], 'timeout-minutes': minutes } of Object.values(jobs)) {
      expect(minutes).toBeGreaterThan(0)
      for (const name of [needs].flat()) expect(Object.keys(jobs)).toContain(name)
    }
  })

  it('builds for another architecture only where that is emulated', () => {
    const isForeign = (step: Step) => JSON.stringify(step).includes('linux/arm64')
    for (const job of Object.values(jobs)) {
      const at = job.steps.findIndex(isForeign)
      const emulator = job.steps.findIndex(({ uses }) =>
        uses?.startsWith('docker/setup-qemu-action'),
      )
      expect(at < 0 || (emulator >= 0 && emulator < at)).toBe(true)
    }
  })

  it('runs scripts that exist, and reads steps that have run', () => {
    const commands = steps.flatMap(({ run }) => run?.split('\n') ?? [])
    const named = commands.flatMap((line) => /^npm (?:run )?(\S+)/.exec(line)?.[1] ?? [])
    for (const name of named.filter((name) => name !== 'ci')) {
      expect(Object.keys(scripts)).toContain(name)
    }
    for (const path of commands.filter((line) => line.startsWith('.'))) {
      accessSync(join(ROOT, path), constants.X_OK)
    }
    for (const job of Object.values(jobs)) {
      job.steps.forEach((step, i) => {
        const before = job.steps.slice(0, i).map(({ id }) => id)
        for (const [, id] of JSON.stringify(step).matchAll(/\bsteps\.(\w+)\./g)) {
          expect(before).toContain(id)
        }
      })
    }
  })
})
