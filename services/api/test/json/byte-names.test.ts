import fc from 'fast-check'
import { ByteNames, hashOf as hashOfBytes } from '../../src/json/byte-names.js'

const hashOf = (text: string) => hashOfBytes(Buffer.from(text))

/** Finds `text` where it stands between others. */
function found<Name extends string>(names: ByteNames<Name>, text: string): Name | undefined {
  const bytes = Buffer.from(`"${text}":`)
  return names.find(bytes, 1, bytes.length - 2, hashOf(text))
}

test('names are told from their bytes, and nothing else is taken for one', () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom('', 'costarring', 'liquid', 'declinate', 'macallums', 'é', 'type'),
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
  const [one, other] = ['costarring', 'liquid']
  expect(hashOf(one)).toBe(hashOf(other))
  expect(found(new ByteNames([one]), other)).toBeUndefined()
  expect(found(new ByteNames([one, other]), other)).toBe(other)
})
