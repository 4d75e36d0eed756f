import { Findings, inside, PATH_CHARACTERS } from '../../src/validate/findings.js'
import {
  ARRAY_ENTRIES_KEPT,
  NAME_CHARACTERS,
  VALUE_CHARACTERS_KEPT,
} from '../../src/validate/limits.js'
import { lintLengths, surveyOf, unsendableTexts } from '../../src/validate/values.js'
import { STANDARD_VOCABULARY } from '../../src/validate/vocabulary.js'

const text = 'x'.repeat(VALUE_CHARACTERS_KEPT)
const list = Array.from({ length: ARRAY_ENTRIES_KEPT }, () => 1)
const name = 'n'.repeat(NAME_CHARACTERS)

const linted = (element: Readonly<Record<string, unknown>>) => {
  const findings = new Findings(99)
  lintLengths(element, {
    index: 4,
    findings,
    nowMs: 0,
    names: STANDARD_VOCABULARY,
    bytes: 0,
    isPlain: false,
  })
  expect(findings.problems).toEqual([])
  return findings.warnings.map(({ rule, attribute }) => [rule, attribute])
}
const surveyed = surveyOf

describe('what is longer than MoEngage keeps', () => {
  it.each<[string, object, string[][]]>([
    ['nothing', { a: text, b: list, [name]: 1, c: null, d: 7 }, []],
    ['a text', { a: `${text}x` }, [['longValue', 'attributes.a']]],
    ['a URL without a scheme', { a: `www.${text}` }, [['longUrl', 'attributes.a']]],
    ['a text by its characters', { a: '😀'.repeat(VALUE_CHARACTERS_KEPT) }, []],
    ['a list', { a: [...list, 1] }, [['longArray', 'attributes.a']]],
    ['a text in a list', { a: [1, `${text}x`] }, [['longValue', 'attributes.a[1]']]],
    ['a name', { [`${name}n`]: 1 }, [['longName', `attributes.${name}n`]]],
    [
      'a text deep inside',
      { a: { b: [{ c: `${text}x` }] } },
      [['longValue', 'attributes.a.b[0].c']],
    ],
  ])('is %s', (_, attributes, expected) => {
    expect(linted({ attributes })).toEqual(expected)
  })

  it('is looked for in the attributes of every action, and nowhere else', () => {
    const long = `${text}x`
    const actions = [{ attributes: {} }, null, 7, { action: long, attributes: { a: long } }]
    expect(linted({ actions, other: long })).toEqual([['longValue', 'actions[3].attributes.a']])
    expect(linted({ attributes: [long], actions: { attributes: { a: long } } })).toEqual([])
  })

  it.each<[unknown, number, boolean]>([
    [text, 0, false],
    [`${text}x`, 0, true],
    [list, 0, false],
    [[...list, 1], 0, true],
    [{ [name]: 1 }, 1, false],
    [{ [`${name}n`]: 1 }, 1, true],
    [null, 0, false],
    [7, 0, false],
    [{ a: { b: [{ c: 1 }, { d: null, e: 'x' }] } }, 5, false],
    [JSON.parse('{"__proto__":{"a":1}}'), 2, false],
  ])('and the number of members are seen in one walk', (value, members, oversized) => {
    expect(surveyed(value)).toEqual({ members, oversized })
  })
})

it.each<[unknown, string[]]>([
  ['plain 😀', []],
  ['\0', ['at']],
  ['\ud83d', ['at']],
  ['\ude00', ['at']],
  [null, []],
  [7, []],
  [
    [1, 'x\0', ['\ud800']],
    ['at[1]', 'at[2][0]'],
  ],
  [{ a: { b: '\0' }, c: 'c' }, ['at.a.b']],
  // A name that cannot be sent says enough of what is in it.
  [{ 'a\0': '\0' }, ['at.a\0']],
])('texts that cannot be sent are found by their place', (value, places) =>
  expect(unsendableTexts(value, 'at')).toEqual(places),
)

it('a path is bounded for any names', () => {
  const most = 'n'.repeat(PATH_CHARACTERS)
  expect(inside('', 'a')).toBe('a')
  expect(inside('a', 'b')).toBe('a.b')
  expect(inside('', most)).toBe(most)
  expect(inside('', `${most}n`)).toBe(most)
  expect(inside('a', `${most}n`)).toBe(`a.${most}`)
  expect(inside(most, 'b')).toBe(`${most}.b`)
  expect(inside(`${most}n`, 'b')).toBe(`${most}n`)
})
