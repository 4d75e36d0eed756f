import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from '@relay/tools/folders.js'
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

/** Mutants that are not here are found by the fault suite alone so far. */
const KILLS: readonly Kill[] = [
  { mutant: 'takeover', scenario: 'brief', seed: 1, seconds: 15, law: 'overlap' },
  { mutant: 'mark', scenario: 'brief', seed: 1, seconds: 5, law: 'active set' },
  { mutant: 'one-in-flight', scenario: 'stalled', seed: 2, seconds: 30, law: 'overlap' },
  { mutant: 'claim', scenario: 'rolling', seed: 1, seconds: 15, law: 'repeated' },
]

const run = promisify(execFile)

describe('a simulated seed finds what is broken on purpose', () => {
  test.each(KILLS)(
    '$mutant breaks the law of $law',
    async ({ mutant, scenario, seed, seconds, law }) => {
      // prettier-ignore
      const variant = MUTANTS.find(({ name }) => name === mutant)
      if (variant === undefined) throw new Error(`there is no mutant ${mutant}`)
      const root = await buildVariant({ ...variant, name: `sim-${mutant}` })
      const args = ['--scenario', scenario, '--seeds', String(seed), '--seconds', String(seconds)]
      const simulate = (...more: string[]) =>
        run(process.execPath, [join(ROOT, 'test/dist/sim/main.js'), ...args, ...more], {
          maxBuffer: 2 ** 24,
        }).catch((error: unknown) => error as { code: number; stdout: string })
      // relay itself keeps every law with this seed.
      expect(await simulate()).not.toHaveProperty('code')
      const found = await simulate('--root', root)
      expect(found).toMatchObject({ code: 1 })
      expect(found.stdout).toMatch(new RegExp(`LAW BROKEN at \\d+: ${law}:`))
    },
    300_000,
  )
})
