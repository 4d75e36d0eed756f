import type { Fault } from '../faults/fault.js'
import { drawSchedule, play } from '../schedule/schedule.js'
import { DEFAULTS, USUAL } from '../stack/settings.js'
import { DRAIN_WITHIN_MS, type Plot } from './plot.js'

/** Faults drawn by chance, under the usual load. */
export function drawnPlot(
  faults: readonly Fault[],
  durationMs: number,
  profile: 'quick' | 'default',
): Plot {
  return {
    conditions: profile === 'quick' ? USUAL : DEFAULTS,
    load: true,
    drainWithinMs: profile === 'quick' ? DRAIN_WITHIN_MS : 3 * DRAIN_WITHIN_MS,
    play: ({ random, say, ...scene }) =>
      play(drawSchedule(random, faults, durationMs), scene, durationMs, ({ name }) => {
        say(`  ${name}`)
      }),
  }
}
