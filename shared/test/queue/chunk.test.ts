import fc from 'fast-check'
import { KINDS } from '../../src/element.js'
import {
  decodeChunk,
  encodeChunk,
  UnknownChunkError,
  type ChunkPart,
} from '../../src/queue/chunk.js'

const element = fc.record({
  kind: fc.constantFrom(...KINDS),
  json: fc.json().map((text) => Buffer.from(text)),
  cost: fc.integer({ min: 1, max: 0xffff }),
  customer: fc
    .uint8Array({ minLength: 8, maxLength: 8 })
    .map((b) => Buffer.from(b).toString('latin1')),
  posted: fc.constantFrom(0 as const, 1 as const),
})
const part: fc.Arbitrary<ChunkPart> = fc.record({
  provenance: fc.record({
    requestId: fc.stringMatching(/^[0-9A-Z]{1,32}$/),
    acceptedAtMs: fc.integer({ min: 0, max: 2 ** 47 }),
  }),
  elements: fc.array(element, { maxLength: 20 }),
})

describe('a chunk', () => {
  test('gives back what was put in, in order, compressed or not', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), fc.boolean(), (parts, compress) => {
        const expected = parts.flatMap(({ provenance, elements }) =>
          elements.map((e) => ({ ...e, json: e.json.toString(), provenance })),
        )
        const decoded = decodeChunk(encodeChunk(parts, compress))
        const read = decoded.map(
          ({ kind, cost, customer, posted, provenance, json, jsonBytes }) => {
            expect(jsonBytes).toBe(json.length)
            return { kind, cost, customer, posted, provenance, json: json.toString() }
          },
        )
        expect(read).toEqual(expected)
        const copied = Buffer.alloc(decoded.reduce((sum, { json }) => sum + json.length, 0))
        const end = decoded.reduce((at, one) => one.copyJson(copied, at), 0)
        expect(end).toBe(copied.length)
        expect(copied.toString()).toBe(expected.map(({ json }) => json).join(''))
      }),
    )
  })

  test('of a newer format is not misread', () => {
    const chunk = encodeChunk([], false)
    chunk.writeUInt8(2, 0)
    expect(() => decodeChunk(chunk)).toThrow(UnknownChunkError)
  })
})
