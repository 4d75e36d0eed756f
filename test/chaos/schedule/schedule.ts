import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '@relay/shared/random.js'
import { seededRandom } from '@relay/shared/seeded-random.js'
import { nowMs } from '../clock.js'
import { GROUPS, resumesOf, type Fault, type Group, type Scene } from '../faults/fault.js'
import type { Disturbance } from '../oracle/model.js'
import { between, pick } from '../random.js'

export interface Planned {
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

/** Draws which faults start when: a group first, so that large groups do not crowd out small ones. */
export function drawSchedule(
  random: Random,
  faults: readonly Fault[],
  durationMs: number,
): readonly Planned[] {
  const groups = GROUPS.filter((group) => faults.some((fault) => fault.group === group))
  const planned: Planned[] = []
  for (let atMs = FIRST_MS; atMs < durationMs; atMs += between(random, MIN_GAP_MS, MAX_GAP_MS)) {
    const group = pick(random, groups)
    const fault = pick(
      random,
      faults.filter((f) => f.group === group),
    )
    planned.push({ atMs, fault, seed: between(random, 1, 2 ** 31) })
  }
  return planned
}

/**
 * Plays a schedule for `durationMs`. Faults of one group follow one another; one that would start
 * after the end is left out. Returns once all that were started are taken back.
 */
export async function play(
  planned: readonly Planned[],
  scene: Omit<Scene, 'random'>,
  durationMs: number,
  onStart: (fault: Fault) => void,
): Promise<Disturbance[]> {
  const startedMs = nowMs()
  const disturbances: Disturbance[] = []
  const lastOf = new Map<Group, Promise<void>>()
  for (const { atMs, fault, seed } of planned) {
    const before = lastOf.get(fault.group) ?? Promise.resolve()
    const one = async () => {
      await Promise.all([before, sleep(atMs)])
      const fromMs = nowMs()
      if (fromMs - startedMs > durationMs) return
      onStart(fault)
      const places = await fault.run({ ...scene, random: seededRandom(seed) })
      const { name, loses, mayLinger } = fault
      const resumes = resumesOf(fault)
      disturbances.push({
        ...{ name, fromMs, toMs: nowMs(), loses, mayLinger, resumes },
        ...(places && { places }),
      })
    }
    lastOf.set(fault.group, one())
  }
  await Promise.all([...lastOf.values(), sleep(durationMs)])
  return disturbances
}
