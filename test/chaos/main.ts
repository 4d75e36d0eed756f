import { fork } from 'node:child_process'
import { ROOT } from '@relay/tools/folders.js'
import { buildVariant } from '../support/variant.js'
import { systemClock } from '@relay/shared/clock.js'
import { FAULTS } from './faults/faults.js'
import type { Fault } from './faults/fault.js'
import { parseOptions, USAGE, type Options } from './options.js'
import { MUTANTS } from './mutants/mutants.js'
import { inTurns, play, tellLogs, prove, playScenarios } from './play.js'
import { AIMED, SCENARIOS } from './plots/aimed.js'
import { drawnPlot } from './plots/drawn.js'
import type { Plot } from './plots/plot.js'
import { record, TABLE_HEAD, tableRow } from './report.js'

const EXIT_USAGE = 64
const say = (line: string) => {
  process.stdout.write(`${line}\n`)
}

async function main(): Promise<number> {
  const freshSeed = 1 + (systemClock.nowMs() % 1_000_000)
  const options = parseOptions(process.argv.slice(2), Math.floor(freshSeed))
  if (options instanceof Error) {
    say(`${options.message}\n${USAGE}`)
    return options.message === '' ? 0 : EXIT_USAGE
  }
  if (options === 'list') {
    say(FAULTS.map(({ name }) => name).join('\n'))
    say(AIMED.map(({ name, about }) => `--plot ${name}: ${about}`).join('\n'))
    say(MUTANTS.map(({ name, breaks }) => `--mutant ${name}: ${breaks}`).join('\n'))
    return 0
  }
  const mutants = MUTANTS.filter(({ name }) => name === (options.mutant ?? name))
  const named = plotsOf(options)
  if (mutants.length === 0 || named === null) {
    say('nothing has such a name; --list prints them')
    return EXIT_USAGE
  }
  if (options.prove) return prove(mutants, say)
  const [mutant] = options.mutant === null ? [] : mutants
  const root = mutant === undefined ? ROOT : await buildVariant(mutant)
  if (options.scenarios) return playScenarios(named, { ...options, root, say })
  let status = 0
  for (const plot of named) status = Math.max(status, await runAll(options, plot, root))
  return status
}

/** What to play; null when nothing has a name that was given. */
function plotsOf({ faults: wanted, plots, durationMs, scenarios, profile }: Options) {
  if (plots !== null) {
    const named = AIMED.filter(({ name }) => plots.includes(name))
    return named.length === plots.length ? named : null
  }
  if (scenarios) return SCENARIOS
  const usual = ({ onlyDefault }: Fault) => profile === 'default' || !onlyDefault
  const faults = FAULTS.filter(
    (fault) => wanted?.some((w) => fault.name.startsWith(w)) ?? usual(fault),
  )
  return faults.length === 0
    ? null
    : [{ name: profile, about: '', ...drawnPlot(faults, durationMs, profile) }]
}

/** What the run of one seed comes to. */
interface SeedResult {
  readonly row: string
  readonly failed: boolean
}

async function runAll(options: Options, plot: Plot, root: string): Promise<number> {
  const seeds = Array.from({ length: options.runs }, (_, i) => options.seed + i)
  const run = (seed: number) =>
    options.jobs === 1 ? runSeed(seed, options, plot, root) : runElsewhere(seed)
  const results: SeedResult[] = []
  await inTurns(seeds, options.jobs, async (seed) => {
    results.push(await run(seed))
  })
  const rows = results.map(({ row }) => row).sort()
  const failed = results.filter((result) => result.failed).length
  say(`\n${[TABLE_HEAD, ...rows].join('\n')}\n`)
  say(failed === 0 ? 'Every law held.' : `${failed} of ${options.runs} runs broke a law.`)
  process.send?.(results)
  if (options.record) await record(kindOf(options), TABLE_HEAD, rows)
  return failed === 0 ? 0 : 1
}

async function runSeed(
  seed: number,
  { rate, keep }: Options,
  plot: Plot,
  root: string,
): Promise<SeedResult> {
  say(`seed ${seed}`)
  const result = await play({ seed, rate, plot, name: String(seed), root, say, keep })
  const row = tableRow(result)
  say(row)
  const failed = result.violations.length > 0
  if (failed) await tellLogs(String(seed), say)
  return { row, failed }
}

/** The same in its own process, by this command line but for the seed. */
function runElsewhere(seed: number): Promise<SeedResult> {
  const [, file = '', ...args] = process.argv
  const own = ['--runs', '1', '--jobs', '1', '--seed', String(seed)]
  const child = fork(file, [...args.filter((arg) => arg !== '--record'), ...own])
  return new Promise((resolve, reject) => {
    child.once('message', ([result]: [SeedResult]) => resolve(result))
    child.once('exit', (code) => {
      reject(new Error(`the run of seed ${seed} ended with ${code}`))
    })
  })
}

function kindOf({ durationMs, rate, profile, faults, mutant }: Options): string {
  const special = [...(faults ?? []), ...(mutant === null ? [] : [`mutant ${mutant}`])]
  const only = special.length === 0 ? '' : `, ${special.join(', ')}`
  return `runs of ${durationMs / 1000} s, ${rate} elements/s, ${profile} profile${only}`
}

process.exit(await main())
