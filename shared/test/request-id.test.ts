import fc from 'fast-check'
import { createRequestId, isIntact, parseRequestId, producerTag } from '../src/request-id.js'
import { systemRandom } from '../src/random.js'
import { seededRandom } from '../src/seeded-random.js'

const TIME_MS = fc.integer({ min: 0, max: 2 ** 48 - 1 })
const COUNT = fc.integer({ min: 0, max: 0xfffff })
const TAG = fc.integer({ min: 0, max: 0xffff })

describe('a request id', () => {
  it('says what it was made of', () => {
    fc.assert(
      fc.property(TIME_MS, COUNT, TAG, (acceptedAtMs, elementCount, tag) => {
        const id = createRequestId(acceptedAtMs, elementCount, tag, systemRandom)
        expect(id).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/)
        expect(parseRequestId(id)).toEqual({ acceptedAtMs, elementCount, producerTag: tag })
        expect(isIntact(id)).toBe(true)
      }),
    )
  })

  it('shows that a letter was mistyped, but for one in a thousand', () => {
    const random = seededRandom(1)
    const intact = Array.from({ length: 2_000 }, () => {
      const id = createRequestId(1_795_980_000_000, 1, 1, random)
      const at = random.bytes(1).readUInt8(0) % 26
      const other = id[at] === '4' ? '5' : '4'
      return id.slice(0, at) + other + id.slice(at + 1)
    }).filter(isIntact)
    expect(intact.length).toBeLessThanOrEqual(2)
  })

  it('sorts by time', () => {
    fc.assert(
      fc.property(TIME_MS, TIME_MS, (a, b) => {
        fc.pre(a !== b)
        const [early, late] = [Math.min(a, b), Math.max(a, b)].map((ms) =>
          createRequestId(ms, 1, 1, systemRandom),
        )
        expect((early ?? '') < (late ?? '')).toBe(true)
      }),
    )
  })

  it('is not made twice', () => {
    const ids = Array.from({ length: 1_000 }, () => createRequestId(1, 1, 1, systemRandom))
    expect(new Set(ids).size).toBe(1_000)
  })

  it('counts no further than it can write', () => {
    const id = createRequestId(1, 5_000_000, 1, systemRandom)
    expect(parseRequestId(id)?.elementCount).toBe(0xfffff)
  })

  it.each([
    '',
    'x',
    '8'.repeat(26),
    'I'.repeat(26),
    '0'.repeat(25),
    '0'.repeat(27),
    'a'.repeat(26),
  ])('is not %j', (text) => expect(parseRequestId(text)).toBeNull())

  it('tells producers apart', () => {
    expect(producerTag('shop')).toBe(producerTag('shop'))
    expect(producerTag('shop')).not.toBe(producerTag('crm'))
  })
})
