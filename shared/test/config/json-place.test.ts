import fc from 'fast-check'
import { jsonFaultPlace } from '../../src/config/json-place.js'

it.each([
  ['', 'line 1, column 1'],
  ['{\n  "a": 1\n  "b": 2\n}', 'line 3, column 3'],
  ['{\n  "a": [1, 2,]\n}', 'line 2, column 14'],
  ['{"a": x}', 'line 1, column 7'],
  ['{"a": 01}', 'line 1, column 7'],
  ['{"a": 1}\n{', 'line 2, column 1'],
  ['{"workspaces":[', 'line 1, column 16'],
  ["{'a': 1}", 'line 1, column 2'],
  ['{"a": "two\nlines"}', 'line 1, column 7'],
  ['[1}', 'line 1, column 3'],
  ['{"a"}', 'line 1, column 5'],
])('%j is no JSON from %s on', (text, place) => expect(jsonFaultPlace(text)).toBe(place))

const isJson = (text: string) => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

it('finds a place in exactly those texts that are no JSON', () => {
  const edit = fc.record({
    at: fc.nat(200),
    drop: fc.nat(2),
    put: fc.constantFrom(
      '',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      '0',
      '-',
      '.',
      'e',
      'tru',
      ' ',
    ),
  })
  const texts = fc.tuple(fc.json(), fc.array(edit, { maxLength: 3 })).map(([json, edits]) =>
    edits.reduce((text, { at, drop, put }) => {
      const from = at % (text.length + 1)
      return text.slice(0, from) + put + text.slice(from + drop)
    }, json),
  )
  fc.assert(
    fc.property(texts, (text) => expect(jsonFaultPlace(text) === null).toBe(isJson(text))),
    { numRuns: 3_000 },
  )
})
