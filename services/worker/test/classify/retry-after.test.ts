import fc from 'fast-check'
import { MAX_RETRY_AFTER_MS, parseRetryAfter } from '../../src/classify/rate-gauge.js'

const NOW_MS = Date.UTC(2026, 10, 23, 12, 0, 0)
const parse = (header: string | null, date: string | null = null): number | null =>
  parseRetryAfter(header, { nowMs: NOW_MS, date })

it.each([
  [null, null],
  ['', null],
  ['0', 0],
  ['7', 7_000],
  [' 7 ', 7_000],
  ['1.5', 1_500],
  ['0.0001', 1],
  ['3601', MAX_RETRY_AFTER_MS],
  ['9'.repeat(400), MAX_RETRY_AFTER_MS],
  ['-5', null],
  ['+5', null],
  ['5s', null],
  ['soon', null],
  ['1e3', null],
  ['2026-11-23T12:00:10Z', null],
  ['Mon, 23 Nov 2026 12:00:10 GMT', 10_000],
  ['Monday, 23-Nov-26 12:00:10 GMT', 10_000],
  ['Mon Nov 23 12:00:10 2026', 10_000],
  // Days as the older two forms write them.
  ['Tuesday, 24-Nov-26 11:00:00 GMT', MAX_RETRY_AFTER_MS],
  ['Wednesday, 25-Nov-26 12:00:00 GMT', MAX_RETRY_AFTER_MS],
  ['Thursday, 26-Nov-26 12:00:00 GMT', MAX_RETRY_AFTER_MS],
  ['Friday, 27-Nov-26 12:00:00 GMT', MAX_RETRY_AFTER_MS],
  ['Saturday, 28-Nov-26 12:00:00 GMT', MAX_RETRY_AFTER_MS],
  ['Sunday, 29-Nov-26 12:00:00 GMT', MAX_RETRY_AFTER_MS],
  ['Tue, 24 Nov 2026 12:00:00 GMT', MAX_RETRY_AFTER_MS],
  ['Wed, 25 Nov 2026 12:00:00 GMT', MAX_RETRY_AFTER_MS],
  ['Thu, 26 Nov 2026 12:00:00 GMT', MAX_RETRY_AFTER_MS],
  ['Sat, 28 Nov 2026 12:00:00 GMT', MAX_RETRY_AFTER_MS],
  ['see Mon, 23 Nov 2026 12:00:10 GMT', null],
  ['Mon, 23 Nov 2026 11:59:00 GMT', 0],
  ['Mon, 23 Nov 2099 12:00:00 GMT', MAX_RETRY_AFTER_MS],
  ['Mon, 99 Foo 2026 12:00:00 GMT', null],
])('Retry-After %j is %j ms', (header, expected) => expect(parse(header)).toBe(expected))

it("measures a date by the answer's own clock, where it has one", () => {
  const until = 'Mon, 23 Nov 2026 15:00:10 GMT'
  expect(parse(until, 'Mon, 23 Nov 2026 15:00:00 GMT')).toBe(10_000)
  expect(parse(until, 'garbage')).toBe(MAX_RETRY_AFTER_MS)
})

it('is total and bounded', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (header, date) => {
      const ms = parse(header, date)
      expect(ms === null || (ms >= 0 && ms <= MAX_RETRY_AFTER_MS)).toBe(true)
    }),
  )
})
