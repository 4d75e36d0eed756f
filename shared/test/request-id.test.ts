import fc from 'fast-check'
import { createRequestId, parseRequestId, producerTag } from '../src/request-id.js'
import { systemRandom } from '../src/random.js'

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
      }),
    )
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
  ])('is not %j', (text) => {
    expect(parseRequestId(text)).toBeNull()
  })

  it('tells producers apart', () => {
    expect(producerTag('shop')).toBe(producerTag('shop'))
    expect(producerTag('shop')).not.toBe(producerTag('crm'))
  })
})
