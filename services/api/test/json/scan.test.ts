import fc from 'fast-check'
import { scanJson } from '../../src/json/scan.js'

const scan = (text: string) => scanJson(Buffer.from(text), 'items', 20)
const itemsOf = (text: string) =>
  scan(text).items?.map(({ start, end }) => text.slice(start, end)) ?? null

/** What no consumer can carry: NUL, or half of a surrogate pair. By the units that are spelt. */
function badIn(units: readonly number[]): number {
  const text = String.fromCharCode(...units)
  // Whole pairs and other characters: what is left over by a reader of code points.
  return Array.from(text).filter((c) => c === '\u0000' || /^[\ud800-\udfff]$/.test(c)).length
}

describe('escapes that cannot be carried', () => {
  const escaped = (units: readonly number[]) =>
    units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
  const borders = [0, 1, 0x41, 0xd7ff, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000, 0xffff]

  it('are counted as a reader of the text would', () => {
    const unit = fc.oneof(fc.constantFrom(...borders), fc.integer({ min: 0, max: 0xffff }))
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 6 }), fc.boolean(), (units, upper) => {
        const text = `"${escaped(units)}"`
        const spelt = upper ? text.replaceAll(/[a-f]/g, (c) => c.toUpperCase()) : text
        expect(scan(spelt).root.badEscapes).toBe(badIn(units))
      }),
    )
    for (const first of borders)
      for (const second of borders)
        expect(scan(`"${escaped([first, second])}"`).root.badEscapes).toBe(badIn([first, second]))
  })

  it.each([
    ['"\\ud83dx\\ude00"', 2],
    ['"\\ud83d\\n"', 1],
    ['"\\ud83dxude00"', 1],
    ['"\\ud83d\\\\ude00"', 1],
    ['"\\ud83d\\tde00"', 1],
    ['"\\\\u0000"', 0],
    ['"\\\\\\u0000"', 1],
    ['"\\u0000", "\\u0000"', 2],
    ['"\\u000"', 0],
    ['"\\u00g0"', 0],
    ['"\\u00:0"', 0],
    ['"\\u00/0"', 0],
    ['"\\u00`0"', 0],
    ['"\\ud8', 0],
  ])('in %s are %d', (text, count) => expect(scan(text).root.badEscapes).toBe(count))

  it('are counted for the item that they stand in', () => {
    const { root, items } = scan('{"items":["\\u0000",1,["\\u0000\\u0000"]],"x":"\\u0000"}')
    expect(items?.map(({ badEscapes }) => badEscapes)).toEqual([1, 0, 2])
    expect(root.badEscapes).toBe(4)
  })
})

describe('the wanted list', () => {
  it.each<[string, string[] | null]>([
    ['{"items":[1,"a",{"b":2}]}', ['1', '"a"', '{"b":2}']],
    ['{"items":[ 1 , 2 ] }', ['1', '2']],
    ['{"items":[]}', []],
    ['{"it\\u0065ms":[1]}', ['1']],
    ['{"items\\u0000":[1]}', null],
    ['{"it\\qems":[1]}', null],
    ['{"items":{"a":[1]}}', null],
    ['{"items":1,"other":[2]}', null],
    ['{"items":{"a":1},"other":[2]}', null],
    ['{"other":[2]}', null],
    ['{"items":[1],"other":[2]}', ['1']],
    ['{"other":{"items":[1]}}', null],
    ['{"other":[{"items":[1]}]}', null],
    ['[["items",[1]]]', null],
    ['[[1]]', null],
    // The last member of a name counts, with any value.
    ['{"items":[1],"items":[2,3]}', ['2', '3']],
    ['{"items":[1],"items":2}', null],
    ['{"items":[[1,2],{"items":[3]}]}', ['[1,2]', '{"items":[3]}']],
    ['{"items":["a,b]"]}', ['"a,b]"']],
  ])('of %s is %j', (text, items) => expect(itemsOf(text)).toEqual(items))
})

it('blanks around a value are no part of it', () => {
  expect(scan(' \t\r\n1 \n').root).toMatchObject({ start: 4, end: 5, whitespace: 0 })
  expect(scan('  ').root).toMatchObject({ start: 2, end: 2 })
  expect(scan('').root).toMatchObject({ start: 0, end: 0 })
})
