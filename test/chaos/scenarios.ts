import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PRIVATE } from '@relay/tools/folders.js'
import { inTurns } from './in-turns.js'
import type { Aimed } from './plots/plot.js'
import { record } from './record.js'
import { brokenLaws, violationLines } from './report.js'
import { runOnce } from './run.js'

export interface ScenarioOptions {
  readonly root: string
  /** Of the first run; each next run of a scenario has the next seed. */
  readonly seed: number
  readonly runs: number
  readonly rate: number
  readonly keep: boolean
  readonly record: boolean
  readonly say: (line: string) => void
}

/** They wait most of the time: so many at once leave two cores idle. */
const AT_ONCE = 4
const HEAD = '| scenario | what happens | held |\n| --- | --- | --- |'

interface Played {
  readonly scenario: Aimed
  /** '' for none. */
  readonly broken: string
}

/** Plays each scenario `runs` times, several at once, and prints a table. Returns an exit status. */
export async function playScenarios(
  scenarios: readonly Aimed[],
  options: ScenarioOptions,
): Promise<number> {
  const { runs, seed, say } = options
  const plays = scenarios.flatMap((scenario) =>
    Array.from({ length: runs }, (_, i) => ({ scenario, seed: seed + i })),
  )
  const played: Played[] = []
  await inTurns(plays, AT_ONCE, async (play) => {
    const { scenario } = play
    const broken = await playOne(scenario, play.seed, options)
    say(
      `${scenario.name}, seed ${String(play.seed)}: ${broken === '' ? 'held' : `BROKEN: ${broken}`}`,
    )
    played.push({ scenario, broken })
  })
  const rows = scenarios.map((scenario) => rowOf(scenario, played))
  say(`\n${[HEAD, ...rows].join('\n')}\n`)
  const failed = played.filter(({ broken }) => broken !== '').length
  say(
    failed === 0 ? 'Every law held.' : `${String(failed)} of ${String(plays.length)} broke a law.`,
  )
  if (options.record) await record('scenarios at default settings', HEAD, rows)
  return failed === 0 ? 0 : 1
}

function rowOf({ name, about }: Aimed, played: readonly Played[]): string {
  const own = played.filter(({ scenario }) => scenario.name === name)
  const broken = own.flatMap(({ broken: laws }) => (laws === '' ? [] : [laws]))
  const held = `${String(own.length - broken.length)} of ${String(own.length)}`
  const laws = [...new Set(broken)].map((one) => ` **${one}**`).join(',')
  return `| ${name} | ${about} | ${held}${laws} |`
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
