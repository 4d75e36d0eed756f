import { waitFor } from '@relay/tools/wait-for.js'
import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import type { NameRecord } from '@relay/shared/census/name-record.js'
import { fieldOf, recordOf, textOf } from '@relay/shared/census/name-record.js'
import { NameStore } from '@relay/shared/census/name-store.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import { Census } from '../../src/census/census.js'
import type { Sighting } from '../../src/census/sighting.js'
import { Findings } from '../../src/validate/findings.js'

const APP = 'APP'
const DAY_MS = 86_400_000
const NOW_MS = 20_000 * DAY_MS

let redis: TestRedis
let client: RedisClient
let prefix: string

beforeAll(async () => {
  redis = await startRedis()
  client = connectRedis({ mode: 'single', url: redis.url }, { commandTimeoutMs: 5_000 })
  await new Promise((resolve) => client.once('ready', resolve))
})
afterAll(async () => {
  client.disconnect()
  await redis.stop()
})
beforeEach(() => {
  prefix = redis.freshPrefix()
})

const stored = () => new NameStore(client, prefix, APP)

/** One api's census, which has read what Redis has. */
async function anApi(): Promise<Census> {
  const census = new Census((appId) => new NameStore(client, prefix, appId))
  census.known(APP)
  await census.share()
  return census
}

function post(census: Census, sightings: readonly Sighting[], producer = 'shop', nowMs = NOW_MS) {
  const findings = new Findings(100)
  census.known(APP)
  const seen = sightings.map((sighting, index) => ({ index, sighting }))
  census.consider(APP, { producer, nowMs, projectCode: null }, seen, findings)
  return findings.warnings.map(({ index, attribute, rule }) => [index, attribute, rule])
}

const user = (attribute: string, type: Sighting['type'] = 'text'): Sighting => {
  return { event: null, attribute, type }
}
const event = (name: string): Sighting => {
  return { event: { name, position: 2 }, attribute: null, type: null }
}
const own = (name: string, attribute: string, type: Sighting['type']): Sighting => {
  return { event: { name, position: 2 }, attribute, type }
}

it('says of each name once a request where it stands', async () => {
  const census = await anApi()
  post(census, [user('price', 'number'), event('Order placed'), own('Order placed', 'n', 'text')])
  const sightings = [
    user('price', 'text'),
    user('price', 'text'),
    event('Order plced'),
    own('Order placed', 'n', 'array'),
  ]
  expect(post(census, sightings)).toEqual([
    [0, 'attributes.price', 'nameType'],
    [2, 'actions[2].action', 'nameLookalike'],
    [3, 'actions[2].attributes.n', 'nameType'],
  ])
})

it('survives a restart, and says nothing before Redis was read', async () => {
  const census = await anApi()
  post(census, [user('price', 'number'), event('Viewed'), own('Viewed', 'a\tb', 'object')])
  await census.stop()
  const next = new Census((appId) => new NameStore(client, prefix, appId))
  expect(post(next, [user('price', 'text')])).toEqual([])
  await next.share()
  expect(next.known(APP).size).toBe(3)
  expect(post(next, [user('price', 'text')])).toEqual([[0, 'attributes.price', 'nameType']])
})

it('records the names posted before Redis was read as if they came after it', async () => {
  const census = await anApi()
  post(census, [event('Order placed')])
  await census.stop()
  const next = new Census((appId) => new NameStore(client, prefix, appId))
  const first = [event('Order plced'), own('Order plced', 'n', 'number'), own('Order plced', 'n', 'text')] // prettier-ignore
  expect(post(next, [...first, ...first])).toEqual([])
  await next.stop()
  const records = await stored().read()
  expect(records.map(({ name, types, doubt }) => ({ name, types, doubt }))).toEqual(
    expect.arrayContaining([
      { name: 'Order placed', types: [], doubt: null },
      { name: 'Order plced', types: [], doubt: { why: 'lookalike', of: 'Order placed' } },
      { name: 'n', types: ['number', 'text'], doubt: null },
    ]),
  )
})

