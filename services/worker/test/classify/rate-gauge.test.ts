import fc from 'fast-check'
import { parseRateGauge } from '../../src/classify/rate-gauge.js'

const NOW_MS = Date.UTC(2026, 10, 29, 12)
const NOW_S = NOW_MS / 1000
const clock = { nowMs: NOW_MS, date: null }

describe('rate-limit headers', () => {
  it.each([
    ['seconds left', { limit: '100', remaining: '7', reset: '42' }],
    ['seconds since 1970', { limit: '100', remaining: '7', reset: String(NOW_S + 42) }],
    ['milliseconds since 1970', { limit: '100', remaining: '7', reset: String(NOW_MS + 42_000) }],
    ['Envoy, seconds left', { limit: '100, 100;w=60', remaining: '7', reset: '42' }],
    ['Envoy, seconds since 1970', { limit: '100, 100;w=60', remaining: '7', reset: String(NOW_S + 42) }],
    ['Envoy with a parameter alone', { limit: '100;w=60', remaining: ' 7 ', reset: '42.0' }],
  ])('in the form: %s', (_, headers) => {
    expect(parseRateGauge(headers, clock)).toEqual({ limit: 100, remaining: 7, resetMs: 42_000 })
  }) // prettier-ignore

  it("count an epoch from the answer's own date: relay's clock need not be right", () => {
    const headers = { limit: null, remaining: null, reset: String(NOW_S + 42) }
    const date = new Date(NOW_MS + 12_000).toUTCString()
    expect(parseRateGauge(headers, { nowMs: NOW_MS, date })?.resetMs).toBe(30_000)
  })

  it.each(['', 'soon', '-1', '1e9', 'NaN', '61', '99999999999999', String(NOW_S + 61)])(
    'say nothing with a reset of "%s"',
    (reset) => {
      expect(parseRateGauge({ limit: null, remaining: null, reset }, clock)).toBeNull()
    },
  )

  it('never name a pause longer than a window, nor one that is no number', () => {
    const text = fc.oneof(fc.string(), fc.integer().map(String), fc.double().map(String))
    fc.assert(
      fc.property(text, text, text, (limit, remaining, reset) => {
        const gauge = parseRateGauge({ limit, remaining, reset }, clock)
        const { resetMs = null } = gauge ?? {}
        if (resetMs === null) return
        expect(resetMs).toBeGreaterThanOrEqual(0)
        expect(resetMs).toBeLessThanOrEqual(60_000)
      }),
    )
  })
})
