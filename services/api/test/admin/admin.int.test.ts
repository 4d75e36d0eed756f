import { startProxy } from '@relay/test/support/proxy/tcp-proxy.js'
import type { TestRedis } from '@relay/test/support/redis/test-redis.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { NameStore } from '@relay/shared/census/name-store.js'
import type { namesView } from '../../src/admin/views.js'
import { readGate } from '@relay/shared/gate/gate-state.js'
import { GateStore, LearnedStore } from '@relay/shared/gate/gate-store.js'
import { shrink } from '@relay/shared/gate/adaptation.js'
import { onBodyRefused, unknownCeiling } from '@relay/shared/gate/ceiling.js'
import { advance } from '@relay/shared/gate/gate.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import { Deployment } from '@relay/shared/queue/deployment.js'
import { deploymentKeys, partitionKeys, workspaceKeys } from '@relay/shared/queue/keys.js'
import { createRequestId, producerTag } from '@relay/shared/request-id.js'
import { systemRandom } from '@relay/shared/random.js'
import { customerOf, letter, Operations, redisForTests } from './operations.js'
import { waitingPost } from '../support/waiting-post.js'

const iso = (ms: number) => new Date(ms).toISOString()

let redis: TestRedis
let client: RedisClient
let o: Operations

beforeAll(async () => {
  ;({ redis, client } = await redisForTests())
})
beforeEach(async () => {
  o = await new Operations(client, redis.freshPrefix()).start()
})
afterEach(async () => {
  await o.stop()
})
afterAll(async () => {
  client.disconnect()
  await redis.stop()
})

describe('the token', () => {
  it.each([
    ['a missing one', ''],
    ['a wrong one', 'Bearer operator-tokem'],
    ['another scheme', `Basic ${Buffer.from('a:operator-token').toString('base64')}`],
    ['an empty one', 'Bearer '],
  ])('%s is 401 with a challenge, on every path', async (_name, authorization) => {
    for (const path of ['/admin/workspaces', '/admin/nothing', '/admin/dead-letters/1']) {
      const { status, headers, body } = await o.ask('GET', path, undefined, { authorization })
      expect(status).toBe(401)
      expect(headers.get('www-authenticate')).toContain('Bearer')
      expect(body.error.type).toBe('Unauthorized')
    }
  })

  it('without a configured token every request is refused', async () => {
    const closed = await new Operations(client, redis.freshPrefix(), null).start()
    const { status, body } = await closed.ask('GET', '/admin/workspaces')
    await closed.stop()
    expect(status).toBe(403)
    expect(body.error.message).toContain('RELAY_ADMIN_TOKEN')
  })
})

it('unknown paths, workspaces, methods and ids have their own answers', async () => {
  expect((await o.ask('GET', '/admin/nothing')).status).toBe(404)
  expect((await o.ask('POST', '/admin/workspaces/NOBODY/pause')).status).toBe(404)
  expect((await o.ask('GET', '/admin/dead-letters?app_id=NOBODY')).status).toBe(404)
  const wrong = await o.ask('PUT', '/admin/workspaces')
  expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET'])
})

it('a broken workspaces file is shown with its first fault, and that the last valid one stays in use', async () => {
  const problem = async () =>
    (await o.ask('GET', '/admin/workspaces')).body.workspaces_file_problem as unknown
  expect(await problem()).toBeNull()
  o.faults.push(
    { where: 'w.json workspaces[1].dc', problem: 'is missing', accepted: '01 to 06' },
    { where: 'w.json workspaces[2]', problem: 'is missing', accepted: 'an object' },
  )
  expect(await problem()).toEqual({
    meaning: expect.stringMatching(
      /w\.json workspaces\[1\]\.dc: is missing; accepted: 01 to 06, and 1 more.*last valid one stays in use/,
    ) as unknown,
    next: expect.stringContaining('Correct the file') as unknown,
  })
})

it('the backlog of a workspace that was removed is counted, with its name, until that returns', async () => {
  const orphaned = async () => (await o.ask('GET', '/admin/workspaces')).body.orphaned as unknown
  await o.store.store(waitingPost('OTHER', ['ada', 'bob']))
  await o.store.store(waitingPost('APP', ['ada']))
  expect(await orphaned()).toBeNull()
  const all = o.configured
  o.configured = all.slice(0, 1)
  expect(await orphaned()).toEqual({ elements: 2, app_ids: ['OTHER'] })
  o.configured = all
  expect(await orphaned()).toBeNull()
})

