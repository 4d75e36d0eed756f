import fc from 'fast-check'
import { NdjsonSplitter, type Line } from '../../src/import/ndjson.js'

const MAX = 12

/** The whole text at once, without any cleverness. */
type Numbered = readonly [number, string | null]

function naive(text: Buffer): Numbered[] {
  const latin = text.toString('latin1').replace(/^\xef\xbb\xbf/, '')
  const lines = latin.split('\n').map((line) => line.replace(/\r$/, ''))
  return lines.flatMap((line, i): Numbered[] => {
    if (line.length > MAX) return [[i + 1, null]]
    return /^[ \t\r]*$/.test(line) ? [] : [[i + 1, line]]
  })
}

function split(text: Buffer, sizes: readonly number[]): Numbered[] {
  const splitter = new NdjsonSplitter(MAX)
  const lines: Line[] = []
  let from = 0
  for (let i = 0; from < text.length; i++) {
    const to = from + Math.max(1, sizes[i % sizes.length] ?? 1)
    lines.push(...splitter.push(text.subarray(from, to)))
    from = to
  }
  const last = splitter.end()
  if (last !== null) lines.push(last)
  return lines.map(({ number, bytes }) => [number, bytes?.toString('latin1') ?? null] as const)
}

const piece = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('\n', '\r\n', '\r', ' ', '\t', '\ufeff', '') },
  { weight: 3, arbitrary: fc.string({ maxLength: MAX + 6, unit: 'binary' }) },
  { weight: 1, arbitrary: fc.constantFrom('x'.repeat(MAX), 'x'.repeat(MAX + 1), '{"a":"ü"}') },
)
const text = fc.array(piece, { maxLength: 20 }).map((parts) => Buffer.from(parts.join('')))
const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 })

describe('cutting NDJSON into lines', () => {
  it('gives the same lines however the text is cut into chunks', () => {
    fc.assert(
      fc.property(text, sizes, (whole, cuts) => expect(split(whole, cuts)).toEqual(naive(whole))),
      { numRuns: 3_000 },
    )
  })

  it.each([
    ['nothing', '', []],
    ['a byte order mark alone', '\ufeff', []],
    ['a missing last line end', 'a\nb', [[1, 'a'], [2, 'b']]],
    ['CRLF', 'a\r\nb\r\n', [[1, 'a'], [2, 'b']]],
    ['blank lines, which count', '\n \t\na\n\n', [[3, 'a']]],
    ['the longest line', 'x'.repeat(12) + '\r\n', [[1, 'x'.repeat(12)]]],
    ['one byte more', 'x'.repeat(13) + '\nb', [[1, null], [2, 'b']]],
  ])('reads %s', (_, whole, lines) => {
    expect(split(Buffer.from(whole), [1])).toEqual(lines)
    expect(split(Buffer.from(whole), [1_000])).toEqual(lines)
  }) // prettier-ignore

  it('holds no more than one line of the allowed length', () => {
    const splitter = new NdjsonSplitter(1_000)
    const chunk = Buffer.alloc(65_536, 'x')
    for (let i = 0; i < 1_000; i++) expect([...splitter.push(chunk)]).toEqual([])
    expect([...splitter.push(Buffer.from('\nb\n'))]).toEqual([
      { number: 1, bytes: null },
      { number: 2, bytes: Buffer.from('b') },
    ])
    expect(splitter.ended).toBe(2)
  })

  it('calls the first line what it is told', () => {
    const splitter = new NdjsonSplitter(10, 501)
    expect([...splitter.push(Buffer.from('a\n'))]).toEqual([{ number: 501, bytes: Buffer.from('a') }]) // prettier-ignore
  })
})
