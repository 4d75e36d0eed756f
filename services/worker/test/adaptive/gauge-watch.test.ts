import { NO_COST, type Cost } from '@relay/shared/budget/cost.js'
import type { Outcome } from '../../src/classify/outcome.js'
import { GaugeWatch } from '../../src/adaptive/gauge-watch.js'
import { workspaceOf } from '../support/fakes.js'

const WINDOW_MS = 60_000
const STEP_MS = 500
const LIMIT = 20_000
const COST: Cost = { ...NO_COST, events: 100 }
const REFUSED: Outcome = { outcome: 'rate_limited', retryAfterMs: null, resetMs: 30_000 }

/** A watch, and windows in which relay sends evenly beside another sender of `foreign` units a step. */
function harness(foreign: number, resetMs: (honestMs: number) => number) {
  let nowMs = 0
  let reads = 0
  let granted = NO_COST
  const limits = { ...workspaceOf().limits, eventsPerWindow: LIMIT }
  const watch = new GaugeWatch({
    limits: () => limits,
    windowMs: WINDOW_MS,
    monotonicMs: () => nowMs,
    use: () => {
      reads += 1
      return Promise.resolve({ used: { ...NO_COST, events: 12_000 }, granted, open: NO_COST })
    },
    onAdvertised: () => undefined,
  })
  const play = async (windows: number) => {
    for (let window = 0; window < windows; window += 1) {
      for (let step = 1; step <= WINDOW_MS / STEP_MS; step += 1) {
        granted = { ...NO_COST, events: granted.events + COST.events }
        const remaining = Math.max(0, LIMIT - step * (COST.events + foreign))
        watch.observe(
          { limit: LIMIT, remaining, resetMs: resetMs(WINDOW_MS - step * STEP_MS) },
          COST,
        )
        await Promise.resolve()
        nowMs += STEP_MS
      }
    }
  }
  return { watch, play, reads: () => reads }
}

describe('the rate-limit gauge of a workspace', () => {
  test('takes the reset of a 429 while the headers are believed', async () => {
    const { watch, play } = harness(0, (ms) => ms)
    await play(3)
    expect(watch.credible(REFUSED)).toEqual(REFUSED)
  })

  test('drops the reset of a 429 once the reset moved away as time passed', async () => {
    const { watch, play } = harness(0, () => 59_000)
    await play(1)
    expect(watch.credible(REFUSED)).toEqual({ ...REFUSED, resetMs: null })
    expect(watch.credible({ outcome: 'delivered', requestId: null })).toMatchObject({ outcome: 'delivered' }) // prettier-ignore
  })

  test('takes a 429 in a trial of the full budget as expected, and no other', async () => {
    const { watch, play } = harness(60, (ms) => ms)
    await play(6)
    expect(watch.share).toBeLessThan(0.7)
    expect(watch.expectedRefusal()).toBe(false)
    await play(6)
    expect(watch.share).toBe(1)
    expect(watch.expectedRefusal()).toBe(true)
    expect(watch.share).toBeLessThan(0.7)
  })

  test('reads the ledger once a second, and more often once little is left', async () => {
    const { play, reads } = harness(0, (ms) => ms)
    await play(3)
    // The first window proves the unit.
    expect(reads()).toBeLessThanOrEqual(2 * 60 + 1)
    const crowded = harness(66, (ms) => ms)
    await crowded.play(3)
    expect(crowded.reads()).toBeGreaterThan(2 * 60 + 10)
  })
})