it('with Redis silent, and then gone, it is 503 with the time to ask again', async () => {
  const proxy = await startProxy({ port: redis.port })
  const url = `redis://127.0.0.1:${proxy.port}`
  const distant = connectRedis({ mode: 'single', url, tls: {} }, { commandTimeoutMs: 60_000 })
  const operations = await new Operations(distant, redis.freshPrefix()).start()
  try {
    const isUp = async () => (await operations.ask('GET', '/admin/workspaces')).status === 200
    await waitFor(isUp, { what: 'the connection' })
    operations.logged.length = 0
    proxy.set({ stalled: true })
    const asked = operations.ask('GET', '/admin/workspaces')
    await waitFor(() => proxy.heldBytes > 0, { what: 'the question' })
    proxy.cut()
    const { status, headers, body } = await asked
    expect([status, body.error.type]).toEqual([503, 'Unavailable'])
    const cause = 'the connection to Redis was cut. Look at the log of Redis'
    expect(body.error.message).toBe(`Redis is unavailable: ${cause}`)
    expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
    await operations.ask('GET', '/admin/workspaces')
    const faults = operations.logged.filter(({ message }) => message.startsWith('operator request'))
    const isOne = [
      [expect.stringContaining('until Redis is available'), expect.stringContaining(cause)],
    ]
    expect(faults.map(({ message, fields }) => [message, fields.problem])).toEqual(isOne)
  } finally {
    await operations.stop()
    distant.disconnect()
    await proxy.stop()
  }
})

describe('a Redis that refuses writes', () => {
  const changes = [
    ['POST', '/admin/workspaces/APP/pause', undefined],
    ['POST', '/admin/dead-letters/replay', { app_id: 'APP' }],
    ['POST', '/admin/forget', { app_id: 'APP', customer_id: 'ada' }],
    ['DELETE', '/admin/workspaces/APP/names', undefined],
    ['DELETE', '/admin/dead-letters', { app_id: 'APP' }],
  ] as const

  let own: RedisClient
  let operations: Operations
  beforeEach(async () => {
    // Its own connection: a client that meets a replica connects again.
    own = connectRedis(
      { mode: 'single', url: `redis://127.0.0.1:${redis.port}`, tls: {} },
      { commandTimeoutMs: 5_000 },
    )
    operations = await new Operations(own, redis.freshPrefix()).start()
    await waitFor(() => own.status === 'ready', { what: 'the connection' })
    await operations.letters.add([letter(1, 'ada')])
  })
  afterEach(async () => {
    await operations.stop()
    own.disconnect()
  })

  async function refusals(): Promise<string[]> {
    const messages: string[] = []
    for (const [method, path, body] of changes) {
      await waitFor(() => own.status === 'ready', { what: 'the connection' })
      const answer = await operations.ask(method, path, body)
      const { error } = answer.body as { error?: { message: string } }
      if (answer.status !== 200) messages.push(`${answer.status} ${error?.message ?? ''}`)
    }
    return messages
  }

  it('as a replica is named as such, with the remedy, in the answer to every change', async () => {
    await client.replicaof('127.0.0.1', 1)
    try {
      const messages = await refusals()
      expect(messages).toHaveLength(changes.length)
      for (const message of messages) {
        expect(message).toMatch(/^503 .*read-only replica.*Set REDIS_URL to the master/)
      }
    } finally {
      await client.replicaof('NO', 'ONE')
    }
  })

  it('as it is full is named as such, with the remedy', async () => {
    const element = { kind: 'user' as const, cost: 1, posted: 1 as const, json: Buffer.from('{}') }
    // Its queues exist, as they do in any relay that has become full.
    await operations.store.store({
      ...{ appId: 'APP', lane: 'realtime', requestId: 'r', acceptedAtMs: Date.now() },
      elements: [
        { ...element, customer: Buffer.from(customerOf('ada'), 'hex').toString('latin1') },
      ],
    })
    await client.config('SET', 'maxmemory', '1')
    try {
      const messages = await refusals()
      // What only deletes, or makes room, is allowed.
      expect(messages.length).toBeGreaterThan(0)
      for (const message of messages) expect(message).toMatch(/^503 .*Redis is full.*maxmemory/)
    } finally {
      await client.config('SET', 'maxmemory', '0')
    }
  })
})

