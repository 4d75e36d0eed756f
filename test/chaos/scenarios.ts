import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PRIVATE } from '@relay/tools/folders.js'
import type { Aimed } from './plots/plot.js'
import { brokenLaws, violationLines } from './report.js'
import { runOnce } from './run.js'

export interface ScenarioOptions {
  readonly root: string
  /** Of the first run; each next run of a scenario has the next seed. */
  readonly seed: number
  readonly runs: number
  readonly rate: number
  readonly keep: boolean
  readonly say: (line: string) => void
}

/** They wait most of the time: so many at once leave two cores idle. */
const AT_ONCE = 4
const HEAD = '| scenario | what happens | broken law |\n| --- | --- | --- |'

/** Plays each scenario `runs` times, several at once, and prints a table. Returns an exit status. */
export async function playScenarios(
  scenarios: readonly Aimed[],
  options: ScenarioOptions,
): Promise<number> {
  const { runs, seed, say } = options
  const left = scenarios.flatMap((scenario) =>
    Array.from({ length: runs }, (_, i) => ({ scenario, seed: seed + i })),
  )
  const rows: { row: string; broken: boolean }[] = []
  const playNext = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const { name, about } = next.scenario
      const broken = await playOne(next.scenario, next.seed, options)
      const row = `| ${name} | ${about} | ${broken === '' ? 'held' : `**${broken}**`} |`
      say(row)
      rows.push({ row, broken: broken !== '' })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, playNext))
  say(`\n${[HEAD, ...rows.map(({ row }) => row).sort()].join('\n')}\n`)
  const failed = rows.filter(({ broken }) => broken).length
  say(failed === 0 ? 'Every law held.' : `${String(failed)} of ${String(rows.length)} broke a law.`)
  return failed === 0 ? 0 : 1
}

async function playOne(
  plot: Aimed,
  seed: number,
  { root, rate, keep, say }: ScenarioOptions,
): Promise<string> {
  const { name } = plot
  const dir = join(PRIVATE, 'faults', `${name}-${String(seed)}`)
  const tell = (line: string) => {
    say(`${name}: ${line.trim()}`)
  }
  const result = await runOnce({ seed, rate, plot, dir, root, say: tell })
  for (const line of violationLines(result)) tell(line)
  if (result.violations.length === 0 && !keep) await rm(dir, { recursive: true, force: true })
  return brokenLaws(result)
}
