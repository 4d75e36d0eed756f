import type { TestRedis } from '@relay/test/support/redis/test-redis.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'
import { DeadLetterRetention } from '../../src/admin/letters.js'
import { letter, Operations, redisForTests } from './operations.js'

let redis: TestRedis
let client: RedisClient
const opened: Operations[] = []

beforeAll(async () => {
  ;({ redis, client } = await redisForTests())
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((operations) => operations.stop()))
})
afterAll(async () => {
  client.disconnect()
  await redis.stop()
})

async function open(): Promise<Operations> {
  const operations = await new Operations(client, redis.freshPrefix()).start()
  opened.push(operations)
  return operations
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
const idsOf = (body: unknown): string[] =>
  (body as { dead_letters: { id: string }[] }).dead_letters.map(({ id }) => id)

describe('the list', () => {
  it('shows a letter whole, its element byte for byte', async () => {
    const o = await open()
    await o.letters.add([letter(1, 'ada')])
    const { status, text, body } = await o.ask('GET', '/admin/dead-letters')
    expect(status).toBe(200)
    expect(text).toContain('"n":123456789012345678901}')
    expect(body.next_cursor).toBeNull()
    expect(body.dead_letters[0]).toMatchObject({
      id: letter(1, 'ada').id,
      app_id: 'APP',
      lane: 'realtime',
      kind: 'event',
      reason: 'element_refused',
      answer: { status: 400, type: 'AttributeError', message: 'no', attribute: 'n' },
      attempts: 2,
      request_id: '01JDBX3K5NPQRS000000000000',
      accepted_at: '2023-11-14T22:13:20.000Z',
      dead_at: '2023-11-14T22:13:20.001Z',
    })
  })

  it('pages over all workspaces, newest first, none twice and none left out', async () => {
    const o = await open()
    const all = range(25).map((n) =>
      // Pairs die in the same millisecond, one in each workspace.
      letter(n, 'ada', {
        deadAtMs: 1_700_000_000_000 + (n >> 1),
        ...(n % 2 ? { appId: 'OTHER', id: `OTHER.realtime.0.0.${n}.0` } : {}),
      }),
    )
    await o.letters.add(all)
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const from = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
      const { body } = await o.ask('GET', `/admin/dead-letters?limit=4${from}`)
      expect(body.dead_letters.length).toBeLessThanOrEqual(4)
      seen.push(...idsOf(body))
      cursor = body.next_cursor
    }
    const deaths = seen.map((id) => all.find((l) => l.id === id)?.deadAtMs ?? 0)
    expect(deaths).toEqual([...deaths].sort((a, b) => b - a))
    expect([...seen].sort()).toEqual(all.map(({ id }) => id).sort())
  })

  it('finds by customer id in clear, reason, workspace and time', async () => {
    const o = await open()
    await o.letters.add([
      letter(1, 'ada'),
      letter(2, 'bob', { reason: 'too_large' }),
      letter(3, 'ada', { reason: 'too_large' }),
    ])
    const list = async (query: string) =>
      idsOf((await o.ask('GET', `/admin/dead-letters?${query}`)).body)
    expect(await list('customer_id=ada')).toEqual([letter(3, 'ada').id, letter(1, 'ada').id])
    expect(await list('customer_id=ada&reason=too_large')).toEqual([letter(3, 'ada').id])
    expect(await list('app_id=OTHER')).toEqual([])
    expect(await list('since=2023-11-14T22:13:20.002Z')).toHaveLength(2)
    expect(await list('since=1700000001')).toHaveLength(0)
  })

  it.each([
    ['limit=0', 'limit'],
    ['limit=many', 'limit'],
    ['reason=bad_luck', 'reason'],
    ['since=yesterday', 'since'],
    ['cursor=xyz', 'cursor'],
    ['customer=ada', 'customer'],
    ['request_id=1', 'request_id'],
  ])('refuses %s and names the field', async (query, field) => {
    const o = await open()
    const { status, body } = await o.ask('GET', `/admin/dead-letters?${query}`)
    expect(status).toBe(400)
    expect(body.error).toMatchObject({ type: 'InvalidRequest', field })
  })

  it('one letter can be read by its id; an unknown one is 404', async () => {
    const o = await open()
    await o.letters.add([letter(1, 'ada')])
    expect((await o.ask('GET', `/admin/dead-letters/${letter(1, 'ada').id}`)).body.attempts).toBe(2)
    expect((await o.ask('GET', '/admin/dead-letters/APP.realtime.0.0.9.9')).status).toBe(404)
  })
})

