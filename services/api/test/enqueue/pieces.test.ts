import fc from 'fast-check'
import { partitionOf } from '@relay/shared/identity.js'
import type { Post } from '@relay/shared/queue/post.js'
import { dividePost } from '../../src/enqueue/partition-writer.js'

const element = fc.record({
  kind: fc.constant('event' as const),
  json: fc.integer({ min: 1, max: 40_000 }).map((bytes) => Buffer.alloc(bytes)),
  cost: fc.constant(1),
  customer: fc.stringMatching(/^[a-z]{8}$/),
  posted: fc.constant(1 as const),
})
const post: fc.Arbitrary<Post> = fc.record({
  appId: fc.constant('APP'),
  lane: fc.constant('realtime' as const),
  requestId: fc.constant('r'),
  acceptedAtMs: fc.constant(1),
  elements: fc.array(element, { maxLength: 30 }),
  digest: fc.option(fc.constant(Buffer.from('0123456789ab')), { nil: undefined }),
})

describe('dividing a post among partitions', () => {
  test('loses, repeats and reorders nothing, and puts each element where its customer belongs', () => {
    fc.assert(
      fc.property(post, fc.integer({ min: 1, max: 16 }), (given, count) => {
        const pieces = dividePost(given, count)
        for (let partition = 0; partition < count; partition += 1) {
          const own = pieces.filter((piece) => piece.partition === partition)
          expect(own.flatMap(({ elements }) => elements)).toEqual(
            given.elements.filter((e) => partitionOf(e.customer, count) === partition),
          )
        }
      }),
    )
  })

  test('the same post gives the same pieces, each with its own digest in its partition', () => {
    fc.assert(
      fc.property(post, fc.integer({ min: 1, max: 16 }), (given, count) => {
        const pieces = dividePost(given, count)
        expect(dividePost(given, count)).toEqual(pieces)
        const names = pieces.map(
          ({ partition, digest }) => `${partition} ${digest?.toString('hex') ?? ''}`,
        )
        if (given.digest) expect(new Set(names).size).toBe(pieces.length)
        else expect(pieces.every(({ digest }) => digest === undefined)).toBe(true)
      }),
    )
  })

  test('a piece takes the next elements of its partition, as many as 64 KB hold', () => {
    const MAX_BYTES = 65_536
    const length = (list: Post['elements']) => list.reduce((sum, { json }) => sum + json.length, 0)
    fc.assert(
      fc.property(post, fc.integer({ min: 1, max: 4 }), (given, count) => {
        const pieces = dividePost(given, count)
        pieces.forEach(({ partition, elements, bytes }, i) => {
          expect(elements.length).toBeGreaterThan(0)
          expect(bytes).toBe(length(elements))
          expect(bytes <= MAX_BYTES || elements.length === 1).toBe(true)
          const next = pieces.slice(i + 1).find((one) => one.partition === partition)
          if (next) expect(bytes + length(next.elements.slice(0, 1))).toBeGreaterThan(MAX_BYTES)
        })
      }),
    )
    const sized = (...sizes: number[]): Post => {
      const elements = sizes.map((bytes) => {
        return { kind: 'event' as const, json: Buffer.alloc(bytes), cost: 1, customer: 'a'.repeat(8), posted: 1 as const } // prettier-ignore
      })
      return { appId: 'APP', lane: 'realtime', requestId: 'r', acceptedAtMs: 1, elements }
    }
    const bytesOf = (given: Post) => dividePost(given, 1).map(({ bytes }) => bytes)
    expect(bytesOf(sized(MAX_BYTES - 1, 1))).toEqual([MAX_BYTES])
    expect(bytesOf(sized(MAX_BYTES, 1))).toEqual([MAX_BYTES, 1])
    expect(bytesOf(sized(MAX_BYTES + 9, 1, 1))).toEqual([MAX_BYTES + 9, 2])
  })
})
