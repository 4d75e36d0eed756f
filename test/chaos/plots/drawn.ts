import type { Fault } from '../faults/fault.js'
import { drawSchedule, play } from '../schedule/schedule.js'
import { USUAL } from '../stack/settings.js'
import { DRAIN_WITHIN_MS, type Plot } from './plot.js'

/** Faults drawn by chance, under the usual load. */
export function drawnPlot(faults: readonly Fault[], durationMs: number): Plot {
  return {
    conditions: USUAL,
    load: true,
    drainWithinMs: DRAIN_WITHIN_MS,
    play: ({ stack, random, poison, say }) =>
      play(drawSchedule(random, faults, durationMs), { stack, poison }, durationMs, ({ name }) => {
        say(`  ${name}`)
      }),
  }
}
