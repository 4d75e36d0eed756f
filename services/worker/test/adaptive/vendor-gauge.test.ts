import { NO_COST } from '@relay/shared/budget/cost.js'
import fc from 'fast-check'
import {
  gaugeShare,
  MIN_SHARE,
  isBelieved,
  needsUse,
  NO_GAUGE,
  onReading,
  onRefusal,
  onUse,
  type VendorGauge,
} from '../../src/adaptive/vendor-gauge.js'

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
    gauge = onReading(gauge, { nowMs, cost, ...said })
    if (needsUse(gauge)) {
      const use = { used: eventsOf(used + units), granted: eventsOf(sum(accepted)), open: NO_COST }
      gauge = onUse(gauge, { nowMs, windowMs: WINDOW_MS, use, limits: LIMITS })
    }
  }
  return { gauge, accepted, refusals }
}

const eventsOf = (events: number) => ({ ...NO_COST, events })
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
      expect(sum(informed.accepted.slice(2)) / left).toBeGreaterThan(0.99)
    },
  )

  test('limit nothing where no one else sends', () =>
    expect(sum(play(12, 0, honest).accepted)).toBe(sum(play(12, 0, () => null).accepted)))
})

describe('a trial of the full budget', () => {
  /** With another sender, until the trial. */
  const atTrial = play(11, 0.2, honest).gauge
  const trialMs = 1e9 + 11 * WINDOW_MS + WINDOW_MS / 2

  test('that ends in a 429 confirms the headers: the share holds, and the window teaches no more', () => {
    expect(gaugeShare(atTrial, trialMs, WINDOW_MS)).toBe(1)
    const confirmed = onRefusal(atTrial, trialMs, WINDOW_MS)
    if (confirmed === null) throw new Error('not taken as a confirmation')
    expect(gaugeShare(confirmed, trialMs, WINDOW_MS)).toBeCloseTo(0.8, 1)
    expect(onRefusal(confirmed, confirmed.confirmedUntilMs - 1, WINDOW_MS)).toBe(confirmed)
    expect(onRefusal(confirmed, confirmed.confirmedUntilMs, WINDOW_MS)).toBeNull()
  })

  test('comes after twice as long the next time', () => {
    const confirmed = onRefusal(atTrial, trialMs, WINDOW_MS) ?? NO_GAUGE
    const lasting = { ...confirmed, shareUntilMs: Infinity }
    expect(gaugeShare(lasting, trialMs + 20 * WINDOW_MS - 1, WINDOW_MS)).toBeLessThan(1)
    expect(gaugeShare(lasting, trialMs + 20 * WINDOW_MS, WINDOW_MS)).toBe(1)
  })

  test('is not what a 429 belongs to at other times', () => {
    expect(onRefusal(play(5, 0.2, honest).gauge, 1e9 + 5 * WINDOW_MS, WINDOW_MS)).toBeNull()
    expect(onRefusal(NO_GAUGE, trialMs, WINDOW_MS)).toBeNull()
  })
})

test('a ledger that Redis lost is no use by others', () => {
  const before = play(3, 0, honest).gauge
  const nowMs = 1e9 + 3 * WINDOW_MS - STEP_MS
  const use = { used: NO_COST, granted: NO_COST, open: NO_COST }
  const after = onUse(before, { nowMs, windowMs: WINDOW_MS, use, limits: LIMITS })
  expect(gaugeShare(after, nowMs, WINDOW_MS)).toBe(1)
})

test('a reset that moves away as time passes is not believed for an hour', () => {
  const { gauge } = play(1, 0, (header) => ({ ...header, resetMs: 59_000 }))
  expect(isBelieved(gauge, 1e9 + WINDOW_MS)).toBe(false)
  expect(isBelieved(gauge, 1e9 + 62 * WINDOW_MS)).toBe(true)
  expect(isBelieved(play(3, 0.2, honest).gauge, 1e9 + 3 * WINDOW_MS)).toBe(true)
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
    const answers = fc.array(fc.record({ said: header, events: fc.integer({ min: 0, max: 2_000 }), used: fc.integer({ min: 0, max: LIMIT }), granted: fc.nat(1e9), stepMs: fc.integer({ min: 0, max: 30_000 }) })) // prettier-ignore
    fc.assert(
      fc.property(answers, (all) => {
        let gauge = NO_GAUGE
        let nowMs = 1e9
        for (const { said, events, used, granted, stepMs } of all) {
          nowMs += stepMs
          const cost = { users: 0, events, devices: 0 }
          gauge = onReading(gauge, { nowMs, cost, ...said })
          const use = { used: eventsOf(used), granted: eventsOf(granted), open: eventsOf(events) }
          gauge = onUse(gauge, { nowMs, windowMs: WINDOW_MS, use, limits: LIMITS })
          const share = gaugeShare(gauge, nowMs, WINDOW_MS)
          expect(share).toBeGreaterThanOrEqual(MIN_SHARE)
          expect(share).toBeLessThanOrEqual(1)
        }
      }),
      { numRuns: 500 },
    )
  })
})
