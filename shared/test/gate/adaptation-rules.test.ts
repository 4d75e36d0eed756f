import {
  type Adaptation,
  effectiveShare,
  readAdaptation,
  requestCostCap,
  requestsAtOnceCap,
  shrink,
} from '../../src/gate/adaptation.js'

/** A window of a second: shares are asked for in windows after the refusal. */
const WINDOW_MS = 1_000
const AT_MS = 1_000_000
const at = (windows: number) => ({ nowMs: AT_MS + windows * WINDOW_MS, windowMs: WINDOW_MS })
const refusal = (usedShare: number, windows = 0) => ({
  ...at(windows),
  sentAtMs: at(windows).nowMs - 1,
  usedShare,
})

/** Half of everything fitted: 0.35 at first, 0.45 while the other may still be there. */
const measured = shrink(null, refusal(0.5))

describe('a refusal with much of the own share in the window', () => {
  it('was measured: relay drops to seven tenths of what fitted', () => {
    expect(measured).toEqual({
      version: 1,
      refusedAtMs: AT_MS,
      share: expect.closeTo(0.35, 9) as number,
      fittedShare: 0.5,
    })
  })

  it.each([
    [0, 0.35],
    [1, 0.35],
    [1.5, 0.4],
    [2, 0.45],
    [3, 0.45],
    // The last half window before one that the other's elements may still fill.
    [295 / 60 - 1.5, 0.45],
    [295 / 60 - 1.25, 0.725],
    [295 / 60 - 0.999, 1],
    [100, 1],
  ])('leaves after %d windows %d of everything', (windows, share) => {
    expect(effectiveShare(measured, at(windows))).toBeCloseTo(share, 6)
    expect(effectiveShare(measured, at(windows)) >= 1).toBe(share === 1)
  })

  it('never counts more than the share that was in use', () => {
    expect(shrink(null, refusal(2)).fittedShare).toBe(1)
    const again = shrink(measured, refusal(0.9, 2))
    expect(again.fittedShare).toBeCloseTo(0.45, 9)
  })

  it('teaches again only by requests that were sent after it', () => {
    const later = { ...refusal(0.3, 0.1), sentAtMs: AT_MS }
    expect(shrink(measured, later)).toBe(measured)
    expect(shrink(measured, { ...later, sentAtMs: AT_MS + 1 })).toMatchObject({
      refusedAtMs: AT_MS + 100,
      fittedShare: 0.3,
    })
  })
})

describe('a refusal with less than half of the own share in the window', () => {
  const guessed = shrink(null, refusal(0.49))

  it('was a moment: at most half of the share is taken for what fitted', () => {
    expect(guessed).toMatchObject({ guessed: true, fittedShare: 0.5 })
    expect(shrink(null, refusal(0))).toEqual(guessed)
    expect(measured).not.toHaveProperty('guessed')
  })

  it.each([
    [0.5, 0.35],
    [1, 0.35],
    [1.5, 0.35 * Math.SQRT2],
    [2, 0.7],
    [2.6, 1],
    [3, 1],
  ])('is after %d windows doubled to %d', (windows, share) =>
    expect(effectiveShare(guessed, at(windows))).toBeCloseTo(share, 6),
  )

  it('is never less than what is left to one that was measured', () => {
    const small: Adaptation = { ...guessed, share: 0.1, fittedShare: 0.9 }
    expect(effectiveShare(small, at(2))).toBeCloseTo(0.81, 9)
  })
})

it('a share is never below 2 %', () => {
  let record = measured
  for (let n = 1; n < 20; n += 1) record = shrink(record, refusal(0, n / 100))
  expect([record.share, record.fittedShare]).toEqual([0.02, 0.02])
})

it('a record from the future is none, but clocks may differ by five seconds', () => {
  expect(effectiveShare(measured, { nowMs: AT_MS - 5_001, windowMs: WINDOW_MS })).toBe(1)
  expect(effectiveShare(measured, { nowMs: AT_MS - 5_000, windowMs: WINDOW_MS })).toBeLessThan(1)
})

describe('a stored record', () => {
  const stored = { version: 1, refusedAtMs: 5, share: 0.3, fittedShare: 0.4 }

  it.each<[object | null, object | null]>([
    [stored, stored],
    [
      { ...stored, guessed: true },
      { ...stored, guessed: true },
    ],
    [{ ...stored, guessed: false }, stored],
    [{ ...stored, guessed: 'yes', more: 1 }, stored],
    [
      { ...stored, share: 7, fittedShare: 0 },
      { ...stored, share: 1, fittedShare: 0.02 },
    ],
    [{ ...stored, version: 2 }, null],
    [{ ...stored, refusedAtMs: undefined }, null],
    [{ ...stored, share: undefined }, null],
    [{ ...stored, fittedShare: undefined }, null],
    [null, null],
  ])('%j is read as %j', (json, expected) =>
    expect(readAdaptation(JSON.stringify(json))).toStrictEqual(expected),
  )
})

it('requests are capped only while somebody else sends', () => {
  expect(requestCostCap(5_000, { share: 1, windowMs: 60_000 })).toBe(Infinity)
  expect(requestCostCap(5_000, { share: 0.5, windowMs: 60_000 })).toBe(83)
  expect(requestCostCap(1_500, { share: 0.5, windowMs: 20_000 })).toBe(25)
  // In 6 s there is time for 12 requests of half a second, not for 30.
  expect(requestCostCap(1_500, { share: 0.5, windowMs: 6_000 })).toBe(62)
  expect(requestCostCap(60, { share: 0.5, windowMs: 60_000 })).toBe(1)
  expect(requestCostCap(1, { share: 0.02, windowMs: 60_000 })).toBe(1)
  expect([requestsAtOnceCap(1), requestsAtOnceCap(0.99)]).toEqual([Infinity, 1])
})

it.each([null, '', '{', 'null', '{}', '{"version":2}'])('a stored %j teaches nothing', (json) =>
  expect(readAdaptation(json)).toBeNull(),
)
