import { ROOT } from '@relay/tools/folders.js'
import { buildVariant } from '../support/variant.js'
import { FAULTS } from './faults/faults.js'
import type { Aim, Mutant } from './mutants/mutants.js'
import { AIMED } from './plots/aimed.js'
import { drawnPlot } from './plots/drawn.js'
import type { Plot } from './plots/plot.js'
import { play, type Say } from './play.js'
import { brokenLaws } from './report.js'
import type { RunResult } from './run.js'

/** Of a plot, which draws nothing, and its load. */
const PLOT_SEED = 700
const PLOT_RATE = 400

const HEAD =
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
  say(`\n${[HEAD, ...rows].join('\n')}\n`)
  say(
    wrong === 0
      ? 'Every mutant was caught, and every control held.'
      : `${String(wrong)} of ${String(mutants.length)} proofs failed.`,
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
  return `seed ${String(seed)}, ${String(seconds)} s, ${String(rate)} el/s, ${faults.join(', ')}`
}