describe('workspaces', () => {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-return -- read as it comes
  const view = async () => (await o.ask('GET', '/admin/workspaces')).body.workspaces[0]

  it('shows an idle one', async () => {
    const { status, body } = await o.ask('GET', '/admin/workspaces')
    expect(status).toBe(200)
    expect(body.workspaces).toHaveLength(2)
    expect(body.workers_alive).toBe(0)
    expect(body.workspaces[0]).toMatchObject({
      app_id: 'APP',
      state: 'running',
      hold: null,
      backlog: { realtime: { user: 0, event: 0, device: 0, total: 0 }, backfill: { total: 0 } },
      oldest_age_seconds: { realtime: null, backfill: null },
      budgets: {
        users: { limit: 5_000, effective: 5_000, used: 0, left: 5_000 },
        events: { limit: 20_000, effective: 20_000, used: 0, left: 20_000 },
      },
      budgets_recovering: false,
      drain_eta_seconds: null,
      dead_letters: { element_refused: 0, undecodable: 0, too_large: 0 },
    })
  })

  it('tells that budgets recover after a restart of Redis', async () => {
    const { ledgerRecovery } = workspaceKeys(o.prefix, 'APP')
    await client.hset(ledgerRecovery, 'incarnation', 'new')
    expect(await view()).toMatchObject({ budgets_recovering: true, drain_eta_seconds: null })
    await client.del(ledgerRecovery)
  })

  it('shows the backlog, which partitions are served, and an estimate only with a live worker', async () => {
    const element = {
      ...{ kind: 'user' as const, cost: 1, posted: 1 as const },
      json: Buffer.from('{}'),
      customer: Buffer.from(customerOf('ada'), 'hex').toString('latin1'),
    }
    await o.store.store({
      ...{ appId: 'APP', lane: 'backfill', requestId: 'r', acceptedAtMs: Date.now() },
      elements: Array.from({ length: 7_500 }, () => element),
    })
    const idle = (await o.ask('GET', '/admin/workspaces')).body
    expect(idle.workspaces[0].drain_eta_seconds).toBeNull()
    expect(idle.workers).toMatchObject({ alive: 0, partitions_served: 0, none_since: null })
    expect(idle.workers.partitions_unserved).toBeGreaterThan(0)
    const leaseEndMs = Date.now() + 60_000
    await client.zadd(deploymentKeys(o.prefix).sessions, leaseEndMs, 'run.worker')
    const [tag = ''] = await new Deployment(client, o.prefix).active()
    await client.hset(partitionKeys(o.prefix, tag).control, 'owner', 'run.worker:1')
    const served = (await o.ask('GET', '/admin/workspaces')).body
    expect(served.workers_alive).toBe(1)
    expect(served.workers.partitions_served).toBe(1)
    const shown = await view()
    expect(shown.backlog.backfill).toMatchObject({ user: 7_500, total: 7_500 })
    expect(shown.oldest_age_seconds.backfill).toBeGreaterThanOrEqual(0)
    // Backfill alone is spread over the window, at 4,750 in each.
    expect(shown.drain_eta_seconds).toBe(94.7)
  })

  it('shows the customers that wait, those held longest first', async () => {
    expect((await view()).customers_held).toEqual({ count: 0, longest: [] })
    const { customersHeld, customersHeldTimes } = workspaceKeys(o.prefix, 'APP')
    const nowMs = Date.now()
    await client.zadd(customersHeld, nowMs + 60_000, 'aa', nowMs + 90_000, 'bb', nowMs - 1, 'cc')
    const times = (sinceMs: number, untilMs: number) => `${sinceMs} ${untilMs}`
    const [aa, bb] = [times(nowMs - 1_000, nowMs + 60_000), times(nowMs - 9_000, nowMs + 90_000)]
    await client.hset(customersHeldTimes, { aa, bb, cc: times(1, nowMs - 1) })
    const { count, longest } = (await view()).customers_held
    expect(count).toBe(2)
    expect(longest).toEqual([
      { customer: 'bb', since: iso(nowMs - 9_000), until: iso(nowMs + 90_000) },
      { customer: 'aa', since: iso(nowMs - 1_000), until: iso(nowMs + 60_000) },
    ])
  })

  it('shows a hold with its reason and next probe', async () => {
    const gate = new GateStore(client, o.prefix, 'APP')
    const event = { type: 'refused_for', reason: 'credentials_refused', probeId: null } as const
    await gate.change('0', JSON.stringify(advance(readGate(null), event, 1_760_000_000_000, 0)))
    const shown = await view()
    expect(shown.state).toBe('held')
    expect(shown.hold).toMatchObject({
      meaning: 'MoEngage refuses the API key',
      reason: 'credentials_refused',
      since: '2025-10-09T08:53:20.000Z',
      next_probe_at: '2025-10-09T08:53:21.000Z',
      probe_is_due: true,
    })
  })

  it('shows what 429s and 413s taught, and for how long', async () => {
    expect((await view()).learned).toEqual({ budget: null, body: null })
    const learned = new LearnedStore(client, o.prefix, 'APP')
    const nowMs = Date.now()
    const refusal = { sentAtMs: nowMs, nowMs, usedShare: 0.5, windowMs: 60_000 }
    await learned.change('adaptation', '', JSON.stringify(shrink(null, refusal)))
    const ceiling = onBodyRefused(unknownCeiling(128_000), 64_000, nowMs)
    await learned.change('ceiling', '', JSON.stringify(ceiling))
    expect((await view()).learned).toEqual({
      budget: {
        share: expect.closeTo(0.35, 5) as number,
        since: iso(nowMs),
        full_at: iso(nowMs + 295_000),
      },
      body: { bytes: 32_000, larger_at: iso(nowMs + 3_600_000) },
    })
  })

  it('after the last lease has ended, no worker is alive since then', async () => {
    await client.zadd(deploymentKeys(o.prefix).sessions, 1_760_000_000_000, 'run.dead')
    const { body } = await o.ask('GET', '/admin/workspaces')
    expect(body).toMatchObject({
      workers_alive: 0,
      workers: { none_since: '2025-10-09T08:53:20.000Z' },
    })
  })

  it('pause and resume change nothing but the pause, and workers are told', async () => {
    const gate = new GateStore(client, o.prefix, 'APP')
    const event = { type: 'failed_transient', reason: 'timeout', probeId: null } as const
    const before = advance(readGate(null), event, 1_000, 0)
    await gate.change('0', JSON.stringify(before))
    const paused = await o.ask('POST', '/admin/workspaces/APP/pause')
    expect(paused.body).toMatchObject({ app_id: 'APP', state: 'paused' })
    const stored = await gate.read()
    expect(readGate(stored.record)).toEqual({ ...before, paused: true })
    // Once more changes nothing: the version, which unsettles workers, stays.
    await o.ask('POST', '/admin/workspaces/APP/pause')
    expect((await gate.read()).version).toBe(stored.version)
    await o.ask('POST', '/admin/workspaces/APP/resume')
    expect(readGate((await gate.read()).record)).toEqual(before)
    expect(o.logged.map(({ fields }) => fields.action)).toEqual(['pause', 'pause', 'resume'])
  })
})

