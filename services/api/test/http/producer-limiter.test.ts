import { Socket } from 'node:net'
import fc from 'fast-check'
import { STAYS } from '../../src/accept/fairness.js'
import { ProducerLimiter, type Slot } from '../../src/http/producer-limiter.js'
import { LeavingCaller } from '../support/doubles.js'

const LIMITS = {
  maxHeldBytes: 100,
  maxPostsPerProducer: 3,
  placeWaitMs: 20,
  maxConnectionsPerProducer: 2,
}
const PRODUCERS = ['a', 'b', 'c'] as const

const isPlace = (begun: ReturnType<ProducerLimiter['begin']>): begun is Slot => 'take' in begun
/** The place that there must be. */
function placed(begun: ReturnType<ProducerLimiter['begin']>): Slot {
  if (!isPlace(begun)) throw new Error('there is no place')
  return begun
}

interface Post {
  readonly producer: string
  readonly place: Slot
  bytes: number
}

const producer = fc.constantFrom(...PRODUCERS)
const step = fc.oneof(
  fc.record({ do: fc.constant('begin' as const), producer }),
  fc.record({ do: fc.constant('take' as const), at: fc.nat(20), bytes: fc.integer({ min: 1, max: 60 }) }),
  fc.record({ do: fc.constant('release' as const), at: fc.nat(20) }),
  fc.record({ do: fc.constant('own' as const), at: fc.nat(8), producer }),
  fc.record({ do: fc.constant('close' as const), at: fc.nat(8) }),
) // prettier-ignore
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** What is held, counted again from all that was granted. */
class Model {
  readonly posts: Post[] = []
  readonly connections: { readonly socket: Socket; owner: string | null }[] = Array.from(
    { length: 9 },
    () => ({ socket: new Socket(), owner: null }),
  )

  bytesOf(name?: string): number {
    const own = this.posts.filter((post) => name === undefined || post.producer === name)
    return own.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  postsOf = (name: string) => this.posts.filter((post) => post.producer === name).length
  connectionsOf = (name: string) => this.connections.filter(({ owner }) => owner === name).length
}

function begin(limiter: ProducerLimiter, model: Model, name: string): void {
  // Other tests check what is waiting.
  if (model.postsOf(name) === LIMITS.maxPostsPerProducer) return
  model.posts.push({ producer: name, place: placed(limiter.begin(name, STAYS)), bytes: 0 })
}

function take(model: Model, post: Post, bytes: number): void {
  const isFull = model.bytesOf() + bytes > LIMITS.maxHeldBytes
  const free = LIMITS.maxHeldBytes - model.bytesOf() - bytes
  const isTooMuch = model.bytesOf(post.producer) + bytes > 2 * free
  const refusal = post.place.take(bytes)
  expect(refusal?.status ?? null).toBe(isFull || isTooMuch ? 503 : null)
  expect(refusal?.message.includes('per producer') ?? false).toBe(isTooMuch && !isFull)
  if (refusal === null) post.bytes += bytes
}

function own(limiter: ProducerLimiter, model: Model, at: number, name: string): void {
  const connection = model.connections[at]
  if (connection === undefined) return
  const hasRoom =
    connection.owner === name || model.connectionsOf(name) < LIMITS.maxConnectionsPerProducer
  const refusal = limiter.own(connection.socket, name)
  expect(refusal?.status ?? null).toBe(hasRoom ? null : 503)
  if (refusal === null) connection.owner = name
}

function play(limiter: ProducerLimiter, model: Model, what: Step): void {
  switch (what.do) {
    case 'begin':
      begin(limiter, model, what.producer)
      return
    case 'take': {
      const post = model.posts[what.at]
      if (post !== undefined) take(model, post, what.bytes)
      return
    }
    case 'release':
      for (const { place } of model.posts.splice(what.at, 1)) place.release()
      return
    case 'own':
      own(limiter, model, what.at, what.producer)
      return
    case 'close':
      model.connections[what.at]?.socket.emit('close')
      model.connections[what.at] = { socket: new Socket(), owner: null }
  }
}

describe('limiter of the producers', () => {
  it('grants exactly up to each bound, for any sequence of begins, reservations, releases and closes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const limiter = new ProducerLimiter(LIMITS)
        const model = new Model()
        for (const what of steps) play(limiter, model, what)
      }),
      { numRuns: 500 },
    )
  })

  it('leaves others their room when one has all that it may', async () => {
    const limiter = new ProducerLimiter(LIMITS)
    const [first] = Array.from({ length: 3 }, () => placed(limiter.begin('flood', STAYS)))
    expect(first?.take(66)).toBeNull()
    expect(first?.take(1)).toMatchObject({ status: 503 })
    const fourth = limiter.begin('flood', STAYS)
    const other = placed(limiter.begin('neighbour', STAYS))
    expect(other.take(20)).toBeNull()
    expect(await fourth).toMatchObject({ status: 503, retryAfterMs: 1_000 })
  })

  it('gives the place that becomes free to who waits longest, and never more than there are', async () => {
    const limiter = new ProducerLimiter({ ...LIMITS, placeWaitMs: 60_000 })
    const [first, second, third] = Array.from({ length: 3 }, () =>
      placed(limiter.begin('a', STAYS)),
    )
    const served: string[] = []
    const wait = async (name: string) => {
      const place = await limiter.begin('a', STAYS)
      served.push(name)
      return place
    }
    const [older, younger] = [wait('older'), wait('younger')]
    first?.release()
    await older
    expect(served).toEqual(['older'])
    second?.release()
    await younger
    expect(served).toEqual(['older', 'younger'])
    const last = limiter.begin('a', STAYS)
    expect(isPlace(last)).toBe(false)
    third?.release()
    expect(await last).toHaveProperty('take')
  })

  it('gives no place to who left while it waited', async () => {
    const limiter = new ProducerLimiter({ ...LIMITS, placeWaitMs: 60_000 })
    const [first] = Array.from({ length: 3 }, () => placed(limiter.begin('a', STAYS)))
    const caller = new LeavingCaller()
    const [left, stays] = [limiter.begin('a', caller), limiter.begin('a', STAYS)]
    caller.leave()
    expect(await left).toBeNull()
    first?.release()
    expect(await stays).toHaveProperty('take')
    expect(caller.waiting).toBe(0)
  })

  it('leaves a neighbour room for the largest body while eight producers hold all that they may', () => {
    const limiter = new ProducerLimiter({
      ...LIMITS,
      maxHeldBytes: 24 * 1_048_576,
      maxPostsPerProducer: 256,
    })
    for (let round = 0; round < 32; round++) {
      for (let i = 0; i < 8; i++) placed(limiter.begin(`flood${i}`, STAYS)).take(1_048_576)
    }
    expect(placed(limiter.begin('neighbour', STAYS)).take(1_048_576)).toBeNull()
  })

  it('closes the connection that is one too many', () => {
    const limiter = new ProducerLimiter(LIMITS)
    expect(limiter.own(new Socket(), 'flood')).toBeNull()
    expect(limiter.own(new Socket(), 'flood')).toBeNull()
    expect(limiter.own(new Socket(), 'flood')).toMatchObject({
      status: 503,
      headers: { Connection: 'close' },
    })
    expect(limiter.own(new Socket(), 'neighbour')).toBeNull()
  })
})
