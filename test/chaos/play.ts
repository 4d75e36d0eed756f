import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PRIVATE, ROOT } from '@relay/tools/folders.js'
import { FAULTS } from './faults/faults.js'
import type { Aim, Mutant } from './mutants/mutants.js'
import { AIMED } from './plots/aimed.js'
import { drawnPlot } from './plots/drawn.js'
import type { Aimed, Plot } from './plots/plot.js'
import { violationLines, record, brokenLaws } from './report.js'
import { runOnce, type RunOptions, type RunResult } from './run.js'
import { buildVariant } from '../support/variant.js'

type Say = (line: string) => void

interface PlayOptions extends Omit<RunOptions, 'dir'> {
  /** Of the folder with its logs and evidence. */
  readonly name: string
  /** Keeps the folder of a run that broke no law, too. */
  readonly keep?: boolean
}

/** One run: says which laws it broke. */
export async function play({ name, keep = false, ...run }: PlayOptions): Promise<RunResult> {
  const dir = join(PRIVATE, 'faults', name)
  const result = await runOnce({ ...run, dir })
  for (const line of violationLines(result)) run.say(line)
  if (result.violations.length === 0 && !keep) await rm(dir, { recursive: true, force: true })
  return result
}

/** Acts on all of them, on up to `atOnce` at a time, in order. */
export async function inTurns<T>(
  all: readonly T[],
  atOnce: number,
  act: (one: T) => Promise<void>,
): Promise<void> {
  const left = [...all]
  const next = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await act(one)
  }
  await Promise.all(Array.from({ length: atOnce }, next))
}

/** Of each process, the last lines that matter. */
const SHOWN = 40
const MATTERS = /"level":"(warn|error)"|^--- |^[^{]/

/** Says what the processes of a run wrote when something was wrong. */
export async function tellLogs(name: string, say: Say): Promise<void> {
  const dir = join(PRIVATE, 'faults', name)
  say(`  logs and evidence: ${dir}; again: --seed ${name}`)
  // Elsewhere the folder is gone once the job has ended.
  if (process.env.CI !== 'true') return
  for (const file of (await readdir(dir)).filter((one) => one.endsWith('.log')).sort()) {
    const lines = (await readFile(join(dir, file), 'utf8')).split('\n')
    const shown = lines.filter((line) => line !== '' && MATTERS.test(line)).slice(-SHOWN)
    say(`  -- ${file}`)
    for (const line of shown) say(`     ${line.slice(0, 400)}`)
  }
}

interface ScenarioOptions {
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
const SCENARIOS_HEAD = '| scenario | what happens | held |\n| --- | --- | --- |'

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
      name: `${name}-${one.seed}`,
      say: tell,
    })
    const broken = brokenLaws(result)
    say(`${name}, seed ${one.seed}: ${broken === '' ? 'held' : `BROKEN: ${broken}`}`)
    played.get(name)?.push(broken)
  })
  const rows = scenarios.map(({ name, about }) => {
    const all = played.get(name) ?? []
    const broken = all.filter((laws) => laws !== '')
    const laws = [...new Set(broken)].map((each) => ` **${each}**`).join(',')
    const held = `${all.length - broken.length} of ${all.length}`
    return `| ${name} | ${about} | ${held}${laws} |`
  })
  say(`\n${[SCENARIOS_HEAD, ...rows].join('\n')}\n`)
  const failed = [...played.values()].flat().filter((laws) => laws !== '').length
  say(failed === 0 ? 'Every law held.' : `${failed} of ${plays.length} broke a law.`)
  if (options.record) await record('scenarios at default settings', SCENARIOS_HEAD, rows)
  return failed === 0 ? 0 : 1
}

/** Of a plot, which draws nothing, and its load. */
const PLOT_SEED = 700
const PLOT_RATE = 400

const PROOFS_HEAD =
  '| mutant | what is broken | run | broken law | unmutated |\n| --- | --- | --- | --- | --- |'

/** Each mutant has to break a law in its run, and relay as it is has to hold in the same. */
export async function prove(mutants: readonly Mutant[], say: Say): Promise<number> {
  const rows: string[] = []
  let wrong = 0
  for (const mutant of mutants) {
    say(`mutant ${mutant.name}`)
    const broken = brokenLaws(await runAim(mutant, await buildVariant(mutant), say))
    say(`control of ${mutant.name}`)
    const control = brokenLaws(await runAim(mutant, ROOT, say))
    if (broken === '' || control !== '') wrong += 1
    const found = [broken === '' ? '**none**' : broken, control === '' ? 'held' : `**${control}**`]
    rows.push(`| ${[mutant.name, mutant.breaks, aimText(mutant.aim), ...found].join(' | ')} |`)
    say(rows.at(-1) ?? '')
  }
  say(`\n${[PROOFS_HEAD, ...rows].join('\n')}\n`)
  say(
    wrong === 0
      ? 'Every mutant was caught, and every control held.'
      : `${wrong} of ${mutants.length} proofs failed.`,
  )
  return wrong === 0 ? 0 : 1
}

function runAim({ aim }: Mutant, root: string, say: Say): Promise<RunResult> {
  const { seed, rate } = 'seed' in aim ? aim : { seed: PLOT_SEED, rate: PLOT_RATE }
  const name = root === ROOT ? 'control' : 'mutant'
  return play({ seed, rate, plot: plotOf(aim), name, root, say })
}

function plotOf(aim: Aim): Plot {
  if ('seed' in aim) {
    const faults = FAULTS.filter(
      ({ name, onlyDefault }) =>
        !onlyDefault && aim.faults.some((wanted) => name.startsWith(wanted)),
    )
    return drawnPlot(faults, aim.seconds * 1000, 'quick')
  }
  const plot = AIMED.find(({ name }) => name === aim.plot)
  if (plot === undefined) throw new Error(`no plot is called ${aim.plot}`)
  return plot
}

function aimText(aim: Aim): string {
  if (!('seed' in aim)) return `plot ${aim.plot}`
  const { seed, seconds, rate, faults } = aim
  return `seed ${seed}, ${seconds} s, ${rate} el/s, ${faults.join(', ')}`
}