describe('the trace of a request', () => {
  const newId = (elements: number, atMs = Date.now()) =>
    createRequestId(atMs, elements, producerTag('shop'), systemRandom)
  const trace = async (id: string) => o.ask('GET', `/admin/requests/${id}`)

  it('without any event names the workspace if it is the only one', async () => {
    o.configured.pop()
    expect((await trace(newId(10))).body).toMatchObject({ app_id: 'APP', state: 'queued' })
    // It may be of a workspace that was removed.
    o.lanes = []
    const lost = await trace(newId(10, Date.now() - 60_000))
    expect(lost.body).toMatchObject({ app_id: null, state: 'unknown' })
  })

  it('counts what is sent, dead and purged; the rest waits', async () => {
    const id = newId(10)
    expect((await trace(id)).body).toMatchObject({
      app_id: null,
      state: 'queued',
      counts: { accepted: 10, queued: 10 },
    })
    await o.traces.note(
      'APP',
      'sent',
      [{ requestId: id, elements: 6 }],
      'bulk-1',
      1_760_000_000_000,
    )
    await o.letters.add([letter(1, 'ada', { requestId: id }), letter(2, 'bob', { requestId: id })])
    const { body } = await trace(id)
    expect(body).toMatchObject({
      request_id: id,
      app_id: 'APP',
      state: 'queued',
      counts: { accepted: 10, queued: 2, sent: 6, dead_lettered: 2, purged: 0 },
      sent: [
        {
          at: '2025-10-09T08:53:20.000Z',
          bulk_request_id: 'bulk-1',
          vendor_request_id: null,
          elements: 6,
        },
      ],
    })
    expect(body.dead_lettered).toHaveLength(2)
    expect(body.dead_lettered[0]).toMatchObject({
      id: letter(1, 'ada').id,
      reason: 'element_refused',
      answer: { status: 400, type: 'AttributeError' },
    })
    await o.traces.note(
      'APP',
      'sent',
      [{ requestId: id, elements: 2 }],
      'bulk-2',
      1_760_000_000_000,
    )
    expect((await trace(id)).body.state).toBe('dead_lettered')
    await o.ask('DELETE', '/admin/dead-letters', { request_id: id })
    expect((await trace(id)).body).toMatchObject({
      state: 'purged',
      counts: { queued: 0, sent: 8, dead_lettered: 0, purged: 2 },
    })
  })

  it('is 404 for what relay never gave, and for what is too old', async () => {
    const ids = ['nonsense', '01ARZ3NDEKTSV4RRFFQ69G5FAV', newId(0), newId(3, Date.now() + 3.6e6)]
    for (const id of [...ids, newId(3, Date.now() - 25 * 3.6e6)]) {
      expect((await trace(id)).status).toBe(404)
    }
  })
})

