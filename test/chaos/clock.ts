import { systemClock } from '@relay/shared/clock.js'

const originMs = systemClock.nowMs() - systemClock.monotonicMs()

/** ms since 1970 as of start plus monotonic time: comparable with the simulator's, never steps. */
export function nowMs(): number {
  return originMs + systemClock.monotonicMs()
}
