import fc from 'fast-check'
import { partitionOf } from '@relay/shared/identity.js'
import type { Post } from '@relay/shared/queue/post.js'
import { dividePost } from '../../src/enqueue/pieces.js'

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

  test('the same post gives the same pieces, each with a digest of its own in its partition', () => {
    fc.assert(
      fc.property(post, fc.integer({ min: 1, max: 16 }), (given, count) => {
        const pieces = dividePost(given, count)
        expect(dividePost(given, count)).toEqual(pieces)
        const names = pieces.map(
          ({ partition, digest }) => `${String(partition)} ${digest?.toString('hex') ?? ''}`,
        )
        if (given.digest) expect(new Set(names).size).toBe(pieces.length)
        else expect(pieces.every(({ digest }) => digest === undefined)).toBe(true)
      }),
    )
  })
})
