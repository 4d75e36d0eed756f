import { isEmail, isIsoDateTime, parseTime } from '../../src/validate/format.js'

const UTC = Date.UTC(2026, 0, 2, 3, 4, 5)

describe('an email address', () => {
  const label = 'd'.repeat(63)

  it.each([
    ['ann@example.com', true],
    ['Ann.B+c@sub.example.co', true],
    [`a@${label}.com`, true],
    [`a@${label}d.com`, false],
    [`a@${`${label}.`.repeat(4)}${'d'.repeat(62)}`, true],
    [`${'a'.repeat(64)}@${`${label}.`.repeat(4)}`, false],
    ['ann@example', false],
    ['ann@.com', false],
    ['ann@-example.com', false],
    ['ann@example-.com', false],
    ['.ann@example.com', false],
    ['an..n@example.com', false],
    ['ann @example.com', false],
    [' ann@example.com', false],
    ['ann@example.com ', false],
    ['@example.com', false],
    ['ann.example.com', false],
    [7, false],
    [null, false],
    [['ann@example.com'], false],
  ])('%j: %j', (value, expected) => expect(isEmail(value)).toBe(expected))

  it('has at most 320 characters', () => {
    const domain = `@${`${label}.`.repeat(3)}com`
    expect(isEmail('a'.repeat(320 - domain.length) + domain)).toBe(true)
    expect(isEmail('a'.repeat(321 - domain.length) + domain)).toBe(false)
  })
})

describe('a time', () => {
  it.each<readonly [unknown, number | null, boolean?]>([
    // ISO 8601, with and without zone.
    ['2026-01-02T03:04:05Z', UTC, true],
    ['2026-01-02T03:04:05', UTC, false],
    ['2026-01-02T03:04Z', UTC - 5_000, true],
    ['2026-01-02', Date.UTC(2026, 0, 2), false],
    ['2026-01-02T03:04:05.5Z', UTC + 500, true],
    ['2026-01-02T03:04:05.123456789Z', UTC + 123.456789, true],
    ['2026-01-02T05:34:05+02:30', UTC, true],
    ['2026-01-02T05:34:05+0230', UTC, true],
    ['2026-01-02T05:04:05+02', UTC, true],
    ['2026-01-01T22:04:05-05:00', UTC, true],
    ['2026-01-02T23:59:59Z', Date.UTC(2026, 0, 2, 23, 59, 59), true],
    ['2026-01-03T03:03:05+23:59', UTC, true],
    ['2024-02-29', Date.UTC(2024, 1, 29), false],
    ['2026-12-31', Date.UTC(2026, 11, 31), false],
    // No such time.
    ['2026-02-29', null],
    ['2026-00-10', null],
    ['2026-13-01', null],
    ['2026-01-00', null],
    ['2026-04-31', null],
    ['2026-01-02T24:00:00Z', null],
    ['2026-01-02T03:60:00Z', null],
    ['2026-01-02T03:04:60Z', null],
    ['2026-01-02T03:04:05+24:00', null],
    ['2026-01-02T03:04:05+02:60', null],
    // No such form.
    ['2026-01-02T03Z', null],
    ['2026-01-02Z', null],
    ['2026-01-02 03:04:05', null],
    ['2026-01-02T03:04:05.Z', null],
    ['2026-01-02T03:04:05.1234567890Z', null],
    ['2026-01-02T03:04:05z', null],
    ['26-01-02', null],
    ['x2026-01-02', null],
    ['2026-01-02x', null],
    ['', null],
    ['yesterday', null],
    // Epoch seconds and milliseconds, also as text.
    [0, 0, true],
    [1_767_323_045, UTC, true],
    [1_767_323_045_000, UTC, true],
    [99_999_999_999, 99_999_999_999_000, true],
    [100_000_000_000, 100_000_000_000, true],
    ['1767323045', UTC, true],
    ['1767323045.25', UTC + 250, true],
    ['1767323045000', UTC, true],
    [-1, null],
    ['-1', null],
    [NaN, null],
    ['1767323045.', null],
    ['1767323045.1234567890', null],
    ['12345678901234567', null],
    [' 1767323045', null],
    [true, null],
    [null, null],
    [[1_767_323_045], null],
  ])('%j is %j', (...row) => {
    const [value, epochMs, zoned] = row as [unknown, number | null, boolean?]
    const time = parseTime(value)
    if (epochMs === null) expect(time).toBeNull()
    else {
      expect(time?.epochMs).toBeCloseTo(epochMs, 5)
      expect(time?.zoned).toBe(zoned)
    }
  })

  it.each([
    ['2026-01-02T03:04:05Z', true],
    ['2026-01-02T03:04:05.123456789+02:30', true],
    ['2026-01-02T03:04:05-02:30', true],
    ['2026-01-02T03:04:05', false],
    ['2026-01-02T03:04Z', false],
    ['2026-01-02T03:04:05+0230', false],
    ['2026-01-02', false],
    ['2026-02-30T03:04:05Z', false],
    ['x2026-01-02T03:04:05Z', false],
    ['2026-01-02T03:04:05Zx', false],
    [1_767_323_045, false],
    [['2026-01-02T03:04:05Z'], false],
  ])('%j is of the one form that birthdays have: %j', (value, expected) =>
    expect(isIsoDateTime(value)).toBe(expected),
  )
})