it('the names of a workspace are shown, doubtful ones first, and how near they are to the bounds', async () => {
  const record = { firstDay: 20_000, producer: 'shop', doubt: null }
  const records = [
    { ...record, scope: { of: 'events' }, name: 'Viewed', types: [] },
    { ...record, scope: { of: 'event', event: 'Viewed' }, name: 'n', types: ['number', 'text'] },
    { ...record, scope: { of: 'user' }, name: 'plan', types: ['object'] },
    { ...record, scope: { of: 'user' }, name: 'u_em', types: ['text'] },
    { ...record, scope: { of: 'user' }, name: 'color', types: [], doubt: { why: 'lookalike', of: 'colour' } }, // prettier-ignore
  ] as const
  await new NameStore(client, o.prefix, 'APP').merge(records, 0)
  const { status, body } = await o.ask('GET', '/admin/workspaces/APP/names')
  const view = body as unknown as ReturnType<typeof namesView>
  expect(status).toBe(200)
  expect(view.names.map(({ kind, name, doubt }) => [kind, name, doubt])).toEqual([
    ['event attribute', 'n', 'was number first, is text too'],
    ['user attribute', 'color', 'one letter from colour'],
    ['event', 'Viewed', null],
    ['user attribute', 'plan', null],
    ['user attribute', 'u_em', null],
  ])
  expect(view.names[0]).toMatchObject({ event: 'Viewed', since: '2024-10-04', producer: 'shop' })
  expect(view.bounds.map(({ known, limit }) => [known, limit])).toEqual([
    [1, 512],
    [2, 256],
    [1, 100],
    [1, 10],
    [0, 5],
  ])
  expect((await o.ask('GET', '/admin/workspaces/NOBODY/names')).status).toBe(404)
})

it('the names of a workspace are deleted on request, which is audited', async () => {
  const scope = { of: 'user' } as const
  const record = { scope, name: 'plan', types: [], firstDay: 20_000, producer: 'shop', doubt: null }
  const store = new NameStore(client, o.prefix, 'APP')
  await store.merge([record], 0)
  expect((await o.ask('DELETE', '/admin/workspaces/NOBODY/names')).status).toBe(404)
  expect(await store.read()).toHaveLength(1)
  expect((await o.ask('DELETE', '/admin/workspaces/APP/names')).body).toEqual({ app_id: 'APP' })
  expect(await store.read()).toEqual([])
  const { actions } = (await o.ask('GET', '/admin/audit')).body
  expect(actions[0]).toMatchObject({ action: 'names.reset', appId: 'APP' })
})
