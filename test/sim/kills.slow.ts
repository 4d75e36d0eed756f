import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from '@relay/tools/folders.js'
import { fetchNode } from '@relay/tools/node/fetch-node.js'
import { MUTANTS } from '../chaos/mutants/mutants.js'
import { buildVariant } from '../support/variant.js'
import type { Law } from './oracle.js'
import type { ScenarioName } from './scenarios.js'

/** The seed that finds a mutant of `test/chaos/mutants`, and the law that it breaks. */
interface Kill {
  readonly mutant: string
  readonly scenario: ScenarioName
  readonly seed: number
  readonly seconds: number
  readonly law: Law
}

const KILLS: readonly Kill[] = [
  { mutant: 'takeover', scenario: 'brief', seed: 1, seconds: 15, law: 'overlap' },
  { mutant: 'mark', scenario: 'brief', seed: 1, seconds: 5, law: 'active set' },
  { mutant: 'one-in-flight', scenario: 'stalled', seed: 2, seconds: 30, law: 'overlap' },
  { mutant: 'claim', scenario: 'rolling', seed: 1, seconds: 15, law: 'repeated' },
  { mutant: 'late-arrivals', scenario: 'brief', seed: 4, seconds: 15, law: 'overlap' },
  { mutant: 'three-together', scenario: 'brief', seed: 4, seconds: 15, law: 'overlap' },
  { mutant: 'add-deadline', scenario: 'brief', seed: 6, seconds: 20, law: 'order' },
  { mutant: 'generations', scenario: 'partitions', seed: 1, seconds: 10, law: 'backlog' },
  { mutant: 'idempotency', scenario: 'repeated', seed: 57, seconds: 20, law: 'repeated' },
  { mutant: 'rejoin', scenario: 'forget', seed: 1, seconds: 30, law: 'stall' },
  { mutant: 'partly-sent', scenario: 'rolling', seed: 7, seconds: 25, law: 'repeated' },
  { mutant: 'blame', scenario: 'blamed', seed: 1, seconds: 20, law: 'dead letter' },
  { mutant: 'settle-fence', scenario: 'erased', seed: 10, seconds: 25, law: 'fence' },
  { mutant: 'forget-early', scenario: 'erased', seed: 30, seconds: 20, law: 'forgotten customer' },
  { mutant: 'lease-deadline', scenario: 'outlived', seed: 2, seconds: 30, law: 'overlap' },
  { mutant: 'landing', scenario: 'alone', seed: 21, seconds: 60, law: 'drain' },
  { mutant: 'refund', scenario: 'saturated', seed: 8, seconds: 150, law: 'budget' },
  { mutant: 'recovery', scenario: 'saturated', seed: 8, seconds: 150, law: 'budget' },
  { mutant: 'distrust', scenario: 'saturated', seed: 8, seconds: 150, law: 'budget' },
  { mutant: 'open-time', scenario: 'saturated', seed: 8, seconds: 150, law: 'budget' },
]

const run = promisify(execFile)

/** What relay itself says with the same arguments. */
const controls = new Map<string, Promise<Ended>>()

interface Ended {
  /** Absent: 0. */
  readonly code?: number
  readonly stdout: string
}

async function simulate(...args: readonly string[]): Promise<Ended> {
  const found = await fetchNode(24)
  const node = 'bin' in found ? join(found.bin, 'node') : process.execPath
  return run(node, [join(ROOT, 'test/dist/sim/main.js'), ...args], { maxBuffer: 2 ** 24 }).catch(
    (error: unknown) => error as Ended,
  )
}

describe('a simulated seed finds what is broken on purpose', () => {
  test.each(KILLS)(
    '$mutant breaks the law of $law',
    async ({ mutant, scenario, seed, seconds, law }) => {
      const variant = MUTANTS.find(({ name }) => name === mutant)
      if (variant === undefined) throw new Error(`there is no mutant ${mutant}`)
      const root = await buildVariant({ ...variant, name: `sim-${mutant}` })
      const args = ['--scenario', scenario, '--seeds', `${seed}`, '--seconds', `${seconds}`]
      const control = controls.get(args.join()) ?? simulate(...args)
      controls.set(args.join(), control)
      expect(await control).not.toHaveProperty('code')
      const found = await simulate(...args, '--root', root)
      expect(found).toMatchObject({ code: 1 })
      expect(found.stdout).toMatch(new RegExp(`LAW BROKEN at \\d+: ${law}:`))
    },
    300_000,
  )

  test('every mutant has a seed, but for those that the fault suite alone finds', () => {
    const killed = new Set(KILLS.map(({ mutant }) => mutant))
    const others = MUTANTS.map(({ name }) => name).filter((name) => !killed.has(name))
    expect(others).toEqual(['settle-order', 'one-chunk', 'midnight'])
  })
})
