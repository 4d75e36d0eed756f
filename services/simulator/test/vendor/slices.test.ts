import * as fc from 'fast-check'
import { arrayItems, member, objectMembers, valueAt } from '../../src/vendor/slices.js'

/** Any JSON text, also with white space that no serialiser writes. */
const text = fc
  .tuple(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t', ' \r\n'))
  .map(([value, indent]) => JSON.stringify(value, null, indent))

const cut = (json: Buffer, { start, end }: { start: number; end: number }) =>
  json.toString('utf8', start, end)

test('items of an array are cut out byte for byte', () => {
  fc.assert(
    fc.property(fc.array(text), fc.constantFrom('', ' ', '\n '), (items, space) => {
      const json = Buffer.from(`[${items.map((i) => space + i + space).join(',')}]`)
      expect(arrayItems(json, 0).map((slice) => cut(json, slice))).toEqual(items)
    }),
  )
})

test('members of an object are cut out byte for byte, names decoded', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string(), text)), (members) => {
      const json = Buffer.from(
        `{${members.map(([name, value]) => `${JSON.stringify(name)} : ${value}`).join(' , ')}}`,
      )
      const found = objectMembers(json, 0).map(({ name, value }) => [name, cut(json, value)])
      expect(found).toEqual(members)
    }),
  )
})

test('the last of repeated members counts, as for a parser', () => {
  const json = Buffer.from(' {"a":1,"a":12345678901234567890}')
  const slice = member(json, valueAt(json).start, 'a')
  expect(slice && cut(json, slice)).toBe('12345678901234567890')
  expect(member(json, valueAt(json).start, 'b')).toBeNull()
})
