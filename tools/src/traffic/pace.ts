/** Every so often a campaign goes out and the shop is busy for a while. */
const CYCLE_MS = 20_000
const BURST_MS = 3_000
const BURST_FACTOR = 3
/** So that the mean over a cycle is 1. */
const CALM_FACTOR = (CYCLE_MS - BURST_MS * BURST_FACTOR) / (CYCLE_MS - BURST_MS)

/** Elements that are due `elapsedMs` after the start, at `rate` elements a second on average. */
export function elementsDue(elapsedMs: number, rate: number): number {
  const cycles = Math.floor(elapsedMs / CYCLE_MS)
  const intoMs = elapsedMs - cycles * CYCLE_MS
  const calmMs = Math.min(intoMs, CYCLE_MS - BURST_MS)
  const burstMs = intoMs - calmMs
  const weightedMs = cycles * CYCLE_MS + calmMs * CALM_FACTOR + burstMs * BURST_FACTOR
  return Math.floor((weightedMs * rate) / 1000)
}