describe('replay', () => {
  it("puts each customer's letters back in the order they died, as they were, and forgets them", async () => {
    const o = await open()
    const all = range(60).map((n) => letter(n, `c${n % 7}`))
    // Buried in any order of ids, they died in the order of the burials.
    const deaths = all.map((_, i) => all[(i * 37) % 60]!)
    for (const one of deaths) await o.letters.add([one])
    const { status, body } = await o.ask('POST', '/admin/dead-letters/replay', { app_id: 'APP' })
    expect([status, body]).toEqual([200, { count: 60 }])
    const queued = await o.queued()
    for (const c of range(7).map((n) => `c${n}`)) {
      const own = (text: string) => text.includes(`"customer_id":"${c}"`)
      expect(queued.map(({ json }) => json.toString()).filter(own)).toEqual(
        deaths.map(({ element }) => element).filter(own),
      )
    }
    expect(queued[0]).toMatchObject({ kind: 'event', cost: 1, posted: 1 })
    expect(new Set(queued.map(({ provenance }) => provenance.requestId))).toEqual(
      new Set(['01JDBX3K5NPQRS000000000000']),
    )
    expect((await o.ask('GET', '/admin/dead-letters')).body.dead_letters).toEqual([])
  })

  it('repeated after a halt, even one before the letters were forgotten, delivers each once', async () => {
    const o = await open()
    const all = range(20).map((n) => letter(n, `c${n % 3}`))
    await o.letters.add(all)
    o.store.left = 11
    const halted = await o.ask('POST', '/admin/dead-letters/replay', { app_id: 'APP' })
    expect(halted.status).toBe(503)
    expect(halted.headers.get('retry-after')).toBe('5')
    expect(halted.body.error).toMatchObject({ type: 'Unavailable', count: 11 })
    // As if the process had died between putting back and forgetting.
    await o.letters.add(all)
    o.store.left = Infinity
    const again = await o.ask('POST', '/admin/dead-letters/replay', { app_id: 'APP' })
    expect(again.body).toEqual({ count: 20 })
    const queued = (await o.queued()).map(({ json }) => json.toString())
    expect([...queued].sort()).toEqual(all.map(({ element }) => element).sort())
  })

  it('takes the lane as before, and only the letters named', async () => {
    const o = await open()
    const own = [letter(1, 'ada', { lane: 'backfill' }), letter(2, 'ada'), letter(3, 'bob')]
    await o.letters.add(own)
    const { body } = await o.ask('POST', '/admin/dead-letters/replay', {
      ids: [own[1]!.id, own[0]!.id, 'APP.realtime.0.0.77.0'],
    })
    expect(body).toEqual({ count: 2 })
    expect(await client.keys(`${o.prefix}:{APP/backfill/*:wait`)).toHaveLength(1)
    expect(idsOf((await o.ask('GET', '/admin/dead-letters')).body)).toEqual([own[2]!.id])
  })

  it('leaves a line in the audit log, without the customer in clear', async () => {
    const o = await open()
    await o.letters.add([letter(1, 'ada')])
    await o.ask('POST', '/admin/dead-letters/replay', { customer_id: 'ada' })
    const audit = o.logged.filter(({ fields }) => fields.audit === true)
    expect(audit).toHaveLength(1)
    expect(audit[0]?.fields).toMatchObject({ action: 'dead_letters.replay', count: 1 })
    expect(JSON.stringify(audit)).not.toContain('"ada"')
    expect(JSON.stringify(audit)).not.toContain('operator-token')
  })

  it.each<[unknown, string]>([
    [{}, 'ids'],
    [undefined, 'ids'],
    [[], 'body'],
    [{ ids: [] }, 'ids'],
    [{ ids: ['APP.x'], app_id: 'APP' }, 'ids'],
    [{ ids: ['NOBODY.realtime.0.0.1.0'] }, 'ids'],
    [{ reason: 'none' }, 'reason'],
    [{ app: 'APP' }, 'app'],
    ['{"ids":', 'body'],
  ])('refuses %j and names the field', async (given, field) => {
    const o = await open()
    for (const [method, path] of [
      ['POST', '/admin/dead-letters/replay'],
      ['DELETE', '/admin/dead-letters'],
    ] as const) {
      const { status, body } = await o.ask(method, path, given)
      expect(status).toBe(400)
      expect(body.error.field).toBe(field)
    }
  })
})

describe('purge', () => {
  it('forgets by filter and by id, and says how many', async () => {
    const o = await open()
    await o.letters.add(range(6).map((n) => letter(n, n % 2 ? 'ada' : 'bob')))
    const first = await o.ask('DELETE', '/admin/dead-letters', { customer_id: 'ada' })
    expect(first.body).toEqual({ count: 3 })
    const second = await o.ask('DELETE', '/admin/dead-letters', { ids: [letter(2, 'bob').id] })
    expect(second.body).toEqual({ count: 1 })
    expect((await o.ask('GET', '/admin/dead-letters')).body.dead_letters).toHaveLength(2)
    expect(await o.queued()).toEqual([])
  })
})

it('letters expire by their age, and only those', async () => {
  const o = await open()
  await o.letters.add(range(1_200).map((n) => letter(n, 'ada')))
  const clock = { nowMs: () => 1_700_000_000_000 + 1_000 + 100, monotonicMs: () => 0 }
  const { letters, traces } = o
  const log = { error: () => 0, warn: () => 0, info: () => 0, debug: () => 0 }
  const appIds = () => ['APP']
  const expiry = new DeadLetterRetention({ letters, traces, clock, log, appIds, keptMs: 100 })
  expect(await expiry.look()).toBe(1_001)
  expect((await o.letters.counts('APP')).element_refused).toBe(199)
})

// curl sends another unless told; a tool that names none means JSON all the same.
it.each(['application/x-www-form-urlencoded', 'text/plain', 'application/json; charset=utf-8'])(
  'a body is read as JSON for any content type: %s',
  async (type) => {
    const o = await open()
    await o.letters.add([letter(1, 'ada'), letter(2, 'bob')])
    const headers = { 'content-type': type }
    const purged = await o.ask('DELETE', '/admin/dead-letters', { customer_id: 'ada' }, headers)
    expect([purged.status, purged.body]).toEqual([200, { count: 1 }])
    const replay = await o.ask('POST', '/admin/dead-letters/replay', { app_id: 'APP' }, headers)
    expect([replay.status, replay.body]).toEqual([200, { count: 1 }])
  },
)
