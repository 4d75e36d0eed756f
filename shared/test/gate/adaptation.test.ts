import fc from 'fast-check'
import {
  type Adaptation,
  effectiveShare,
  readAdaptation,
  shrink,
} from '../../src/gate/adaptation.js'
import { type Scenario, type Sent, simulate } from './shared-window.js'

const MINUTE_MS = 60_000
const FROM_MS = 2 * MINUTE_MS
const UNTIL_MS = 32 * MINUTE_MS

const base: Omit<Scenario, 'limit' | 'windowMs' | 'bodyUnits'> = {
  otherShare: 0.5,
  otherFromMs: FROM_MS,
  otherUntilMs: UNTIL_MS,
  untilMs: UNTIL_MS + 7 * MINUTE_MS,
  parallel: 4,
}

const between = (sent: Sent[], fromMs: number, untilMs: number): Sent[] =>
  sent.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs)
const units = (sent: Sent[]): number =>
  sent.reduce((sum, request) => sum + (request.refused ? 0 : request.units), 0)
const refusedShare = (sent: Sent[]): number =>
  sent.filter((request) => request.refused).length / sent.length

describe.each([
  ['the default events', 20_000, 60_000, 400],
  ['the default users', 5_000, 60_000, 400],
  ['a window of 20 s with 1,500', 1_500, 20_000, 400],
  ['a window of 20 s with 1,500 and small bodies', 1_500, 20_000, 150],
  ['a window of 20 s with 375', 375, 20_000, 400],
])('another sender eats half of %s', (_name, limit, windowMs, bodyUnits) => {
  const sent = simulate({ ...base, limit, windowMs, bodyUnits })
  const windows = (fromMs: number, untilMs: number): number => (untilMs - fromMs) / windowMs

  it('at most 2 % of the requests are refused, from its first element on', () => {
    for (const minutes of [5, 10, 30]) {
      const refused = refusedShare(between(sent, FROM_MS, FROM_MS + minutes * MINUTE_MS))
      expect(refused).toBeLessThanOrEqual(0.02)
    }
  })

  it('relay still gets most of its half', () => {
    const settledMs = FROM_MS + 5 * MINUTE_MS
    const used = units(between(sent, settledMs, UNTIL_MS)) / (limit * windows(settledMs, UNTIL_MS))
    expect(used).toBeGreaterThan(0.38)
  })

  it('relay uses everything again 5 minutes after the other stopped', () => {
    const after = between(sent, UNTIL_MS + 5 * MINUTE_MS, UNTIL_MS + 6 * MINUTE_MS)
    expect(Math.min(...after.map(({ share }) => share))).toBe(1)
    expect(refusedShare(after)).toBe(0)
    expect(units(after) / (limit * windows(0, MINUTE_MS))).toBeGreaterThan(0.9)
  })
})

it('alone, relay is never refused and uses everything', () => {
  const sent = simulate({ ...base, otherShare: 0, limit: 20_000, windowMs: 60_000, bodyUnits: 400 })
  expect(refusedShare(sent)).toBe(0)
  expect(units(between(sent, FROM_MS, UNTIL_MS)) / (20_000 * 30)).toBeGreaterThan(0.99)
})

describe.each([60_000, 6_000])('429s without another sender, windows of %d ms', (windowMs) => {
  const alone = { ...base, otherShare: 0, limit: 2_000, windowMs, bodyUnits: 100 }
  const usedIn = (sent: Sent[], window: number): number =>
    units(between(sent, window * windowMs, (window + 1) * windowMs)) / alone.limit

  it('with little in the window are forgotten in four windows, however many there were', () => {
    for (const falseAlarmsMs of [[0], [0, 0], [0, 0, 0, 0]]) {
      const sent = simulate({ ...alone, untilMs: 12 * windowMs, falseAlarmsMs })
      const refusals = sent.filter(({ refused }) => refused)
      expect(refusals).toHaveLength(falseAlarmsMs.length)
      const lastMs = refusals.at(-1)?.atMs ?? 0
      const window = Math.ceil(lastMs / windowMs)
      expect(usedIn(sent, window + 5)).toBeGreaterThan(0.9)
      // Growing all the while, not all at the end.
      expect(usedIn(sent, window + 3)).toBeGreaterThan(1.3 * usedIn(sent, window + 1))
    }
  })

  it('with a full window leave most of the budget in use', () => {
    const sent = simulate({ ...alone, untilMs: 12 * windowMs, falseAlarmsMs: [3.5 * windowMs] })
    expect(usedIn(sent, 6)).toBeGreaterThan(0.75)
    expect(usedIn(sent, 9)).toBeGreaterThan(0.95)
  })
})

describe('the effective share', () => {
  const at = { nowMs: 1_000_000, windowMs: 60_000 }
  const taught = (usedShare: number): Adaptation =>
    shrink(null, { sentAtMs: 999_000, usedShare, ...at })

  it('is everything without a record', () => expect(effectiveShare(null, at)).toBe(1))

  it('falls once for requests that were in progress together', () => {
    const first = taught(0.5)
    const second = shrink(first, { sentAtMs: 999_900, usedShare: 0.5, ...at, nowMs: 1_000_100 })
    expect(second).toBe(first)
  })

  it('and what a record teaches outlive a step of the clock by no more than its size', () => {
    const record = taught(0.5)
    const back = { nowMs: at.nowMs - 3_600_000, windowMs: 60_000 }
    expect(effectiveShare(record, back)).toBe(1)
    const next = shrink(record, { sentAtMs: back.nowMs - 100, usedShare: 0.5, ...back })
    expect(effectiveShare(next, back)).toBeLessThan(0.5)
  })

  it('never falls to nothing, never exceeds one, never falls by time, and is whole within 5 minutes', () => {
    const windowMs = fc.integer({ min: 1_000, max: 60_000 })
    const share = fc.double({ min: 0, max: 2, noNaN: true })
    const moments = fc.tuple(fc.nat(400_000), fc.nat(400_000))
    fc.assert(
      fc.property(
        windowMs,
        fc.array(share, { minLength: 1 }),
        moments,
        (window, shares, [a, b]) => {
          let adaptation: Adaptation | null = null
          let nowMs = 0
          for (const usedShare of shares) {
            nowMs += 1_000
            adaptation = shrink(adaptation, {
              sentAtMs: nowMs - 1,
              nowMs,
              usedShare,
              windowMs: window,
            })
          }
          const stored = readAdaptation(JSON.stringify(adaptation))
          if (stored === null) throw new Error('a stored adaptation is readable')
          const early = { nowMs: nowMs + Math.min(a, b), windowMs: window }
          const late = { nowMs: nowMs + Math.max(a, b), windowMs: window }
          expect(effectiveShare(stored, early)).toBeGreaterThan(0)
          expect(effectiveShare(stored, late)).toBeLessThanOrEqual(1)
          expect(effectiveShare(stored, late)).toBeGreaterThanOrEqual(effectiveShare(stored, early))
          const inFiveWindows = { nowMs: nowMs + 4 * window, windowMs: window }
          expect(effectiveShare(stored, inFiveWindows)).toBe(1)
        },
      ),
    )
  })
})
