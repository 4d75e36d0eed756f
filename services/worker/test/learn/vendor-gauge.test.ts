import fc from 'fast-check'
import {
  gaugeShare,
  MIN_SHARE,
  needsUse,
  NO_GAUGE,
  onReading,
  onUse,
  type VendorGauge,
} from '../../src/learn/vendor-gauge.js'

const WINDOW_MS = 60_000
const STEP_MS = 500
const LIMIT = 20_000
const LIMITS = { users: 5_000, events: LIMIT, devices: 0 }

interface Header {
  readonly limit: number
  readonly remaining: number
  readonly resetMs: number
}

interface Played {
  readonly gauge: VendorGauge
  /** Units that MoEngage accepted of relay, and 429s, by window. */
  readonly accepted: readonly number[]
  readonly refusals: readonly number[]
}

/** MoEngage with a fixed window, relay with its share, another sender, and headers that may lie. */
function play(
  windows: number,
  foreignShare: number,
  header: (honest: Header, step: number) => Header | null,
): Played {
  let gauge = NO_GAUGE
  const accepted: number[] = []
  const refusals: number[] = []
  const sent: { atMs: number; units: number }[] = []
  const steps = WINDOW_MS / STEP_MS
  for (let step = 0; step < windows * steps; step += 1) {
    const nowMs = 1e9 + step * STEP_MS
    const inWindow = step % steps
    const at = Math.floor(step / steps)
    if (inWindow === 0) {
      accepted.push(0)
      refusals.push(0)
    }
    const foreign = Math.floor((foreignShare * LIMIT * (inWindow + 1)) / steps)
    // Paced evenly over the sliding window of relay's own ledger.
    while ((sent[0]?.atMs ?? Infinity) <= nowMs - WINDOW_MS) sent.shift()
    const used = sent.reduce((sum, { units }) => sum + units, 0)
    const share = gaugeShare(gauge, nowMs, WINDOW_MS)
    const units = Math.min(Math.ceil(LIMIT / steps) * 2, Math.floor(LIMIT * share) - used)
    if (units <= 0) continue
    const own = accepted[at] ?? 0
    if (foreign + own + units > LIMIT) {
      refusals[at] = (refusals[at] ?? 0) + 1
      continue
    }
    accepted[at] = own + units
    sent.push({ atMs: nowMs, units })
    const honest = { limit: LIMIT, remaining: LIMIT - foreign - own - units, resetMs: WINDOW_MS - inWindow * STEP_MS } // prettier-ignore
    const said = header(honest, step)
    if (said === null) continue
    const cost = { users: 0, events: units, devices: 0 }
    gauge = onReading(gauge, { nowMs, windowMs: WINDOW_MS, cost, ...said })
    if (needsUse(gauge)) {
      const use = { users: 0, events: used + units, devices: 0 }
      gauge = onUse(gauge, { nowMs, windowMs: WINDOW_MS, used: use, limits: LIMITS })
    }
  }
  return { gauge, accepted, refusals }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
const honest = (header: Header): Header => header

describe('rate-limit headers that tell the truth', () => {
  test.each([0.2, 0.4])(
    'show another sender of %d of the limit before it causes refusals',
    (foreign) => {
      const informed = play(9, foreign, honest)
      const blind = play(9, foreign, () => null)
      expect(sum(blind.refusals.slice(2))).toBeGreaterThan(0)
      expect(sum(informed.refusals.slice(2))).toBe(0)
      const left = LIMIT * (1 - foreign) * 7
      expect(sum(informed.accepted.slice(2)) / left).toBeGreaterThan(0.9)
    },
  )

  test('limit nothing where no one else sends', () => {
    expect(sum(play(12, 0, honest).accepted)).toBe(sum(play(12, 0, () => null).accepted))
  })
})

describe('rate-limit headers that lie', () => {
  const WINDOWS = 70
  const baseline = sum(play(WINDOWS, 0, () => null).accepted)

  const lies: Record<string, (header: Header, step: number) => Header> = {
    'nothing is ever left': (h) => ({ ...h, remaining: 0 }),
    'always the same is left': (h) => ({ ...h, remaining: 9_000 }),
    'the reset never comes': (h) => ({ ...h, resetMs: 59_000 }),
    'the limit is a tenth': (h) => ({ ...h, limit: 2_000, remaining: Math.min(2_000, h.remaining) }), // prettier-ignore
    'it falls as relay sends, but half as much again is gone': (h) => ({
      ...h,
      remaining: Math.max(0, h.remaining - Math.ceil(((WINDOW_MS - h.resetMs) / WINDOW_MS) * 10_000)), // prettier-ignore
    }),
  }
  test.each(Object.keys(lies))('cost next to nothing: %s', (name) => {
    const lie = lies[name]
    if (lie === undefined) throw new Error(name)
    expect(sum(play(WINDOWS, 0, lie).accepted) / baseline).toBeGreaterThan(0.92)
  })

  test('never leave relay less than the minimum share, for any values', () => {
    const value = fc.oneof(fc.integer({ min: 0, max: 25_000 }), fc.constant(0))
    const header = fc.record({ limit: value, remaining: value, resetMs: fc.integer({ min: 0, max: 60_000 }) }) // prettier-ignore
    const answers = fc.array(fc.record({ said: header, events: fc.integer({ min: 0, max: 2_000 }), used: fc.integer({ min: 0, max: LIMIT }), stepMs: fc.integer({ min: 0, max: 30_000 }) })) // prettier-ignore
    fc.assert(
      fc.property(answers, (all) => {
        let gauge = NO_GAUGE
        let nowMs = 1e9
        for (const { said, events, used, stepMs } of all) {
          nowMs += stepMs
          const cost = { users: 0, events, devices: 0 }
          gauge = onReading(gauge, { nowMs, windowMs: WINDOW_MS, cost, ...said })
          const use = { users: 0, events: used, devices: 0 }
          gauge = onUse(gauge, { nowMs, windowMs: WINDOW_MS, used: use, limits: LIMITS })
          const share = gaugeShare(gauge, nowMs, WINDOW_MS)
          expect(share).toBeGreaterThanOrEqual(MIN_SHARE)
          expect(share).toBeLessThanOrEqual(1)
        }
      }),
      { numRuns: 500 },
    )
  })
})
