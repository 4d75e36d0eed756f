import { formatValue } from './format.js'

test.each([
  [0.1234, 'percentunit', '12.3 %'],
  [0.9991, 'percentunit', '99.91 %'],
  [1, 'percentunit', '100 %'],
  [0, 's', '0 s'],
  [0.0042, 's', '4.2 ms'],
  [0.25, 's', '250 ms'],
  [90, 's', '90 s'],
  [600, 's', '10 min'],
  [7200, 's', '2 h'],
  [128_000, 'bytes', '125 KiB'],
  [3, 'none', '3'],
  [2_700, 'short', '2.7 K'],
  [1_250_000, 'short', '1.25 M'],
  [12.34, 'cps', '12.3/s'],
  [0.5, 'reqps', '0.5 req/s'],
  [NaN, 's', '–'],
])('%d in %s is %s', (value, unit, words) => expect(formatValue(value, unit)).toBe(words))
