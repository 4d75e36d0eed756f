import { median, quantile, spread } from '../src/measure.js'

describe('statistics', () => {
  test.each([
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[7], 7],
  ])('the median of %j is %d', (values, expected) => expect(median(values)).toBe(expected))

  it('spread is the range as a share of the median', () =>
    expect(spread([8, 10, 12])).toBeCloseTo(0.4))

  it('a quantile is a value that was seen', () => {
    const values = Array.from({ length: 100 }, (_, i) => i)
    expect(quantile(values, 0.5)).toBe(50)
    expect(quantile(values, 0.99)).toBe(99)
  })
})
