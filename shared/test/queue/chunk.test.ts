import { inflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { KINDS, type Provenance } from '../../src/element.js'
import {
  decodeChunk,
  elementTable,
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
  provenance: fc.record(
    {
      requestId: fc.stringMatching(/^[0-9A-Z]{1,32}$/),
      acceptedAtMs: fc.integer({ min: 0, max: 2 ** 47 }),
      projectCode: fc.string({ minLength: 1, maxLength: 300, unit: 'grapheme' }),
      span: fc.uint8Array({ minLength: 25, maxLength: 25 }).map((bytes) => {
        // No span has a trace of zeros.
        bytes[0] = 1
        return Buffer.from(bytes)
      }),
    },
    { requiredKeys: ['requestId', 'acceptedAtMs'] },
  ),
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

  test('of traced posts is read by a relay that knows of none, as if they were not', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), fc.boolean(), (parts, compress) => {
        const untraced = parts.map(({ provenance: { requestId, acceptedAtMs }, elements }) => ({
          provenance: { requestId, acceptedAtMs },
          elements,
        }))
        const traced = encodeChunk(
          parts.map((p) => ({ ...p, provenance: outsideProjects(p.provenance) })),
          compress,
        )
        const before = encodeChunk(untraced, compress)
        // It was what a chunk is now without spans: the same bytes, and then more.
        expect(traced.subarray(0, before.length).equals(before)).toBe(true)
        const jsonAt = elementTable(before) + parts.flatMap((p) => p.elements).length * 15
        expect(jsonBefore(traced, jsonAt)).toEqual(jsonBefore(before, jsonAt))
      }),
    )
  })

  test('is of the first format unless a post names a project: older workers leave only those', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const names = parts.some(({ provenance }) => provenance.projectCode !== undefined)
        expect(encodeChunk(parts, false)[0]).toBe(names ? 2 : 1)
      }),
    )
  })

  test('of a newer format is not misread', () => {
    const chunk = encodeChunk([], false)
    chunk.writeUInt8(3, 0)
    expect(() => decodeChunk(chunk)).toThrow(UnknownChunkError)
  })
})

function outsideProjects({ requestId, acceptedAtMs, span }: Provenance): Provenance {
  return span === undefined ? { requestId, acceptedAtMs } : { requestId, acceptedAtMs, span }
}

/** The JSON as 0.1.0 took it, which knew of nothing behind it. */
function jsonBefore(chunk: Buffer, at: number): Buffer {
  const bytes = chunk.readUInt32LE(8)
  const tail = chunk.subarray(at)
  const json =
    chunk.readUInt8(1) === 1 ? inflateRawSync(tail, { chunkSize: Math.max(64, bytes + 1) }) : tail
  return json.subarray(0, bytes)
}
