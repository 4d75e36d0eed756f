import fc from 'fast-check'
import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import {
  ANY_LETTER,
  type DeadLetterFilter,
  type DeadLetter,
} from '../../src/dead-letters/dead-letter.js'
import { DeadLetterStore, type PageRequest } from '../../src/dead-letters/dead-letter-store.js'
import { connectRedis, type RedisClient } from '../../src/redis/connect.js'
import { createRequestId, parseRequestId } from '../../src/request-id.js'
import { seededRandom } from '../../src/seeded-random.js'
import { letter } from './letters.js'

let redis: TestRedis
let client: RedisClient

beforeAll(async () => {
  redis = await startRedis()
  client = connectRedis({ mode: 'single', url: redis.url }, { commandTimeoutMs: 5_000 })
  await new Promise((resolve) => client.once('ready', resolve))
})
afterAll(async () => {
  client.disconnect()
  await redis.stop()
})

const store = (): DeadLetterStore => new DeadLetterStore(client, redis.freshPrefix())
const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

async function readAll(
  from: DeadLetterStore,
  filter: Partial<DeadLetterFilter>,
  more: Partial<PageRequest> = {},
): Promise<DeadLetter[]> {
  const all: DeadLetter[] = []
  let after: number | null = null
  do {
    const page = await from.page('APP', {
      ...{ filter: { ...ANY_LETTER, ...filter }, first: 'oldest', limit: 7, after },
      ...more,
      after,
    })
    all.push(...page.letters.map((kept) => kept.letter))
    after = page.next
  } while (after !== null)
  return all
}

it('keeps a letter as it was added, and adding it again changes nothing', async () => {
  const letters = store()
  await letters.add([letter(1), letter(2)])
  await letters.add([letter(2, { attempts: 9 }), letter(3)])
  expect(await readAll(letters, {})).toEqual([letter(1), letter(2), letter(3)])
  expect(await letters.counts('APP')).toEqual({
    element_refused: 3,
    undecodable: 0,
    too_large: 0,
    expired: 0,
  })
})

it('pages through all letters in either order, none twice and none left out', async () => {
  const letters = store()
  // Several die in one millisecond, and one clock is behind.
  const all = numbers(40).map((n) => letter(n, { deadAtMs: 1_700_000_000_000 + (n % 3) }))
  for (const one of all) await letters.add([one])
  expect(await readAll(letters, {})).toEqual(all)
  expect(await readAll(letters, {}, { first: 'newest' })).toEqual([...all].reverse())
})

it.each<[string, Partial<DeadLetterFilter>, (l: DeadLetter) => boolean]>([
  ['reason', { reason: 'too_large' }, (l) => l.reason === 'too_large'],
  ['customer', { customer: '00000000000000bb' }, (l) => l.customer === '00000000000000bb'],
  ['request', { requestId: 'R'.repeat(26) }, (l) => l.requestId === 'R'.repeat(26)],
  ['since', { sinceMs: 1_700_000_000_013 }, (l) => l.deadAtMs >= 1_700_000_000_013],
  [
    'customer, reason and since together',
    { customer: '00000000000000bb', reason: 'too_large', sinceMs: 1_700_000_000_010 },
    (l) =>
      l.customer === '00000000000000bb' &&
      l.reason === 'too_large' &&
      l.deadAtMs >= 1_700_000_000_010,
  ],
])('finds by %s exactly what a scan finds', async (_name, filter, isWanted) => {
  const letters = store()
  const all = numbers(40).map((n) =>
    letter(n, {
      ...(n % 3 === 0 ? { reason: 'too_large' as const } : {}),
      ...(n % 4 < 2 ? { customer: '00000000000000bb' } : {}),
      ...(n % 5 === 0 ? { requestId: 'R'.repeat(26) } : {}),
    }),
  )
  await letters.add(all)
  const wanted = all.filter(isWanted)
  expect(await readAll(letters, filter)).toEqual(wanted)
  expect(await readAll(letters, filter, { first: 'newest' })).toEqual([...wanted].reverse())
})

it('forgets what is removed, in every index, once', async () => {
  const letters = store()
  await letters.add(numbers(10).map((n) => letter(n)))
  const some = [letter(2), letter(5)]
  expect(await letters.remove(some)).toEqual(some)
  expect(await letters.remove(some)).toEqual([])
  const rest = numbers(10).flatMap((n) => (n === 2 || n === 5 ? [] : [letter(n)]))
  expect(await readAll(letters, {})).toEqual(rest)
  expect(await readAll(letters, { customer: letter(0).customer })).toEqual(rest)
  expect(await readAll(letters, { requestId: letter(0).requestId })).toEqual(rest)
  expect(await readAll(letters, { reason: 'element_refused' })).toEqual(rest)
  expect(await letters.get([letter(5).id, letter(7).id, letter(3).id, 'x'])).toEqual([
    letter(3),
    letter(7),
  ])
})

it('counts the bytes of each producer’s letters, in any order of burials and removals', async () => {
  const posted = (n: number) => {
    const requestId = createRequestId(n, 1, n % 2 === 0 ? 0x1234 : 0xffff, seededRandom(n))
    return letter(n, { requestId, element: 'x'.repeat(n * 10) })
  }
  const step = fc.record({ buries: fc.boolean(), ns: fc.array(fc.nat(5), { minLength: 1 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
      const letters = store()
      const kept = new Set<number>()
      for (const { buries, ns } of steps) {
        await (buries ? letters.add(ns.map(posted)) : letters.remove(ns.map(posted)))
        for (const n of ns) kept[buries ? 'add' : 'delete'](n)
      }
      const expected = new Map<number, number>()
      for (const one of [...kept].map(posted)) {
        const tag = parseRequestId(one.requestId)?.producerTag ?? 0
        expected.set(tag, (expected.get(tag) ?? 0) + JSON.stringify(one).length + 500)
      }
      expect(await letters.bytes('APP')).toEqual(expected)
    }),
    { numRuns: 50 },
  )
})

it('leaves no key behind once all letters are removed, but the last order number', async () => {
  const prefix = redis.freshPrefix()
  const letters = new DeadLetterStore(client, prefix)
  await letters.add([letter(1)])
  await letters.remove([letter(1)])
  expect(await client.keys(`${prefix}*`)).toEqual([`${prefix}:{APP}:dead:last`])
})

it('a letter that dies after a bound was taken is beyond the bound', async () => {
  const letters = store()
  await letters.add([letter(1), letter(2)])
  const upTo = await letters.newestOrder('APP')
  await letters.remove([letter(2)])
  await letters.add([letter(3, { deadAtMs: 0 })])
  expect(await readAll(letters, {}, { upTo })).toEqual([letter(1)])
})

it('a page of 100,000 letters takes less than 100 ms', async () => {
  const letters = store()
  for (let at = 0; at < 100_000; at += 5_000) {
    await letters.add(
      numbers(5_000).map((n) =>
        letter(at + n, { customer: (at + n).toString(16).padStart(16, '0') }),
      ),
    )
  }
  const filters: Partial<DeadLetterFilter>[] = [
    {},
    { reason: 'element_refused' },
    { customer: (70_000).toString(16).padStart(16, '0') },
  ]
  for (const filter of filters) {
    const request = { filter: { ...ANY_LETTER, ...filter }, first: 'newest', after: null } as const
    const began = performance.now()
    const page = await letters.page('APP', { ...request, limit: 100 })
    expect(performance.now() - began).toBeLessThan(100)
    expect(page.letters.length).toBeGreaterThan(0)
  }
})
