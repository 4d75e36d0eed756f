import { inTurns, play, type Say } from './play.js'
import type { Aimed } from './plots/plot.js'
import { record, brokenLaws } from './report.js'

export interface ScenarioOptions {
  readonly root: string
  /** Of the first run; each next run of a scenario has the next seed. */
  readonly seed: number
  readonly runs: number
  readonly rate: number
  readonly keep: boolean
  readonly record: boolean
  readonly say: Say
}

/** They wait most of the time: so many at once leave two cores idle. */
const AT_ONCE = 4
const HEAD = '| scenario | what happens | held |\n| --- | --- | --- |'

/** Plays each scenario `runs` times, several at once, and prints a table. Returns an exit status. */
export async function playScenarios(
  scenarios: readonly Aimed[],
  { runs, seed, say, ...options }: ScenarioOptions,
): Promise<number> {
  const plays = scenarios.flatMap((plot) =>
    Array.from({ length: runs }, (_, i) => ({ plot, seed: seed + i })),
  )
  /** The laws that each run of a scenario broke, by its name. */
  const played = new Map<string, string[]>(scenarios.map(({ name }) => [name, []]))
  await inTurns(plays, AT_ONCE, async (one) => {
    const { name } = one.plot
    const tell = (line: string) => {
      say(`${name}: ${line.trim()}`)
    }
    const result = await play({
      ...options,
      ...one,
      name: `${name}-${String(one.seed)}`,
      say: tell,
    })
    const broken = brokenLaws(result)
    say(`${name}, seed ${String(one.seed)}: ${broken === '' ? 'held' : `BROKEN: ${broken}`}`)
    played.get(name)?.push(broken)
  })
  const rows = scenarios.map(({ name, about }) => {
    const all = played.get(name) ?? []
    const broken = all.filter((laws) => laws !== '')
    const laws = [...new Set(broken)].map((each) => ` **${each}**`).join(',')
    const held = `${String(all.length - broken.length)} of ${String(all.length)}`
    return `| ${name} | ${about} | ${held}${laws} |`
  })
  say(`\n${[HEAD, ...rows].join('\n')}\n`)
  const failed = [...played.values()].flat().filter((laws) => laws !== '').length
  say(
    failed === 0 ? 'Every law held.' : `${String(failed)} of ${String(plays.length)} broke a law.`,
  )
  if (options.record) await record('scenarios at default settings', HEAD, rows)
  return failed === 0 ? 0 : 1
}
