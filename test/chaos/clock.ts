import { systemClock } from '@relay/shared/clock.js'
import type { Disturbance } from './oracle/model.js'

const originMs = systemClock.nowMs() - systemClock.monotonicMs()

/** ms since 1970 as of start plus monotonic time: comparable with the simulator's, never steps. */
export function nowMs(): number {
  return originMs + systemClock.monotonicMs()
}

const LOOK_EVERY_MS = 50
/** This process could not run for so long: relay's processes could not either, perhaps. */
const BUSY_MS = 500

/**
 * Notices when the machine itself stops: that is a fault no one injected, and it explains what a
 * frozen process explains. Returns the end of the watch.
 */
export function watchMachine(stalls: Disturbance[]): () => void {
  let fromMs = nowMs()
  const timer = setInterval(() => {
    const toMs = nowMs()
    if (toMs - fromMs >= BUSY_MS) {
      stalls.push({ name: 'machine', fromMs, toMs, loses: 'both', mayLinger: true })
    }
    fromMs = toMs
  }, LOOK_EVERY_MS)
  return () => clearInterval(timer)
}