it('is one for all apis: the first day and its type win, types are added', async () => {
  const [one, two] = [await anApi(), await anApi()]
  post(one, [user('price', 'number')], 'late')
  post(two, [user('price', 'text'), user('city')], 'early', NOW_MS - DAY_MS)
  await one.share()
  await two.share()
  post(one, [])
  await one.share()
  const records = await stored().read()
  const named = (name: string) => records.find((record) => record.name === name)
  expect(named('price')).toMatchObject({ producer: 'early', types: ['text', 'number'], firstDay: 19_999 }) // prettier-ignore
  expect(named('city')).toMatchObject({ producer: 'early', types: ['text'] })
  for (const census of [one, two]) {
    expect(post(census, [user('price', 'text'), user('price', 'number'), user('city')])).toEqual([
      [1, 'attributes.price', 'nameType'],
    ])
  }
})

it('merges the same once, however often and late a call is executed', async () => {
  const census = await anApi()
  post(census, [user('price', 'number')])
  await census.share()
  const records = await stored().read()
  const version = await stored().version()
  await stored().merge(records, 0)
  const later = records.map((record) => ({ ...record, firstDay: record.firstDay + 1 }))
  await stored().merge(later, 0)
  expect(await stored().read()).toEqual(records)
  expect(await stored().version()).toEqual(version)
})

it('keeps what could not be written, and writes it later', async () => {
  const store = stored()
  let isAway = false
  const census = new Census(() => ({
    version: () => store.version(),
    read: () => store.read(),
    merge: (records, resets) =>
      isAway ? Promise.reject(new Error('away')) : store.merge(records, resets),
  }))
  census.known(APP)
  await census.share()
  isAway = true
  post(census, [user('price', 'number')])
  await census.share()
  expect(await store.read()).toEqual([])
  isAway = false
  await census.share()
  expect((await store.read()).map(({ name }) => name)).toEqual(['price'])
})

it.each<NameRecord>([
  { scope: { of: 'events' }, name: 'é\n', firstDay: 1, types: [], producer: 'p', doubt: null },
  { scope: { of: 'user' }, name: '', firstDay: 1, types: ['text', 'object'], producer: 'p', doubt: { why: 'beyond' } },
  { scope: { of: 'event', event: 'a b' }, name: 'c', firstDay: 1, types: ['array'], producer: 'p', doubt: { why: 'lookalike', of: 'x\ty' } },
  { scope: { of: 'event', event: '' }, name: 'c', firstDay: 1, types: ['number'], producer: 'p', doubt: { why: 'objects' } },
])('a record is read as it was written %#', (record) => expect(recordOf(fieldOf(record), textOf(record))).toEqual(record)) // prettier-ignore

it('begins again for all apis after a reset, and what was seen before it does not return', async () => {
  const [one, two] = [await anApi(), await anApi()]
  post(one, [user('price', 'number'), event('Order placed')])
  await one.share()
  post(two, [])
  await two.share()
  post(two, [user('late')])
  await stored().reset()
  await two.share()
  expect(await stored().read()).toEqual([])
  for (const census of [one, two]) {
    post(census, [])
    await census.share()
    expect(post(census, [user('price', 'text'), event('Order plced')])).toEqual([])
    await census.share()
  }
  const names = (await stored().read()).map(({ name, types }) => [name, types])
  expect(names.sort()).toEqual([['Order plced', []], ['price', ['text']]]) // prettier-ignore
})

it('notices a reset by itself before the next exchange: a name it knew is recorded with its next post', async () => {
  const census = await anApi()
  post(census, [user('price', 'number')])
  await census.share()
  census.start()
  try {
    await stored().reset()
    const deadlineMs = performance.now() + 5_000
    const isRecorded = async () => {
      const isNoticed = post(census, [user('price', 'text')]).length === 0
      if (isNoticed) await census.share()
      return isNoticed && (await stored().read()).length > 0
    }
    await waitFor(isRecorded, { what: 'the name', timeoutMs: 5_000 })
    expect(performance.now()).toBeLessThan(deadlineMs)
  } finally {
    await census.stop()
  }
})

it('is empty after two resets as after one, and what is merged without knowing of it is refused', async () => {
  const census = await anApi()
  post(census, [user('price', 'number')])
  await census.share()
  const records = await stored().read()
  await stored().reset()
  await stored().reset()
  expect(await stored().merge(records, 0)).toBeNull()
  expect(await stored().read()).toEqual([])
  expect(await stored().version()).toEqual({ changes: 3, resets: 2 })
})
