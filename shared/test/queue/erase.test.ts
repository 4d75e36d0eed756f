import fc from 'fast-check'
import { KINDS, type Kind } from '../../src/element.js'
import { decodeChunk, encodeChunk, type ChunkPart, eraseCustomer } from '../../src/queue/chunk.js'

const CUSTOMERS = ['aaaaaaaa', 'bbbbbbbb', 'cccccccc']

const element = fc
  .record({
    kind: fc.constantFrom(...KINDS),
    customer: fc.constantFrom(...CUSTOMERS),
    posted: fc.constantFrom(0 as const, 1 as const),
    text: fc.json(),
  })
  .map(({ text, ...rest }) => ({
    ...rest,
    cost: 1,
    json: Buffer.from(`{"of":"${rest.customer}","v":${text}}`),
  }))
const part: fc.Arbitrary<ChunkPart> = fc.record({
  provenance: fc.record(
    {
      requestId: fc.stringMatching(/^[0-9A-Z]{26}$/),
      acceptedAtMs: fc.integer({ min: 0, max: 2 ** 47 }),
      projectCode: fc.constantFrom('EU', 'größe 7'),
      span: fc.constant(Buffer.alloc(25, 7)),
    },
    { requiredKeys: ['requestId', 'acceptedAtMs'] },
  ),
  elements: fc.array(element, { maxLength: 12 }),
})
const parts = fc.array(part, { maxLength: 5 })

describe('erasing a customer from a chunk', () => {
  it('leaves nothing of the customer, every other element as it was, and every place', () => {
    fc.assert(
      fc.property(parts, fc.boolean(), (given, compress) => {
        const chunk = encodeChunk(given, compress)
        const before = decodeChunk(chunk)
        const erased = eraseCustomer(chunk, Buffer.alloc(0), 'bbbbbbbb')
        if (!before.some(({ customer }) => customer === 'bbbbbbbb')) {
          expect(erased).toBeNull()
          return
        }
        const after = decodeChunk(erased?.chunk ?? Buffer.alloc(0))
        expect(after).toHaveLength(before.length)
        after.forEach((now, i) => {
          const then = before[i]
          if (then?.customer === 'bbbbbbbb') {
            expect(now).toMatchObject({ customer: '\0'.repeat(8), provenance: then.provenance })
            expect(now.json).toHaveLength(0)
          } else expect({ ...now, json: now.json.toString() }).toEqual({ ...then, json: then?.json.toString() }) // prettier-ignore
        })
        if (!compress) expect(erased?.chunk.includes('bbbbbbbb')).toBe(false)
        // Once more finds nothing.
        expect(eraseCustomer(erased?.chunk ?? chunk, Buffer.alloc(0), 'bbbbbbbb')).toBeNull()
      }),
    )
  })

  it('counts what was posted and not settled yet, by kind and by request', () => {
    fc.assert(
      fc.property(parts, fc.infiniteStream(fc.boolean()), (given, coin) => {
        const chunk = encodeChunk(given, false)
        const elements = decodeChunk(chunk)
        const settled = elements.map(() => coin.next().value === true)
        const done = Buffer.alloc((elements.length + 7) >> 3)
        settled.forEach((is, i) => { if (is) done[i >> 3] = (done[i >> 3] ?? 0) | (1 << (i & 7)) }) // prettier-ignore
        const erased = eraseCustomer(chunk, done, 'aaaaaaaa')
        if (erased === null) return
        const open = elements.filter((e, i) => e.customer === 'aaaaaaaa' && !settled[i])
        const of = (kind: Kind) =>
          open.filter((e) => e.kind === kind).reduce((sum, { posted }) => sum + posted, 0)
        expect(erased.counts).toEqual({
          user: of('user'),
          event: of('event'),
          device: of('device'),
        })
        const shared = erased.shares.reduce((sum, share) => sum + share.elements, 0)
        expect(shared).toBe(of('user') + of('event') + of('device'))
      }),
    )
  })
})
