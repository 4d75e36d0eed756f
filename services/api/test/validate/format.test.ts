import fc from 'fast-check'
import { parseTime } from '../../src/validate/format.js'

/** The years in which the platform's own parser means what is written. */
const dates = fc.date({
  min: new Date('1970-01-01T00:00:00Z'),
  max: new Date('2199-12-31T23:59:59.999Z'),
  noInvalidDate: true,
})

const OTHERS = ['0', '1', '2', '3', '5', '6', '9', ':', '-', 'T', '.', 'Z', ' ', 'x', '٣']

describe('times as text', () => {
  test('mean the moment that they name, with milliseconds or without, in any zone', () => {
    fc.assert(
      fc.property(dates, fc.constantFrom('Z', '+05:30', '-11:00', '+00:00'), (date, zone) => {
        const whole = date.toISOString().slice(0, 19)
        for (const text of [
          `${whole}${zone}`,
          `${whole}.${date.toISOString().slice(20, 23)}${zone}`,
        ]) {
          expect(parseTime(text)).toEqual({ epochMs: Date.parse(text), zoned: true })
        }
      }),
    )
  })

  test('with any one character changed are the moment of the new text, or none', () => {
    const changes = fc.tuple(dates, fc.nat(23), fc.constantFrom(...OTHERS))
    fc.assert(
      fc.property(changes, ([date, at, character]) => {
        const text = date.toISOString()
        const changed = text.slice(0, at) + character + text.slice(at + 1)
        const time = parseTime(changed)
        const isIso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(changed)
        if (!isIso) {
          // A date alone, or a fraction of other length, may still be a time; never another moment.
          if (time !== null) expect(Math.abs(time.epochMs - date.getTime())).toBeLessThan(1_000)
          return
        }
        const there = new Date(changed)
        // Date rolls 30 February over into March; there is no such day.
        const exists = !Number.isNaN(there.getTime()) && there.toISOString() === changed
        if (Number(changed.slice(0, 4)) >= 100)
          expect(time?.epochMs).toBe(exists ? there.getTime() : undefined)
      }),
      { numRuns: 2_000 },
    )
  })
})
