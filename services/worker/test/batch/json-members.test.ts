import fc from 'fast-check'
import { walkMembers, writtenName } from '../../src/batch/shape.js'

/** The members that are met, as text, and where the object closes. */
function walked(text: string, open = 0, most = Infinity) {
  const json = Buffer.from(text)
  const met: [string, string][] = []
  const close = walkMembers(json, open, (start, value, end) => {
    expect(json.toString('utf8', start, value)).toBe(`"${writtenName(json, start, value)}":`)
    met.push([writtenName(json, start, value), json.toString('utf8', value, end)])
    return met.length < most
  })
  return { met, close }
}

describe('walking the members of an object', () => {
  it('meets each with its own bytes, and ends where the object closes', () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 6 })
    fc.assert(
      fc.property(object, fc.jsonValue(), (given, after) => {
        // Compact, as the intake queues it.
        const text = JSON.stringify(given)
        const members = Object.entries(given).map(([name, value]) => {
          return [JSON.stringify(name).slice(1, -1), JSON.stringify(value)]
        })
        const bytes = Buffer.byteLength(text)
        expect(walked(text)).toEqual({ met: members, close: bytes - 1 })
        const inside = walked(`[${text},${JSON.stringify(after)}]`, 1)
        expect(inside).toEqual({ met: members, close: bytes })
      }),
    )
  })

  it('ends at once when one is not taken', () => {
    expect(walked('{"a":1,"b":2,"c":3}', 0, 2)).toEqual({
      met: [
        ['a', '1'],
        ['b', '2'],
      ],
      close: -1,
    })
  })

  it.each([
    '',
    '[]',
    '"a"',
    '{',
    '{ }',
    '{"a" :1}',
    '{ "a":1}',
    '{"a":1 ',
    '{"a":1]',
    '{"a":1,}',
    '{"a"}',
    '{"a',
    '{"a\\"',
    '{"a":',
    '{"a":"b',
    '{"a":"b\\',
    '{"a":[1,2',
    '{"a":{"b":1}',
  ])('gives up on %j', (text) => expect(walked(text).close).toBe(-1))

  it.each<[string, string]>([
    ['brackets in a text', '"]}[{"'],
    ['an escaped quote', '"a\\"},"'],
    ['an escaped backslash before the quote', '"a\\\\"'],
    ['nested lists', '[[1],[2,[3]]]'],
    ['text in a list', '["]",{"a":"}"}]'],
    ['a number', '-1.5e10'],
    ['a word', 'null'],
    ['nothing in it', '{}'],
  ])('is not confused by %s', (_, value) => {
    expect(walked(`{"a":${value},"b":1}`).met).toEqual([
      ['a', value],
      ['b', '1'],
    ])
    expect(walked(`{"a":${value}}`).met).toEqual([['a', value]])
  })
})
