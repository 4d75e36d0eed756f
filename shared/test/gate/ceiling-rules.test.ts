import {
  type Ceiling,
  isInDoubt,
  onBodyAccepted,
  onBodyRefused,
  readCeiling,
  unknownCeiling,
} from '../../src/gate/ceiling.js'

const LIMIT = 128_000
const HOUR_MS = 3_600_000
const RAISE_AT_MS = 1_000

/** Between 60,000 that was taken and 68,000 that was refused; looked up again at 1,000 ms. */
const known: Ceiling = {
  version: 1,
  bytes: 64_000,
  acceptedBytes: 60_000,
  refusedBytes: 68_000,
  raiseAtMs: RAISE_AT_MS,
  raiseIntervalMs: HOUR_MS,
}
const taken = (ceiling: Ceiling, bodyBytes: number, nowMs = 0, limitBytes = LIMIT) =>
  onBodyAccepted(ceiling, bodyBytes, { limitBytes, nowMs })

describe('a body that is taken', () => {
  it('teaches nothing while none was refused, or when it is small', () => {
    const unknown = unknownCeiling(LIMIT)
    expect(taken(unknown, LIMIT)).toBe(unknown)
    expect(taken(known, 57_599, RAISE_AT_MS)).toBe(known)
    const little = { ...known, acceptedBytes: 10_000 }
    expect(taken(little, 10_000, RAISE_AT_MS)).toBe(little)
  })

  it('larger than any before, but far from the ceiling, is remembered and raises nothing', () => {
    const little = { ...known, acceptedBytes: 10_000 }
    expect(taken(little, 20_000, RAISE_AT_MS)).toEqual({ ...known, acceptedBytes: 20_000 })
  })

  it('of nine tenths of the ceiling raises it by a quarter once it is time', () => {
    const raised = { ...known, bytes: 80_000, refusedBytes: 80_000 }
    expect(taken(known, 57_600, RAISE_AT_MS)).toEqual(raised)
    expect(taken(known, 57_600, RAISE_AT_MS - 1).bytes).toBe(64_000)
    expect(taken(known, 64_000, RAISE_AT_MS, 70_000)).toMatchObject({ bytes: 70_000 })
    const far = { ...known, refusedBytes: 100_000 }
    expect(taken(far, 64_000, RAISE_AT_MS)).toMatchObject({ bytes: 80_000, refusedBytes: 100_000 })
  })

  it('as large as one that was refused raises it at once', () => {
    const wrong = { ...known, bytes: 68_000 }
    expect(taken(wrong, 68_000)).toMatchObject({ bytes: 85_000, refusedBytes: 85_000 })
    expect(taken(wrong, 67_999).refusedBytes).toBe(68_000)
  })

  it('halves the gap to what was refused, unless it is small or was searched before', () => {
    const narrow = { ...known, bytes: 60_000 }
    expect(taken({ ...narrow, refusedBytes: 64_097 }, 60_000).bytes).toBe(62_048)
    expect(taken({ ...narrow, refusedBytes: 64_096 }, 60_000).bytes).toBe(60_000)
    expect(taken({ ...narrow, raiseIntervalMs: 2 * HOUR_MS }, 60_000).bytes).toBe(60_000)
  })

  it('of the whole limit ends the search', () => {
    const whole = { ...known, bytes: LIMIT, refusedBytes: LIMIT }
    expect(taken(whole, LIMIT - 4_095)).toEqual(unknownCeiling(LIMIT))
    expect(taken(whole, LIMIT - 4_096).refusedBytes).toBe(LIMIT)
    expect(taken(known, 64_000, 0, 66_000).refusedBytes).toBe(68_000)
  })
})

describe('a body that is refused', () => {
  it('is the first: the next has half of it, and an hour later more is tried', () => {
    expect(onBodyRefused(unknownCeiling(LIMIT), LIMIT, 7)).toEqual({
      version: 1,
      bytes: 64_000,
      acceptedBytes: 0,
      refusedBytes: LIMIT,
      raiseAtMs: 7 + HOUR_MS,
      raiseIntervalMs: HOUR_MS,
    })
  })

  it('when more was tried: back to what is taken, and twice the pause, up to a day', () => {
    const raised = { ...known, bytes: 80_000, refusedBytes: 80_000 }
    expect(onBodyRefused(raised, 80_000, RAISE_AT_MS)).toEqual({
      ...known,
      bytes: 60_000,
      refusedBytes: 80_000,
      raiseAtMs: RAISE_AT_MS + 2 * HOUR_MS,
      raiseIntervalMs: 2 * HOUR_MS,
    })
    const patient = { ...raised, raiseIntervalMs: 16 * HOUR_MS }
    expect(onBodyRefused(patient, 80_000, RAISE_AT_MS).raiseIntervalMs).toBe(24 * HOUR_MS)
  })

  it('before that: half way to what is taken', () => {
    expect(onBodyRefused(known, 64_097, 0)).toMatchObject({ bytes: 62_048, refusedBytes: 64_097 })
    expect(onBodyRefused(known, 64_096, 0).bytes).toBe(60_000)
  })

  it('teaches nothing when it was in progress while a smaller one was refused', () => {
    for (const bodyBytes of [68_000, 80_000]) {
      expect(onBodyRefused(known, bodyBytes, RAISE_AT_MS)).toBe(known)
    }
    expect(onBodyRefused(known, 67_999, 0).refusedBytes).toBe(67_999)
    const atOnce = { ...known, bytes: 68_000 }
    expect(onBodyRefused(atOnce, 68_000, 0)).toMatchObject({ bytes: 64_000, refusedBytes: 68_000 })
  })

  it('although its size was taken before: nothing is known from below any more', () => {
    for (const bodyBytes of [50_000, 60_000])
      expect(onBodyRefused(known, bodyBytes, RAISE_AT_MS)).toMatchObject({
        bytes: bodyBytes / 2,
        acceptedBytes: 0,
        raiseIntervalMs: HOUR_MS,
      })
  })

  it.each([
    [4_000, 2_000],
    [1_500, 1_024],
    [1_000, 1_024],
  ])('of %d bytes is followed by one of %d: no ceiling is believed below 1,024', (refused, next) =>
    expect(onBodyRefused(unknownCeiling(LIMIT), refused, 0).bytes).toBe(next),
  )
})

test('a size is in doubt when one was refused and none nearly as large was taken', () => {
  expect(isInDoubt(unknownCeiling(LIMIT), LIMIT)).toBe(false)
  expect(isInDoubt(known, 64_096)).toBe(false)
  expect(isInDoubt(known, 64_097)).toBe(true)
})

it.each<[object | null, Partial<Ceiling>]>([
  [known, known],
  [
    { ...known, bytes: 999_999 },
    { ...known, bytes: LIMIT },
  ],
  // The limit was raised since: nothing speaks against it.
  [
    { ...known, refusedBytes: null, bytes: 5_000 },
    { refusedBytes: null, bytes: LIMIT },
  ],
  [{ ...known, version: 2 }, unknownCeiling(LIMIT)],
  [{ version: 1 }, unknownCeiling(LIMIT)],
  [{ ...known, bytes: '64000' }, unknownCeiling(LIMIT)],
  [null, unknownCeiling(LIMIT)],
])('a stored %j is read as %j', (stored, expected) =>
  expect(readCeiling(JSON.stringify(stored), LIMIT)).toMatchObject(expected),
)
