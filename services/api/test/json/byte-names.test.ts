import fc from 'fast-check'
import { ByteNames, hashByte } from '../../src/json/byte-names.js'

const hashOf = (text: string) => Array.from(Buffer.from(text)).reduce(hashByte, 0)

/** Finds `text` where it stands between others. */
function found<Name extends string>(names: ByteNames<Name>, text: string): Name | undefined {
  const bytes = Buffer.from(`"${text}":`)
  return names.find(bytes, 1, bytes.length - 2, hashOf(text))
}

test('names are told from their bytes, and nothing else is taken for one', () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom('', 'Aa', 'BB', 'AaAa', 'BBBB', 'AaBB', 'é', 'type'),
  )
  fc.assert(
    fc.property(fc.array(word, { maxLength: 60 }), fc.array(word), (known, asked) => {
      const names = new ByteNames(known)
      for (const name of known) expect(found(names, name)).toBe(name)
      for (const name of asked) {
        expect(found(names, name)).toBe(known.includes(name) ? name : undefined)
      }
    }),
  )
})

test('two names of one hash are told apart', () => {
  expect(hashOf('Aa')).toBe(hashOf('BB'))
  expect(found(new ByteNames(['Aa']), 'BB')).toBeUndefined()
  expect(found(new ByteNames(['Aa', 'BB']), 'BB')).toBe('BB')
})
