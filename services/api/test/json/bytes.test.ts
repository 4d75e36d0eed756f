import fc from 'fast-check'
import { compact, normalised } from '../../src/json/compact.js'
import { scanJson } from '../../src/json/scan.js'

/**
 * A JSON text in two spellings: as a careless producer writes it, and the same tokens without
 * whitespace. Both are written here from random choices, so that nothing of relay is its own oracle.
 */
interface Written {
  readonly loose: string
  readonly tight: string
  readonly members: number
}

const blank = fc.stringMatching(/^[ \t\r\n]{0,3}$/)
const number = fc.oneof(
  fc.constantFrom('0', '-0', '1.10', '12345678901234567890', '1e400', '1E-7', '0.100', '-12.50e+3'),
  fc.integer().map(String),
)
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }).map((s) => JSON.stringify(s)),
  fc.constantFrom('"\\u0041"', '"\\/"', '"\\ud83d\\ude00"', '"{ \\" : [ , "', '"\\\\"', '"é 😀"'),
)

const scalar: fc.Arbitrary<Written> = fc
  .oneof(number, text, fc.constantFrom('true', 'false', 'null'))
  .map((token) => ({ loose: token, tight: token, members: 0 }))

/** Puts items between brackets with random whitespace around every token. */
function container(open: string, close: string, items: fc.Arbitrary<Written>) {
  return fc
    .tuple(fc.array(fc.tuple(blank, items, blank), { maxLength: 4 }), blank)
    .map(([parts, inner]) => ({
      loose: open + inner + parts.map(([a, w, b]) => a + w.loose + b).join(',') + close,
      tight: open + parts.map(([, w]) => w.tight).join(',') + close,
      members: parts.reduce((sum, [, w]) => sum + w.members, 0),
    }))
}

const { value } = fc.letrec<{ value: Written }>((tie) => {
  const member = fc.tuple(text, blank, blank, tie('value')).map(([key, a, b, w]) => ({
    loose: `${key}${a}:${b}${w.loose}`,
    tight: `${key}:${w.tight}`,
    members: w.members + 1,
  }))
  return {
    value: fc.oneof(
      { depthSize: 'small' },
      scalar,
      container('{', '}', member),
      container('[', ']', tie('value')),
    ),
  }
})

const padded = fc.tuple(blank, value, blank).map(([a, w, b]) => ({ ...w, loose: a + w.loose + b }))

describe('the bytes of a JSON value', () => {
  it('are found, counted and compacted as written, token for token', () => {
    fc.assert(
      fc.property(padded, ({ loose, tight, members }) => {
        const bytes = Buffer.from(loose)
        const { root } = scanJson(bytes, 'elements', 64)
        expect(root.members).toBe(members)
        expect(root.badEscapes).toBe(0)
        const found = bytes.subarray(root.start, root.end)
        expect(found.toString()).toBe(loose.trim())
        const out = compact(found, root.whitespace)
        expect(out.toString()).toBe(tight)
      }),
      { numRuns: 500 },
    )
  })

  it('are found for each item of the wanted array, in any surroundings', () => {
    const key = fc.constantFrom('"elements"', '"\\u0065lements"')
    const other = fc.tuple(fc.constantFrom('"type"', '"Elements"', '""'), value)
    fc.assert(
      fc.property(key, fc.array(padded, { maxLength: 5 }), fc.array(other), fc.array(other), (...given) => {
        const [name, items, before, after] = given
        const members = (list: typeof before) => list.map(([k, w]) => `${k}:${w.loose}`)
        const array = `${name} : [${items.map(({ loose }) => loose).join(',')}]`
        const bytes = Buffer.from(`{ ${[...members(before), array, ...members(after)].join(' , ')} }`)
        const found = scanJson(bytes, 'elements', 64).items ?? []
        const texts = found.map((span) => {
          return compact(bytes.subarray(span.start, span.end), span.whitespace).toString()
        })
        expect(texts).toEqual(items.map(({ tight }) => tight))
        expect(found.map((span) => span.members)).toEqual(items.map((w) => w.members))
      }),
      { numRuns: 300 },
    ) // prettier-ignore
  })

  it('mean the same to JSON.parse after duplicate keys are gone, and no key is there twice', () => {
    fc.assert(
      fc.property(value, ({ tight }) => {
        const out = normalised(Buffer.from(tight), () => false).toString()
        expect(JSON.parse(out)).toEqual(JSON.parse(tight))
        expect(scanJson(Buffer.from(out), '', 64).root.members).toBe(keysOf(JSON.parse(tight)))
        // Without duplicates nothing may change.
        if (keysOf(JSON.parse(tight)) === scanJson(Buffer.from(tight), '', 64).root.members) {
          expect(out).toBe(tight)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('end the scan on any bytes at all, without a throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.string(), (noise, words) => {
        scanJson(Buffer.from(noise), 'elements', 64)
        scanJson(Buffer.from(`{"elements":[${words}`), 'elements', 64)
        scanJson(Buffer.from(`{"\\u00${words}":"\\`), 'elements', 64)
      }),
    )
  })

  it('show NUL and lone surrogates exactly where JSON.parse would make some', () => {
    const unit = fc.constantFrom('\\ud83d', '\\ude00', '\\uD800', '\\u0000', '\\u0061', 'x', '\\\\')
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 8 }), (units) => {
        const json = `"${units.join('')}"`
        const parsed = JSON.parse(json) as string
        const bad = parsed.includes('\0') || /\p{Surrogate}/u.test(parsed)
        expect(scanJson(Buffer.from(json), '', 64).root.badEscapes > 0).toBe(bad)
      }),
      { numRuns: 500 },
    )
  })
})

function keysOf(parsed: unknown): number {
  if (typeof parsed !== 'object' || parsed === null) return 0
  const own = Array.isArray(parsed) ? 0 : Object.keys(parsed).length
  return Object.values(parsed).reduce((sum: number, item) => sum + keysOf(item), own)
}
