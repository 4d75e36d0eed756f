import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '@relay/shared/random.js'
import { seededRandom, between, pick } from '@relay/shared/seeded-random.js'
import { nowMs } from '../clock.js'
import { GROUPS, resumesOf, type Fault, type Group } from '../faults/fault.js'
import { DEFAULTS, USUAL } from '../stack/settings.js'
import { DRAIN_WITHIN_MS, type Plot, type Stage } from './plot.js'

interface Planned {
  readonly atMs: number
  readonly fault: Fault
  /** Of the fault's own choices. */
  readonly seed: number
}

/** Pause between the starts of two faults, ms. */
const MIN_GAP_MS = 400
const MAX_GAP_MS = 2_500
/** Traffic runs undisturbed first, so that a run has something to compare with. */
const FIRST_MS = 1_500

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
    play: (stage) => play(drawSchedule(stage.random, faults, durationMs), stage, durationMs),
  }
}

/** Draws which faults start when: a group first, so that large groups do not crowd out small ones. */
function drawSchedule(random: Random, faults: readonly Fault[], durationMs: number): Planned[] {
  const groups = GROUPS.filter((group) => faults.some((fault) => fault.group === group))
  const planned: Planned[] = []
  for (let atMs = FIRST_MS; atMs < durationMs; atMs += between(random, MIN_GAP_MS, MAX_GAP_MS)) {
    const group = pick(random, groups)
    const own = faults.filter((fault) => fault.group === group)
    planned.push({ atMs, fault: pick(random, own), seed: between(random, 1, 2 ** 31) })
  }
  return planned
}

/**
 * Plays a schedule for `durationMs`. Faults of one group follow one another; one that would start
 * after the end is left out. Returns once all that were started are taken back.
 */
async function play(planned: readonly Planned[], stage: Stage, durationMs: number): Promise<void> {
  const startedMs = nowMs()
  const lastOf = new Map<Group, Promise<void>>()
  for (const { atMs, fault, seed } of planned) {
    const before = lastOf.get(fault.group) ?? Promise.resolve()
    const one = async () => {
      await Promise.all([before, sleep(atMs)])
      const fromMs = nowMs()
      if (fromMs - startedMs > durationMs) return
      const { name, loses, mayLinger } = fault
      stage.say(`  ${name}`)
      const places = await fault.run({ ...stage, random: seededRandom(seed) })
      stage.disturbances.push({
        ...{ name, fromMs, toMs: nowMs(), loses, mayLinger, resumes: resumesOf(fault) },
        ...(places && { places }),
      })
    }
    lastOf.set(fault.group, one())
  }
  await Promise.all([...lastOf.values(), sleep(durationMs)])
}
