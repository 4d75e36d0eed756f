import { parseRequestId, producerTag } from '@relay/shared/request-id.js'
import { APP, basic, NOW_MS, TestIntake, transition, workspace } from '../support/intake.js'
import { customerKey } from '@relay/shared/identity.js'
import { device, event, user } from '../corpus/case.js'

const GOOD = transition({ type: 'customer', customer_id: 'ann' })
const UNTIMED = transition({ type: 'event', customer_id: 'ann', actions: [{ action: 'A' }] })
const QUOTAS = new Map([['crm', { elementsPerMinute: 10 }]])

let intake: TestIntake
beforeEach(async () => {
  intake = new TestIntake([workspace(APP, { quotas: QUOTAS })])
  await intake.start()
})
afterEach(() => intake.stop())

const keyed = (key: string, body = GOOD) => ({ body, headers: { 'idempotency-key': key } })

describe('an accepted request', () => {
  it('is answered exactly as MoEngage answers, with the id that the queue knows it by', async () => {
    const { status, body } = await intake.send({ body: GOOD })
    const [post] = intake.store.posts
    expect(status).toBe(200)
    expect(body).toEqual({
      status: 'success',
      message: 'Your request has been accepted and will be processed soon.',
      request_id: post?.requestId,
    })
  })

  it('has an id that tells its time, its size and its producer', async () => {
    const { body } = await intake.send({ body: GOOD })
    expect(parseRequestId(body.request_id ?? '')).toEqual({
      acceptedAtMs: NOW_MS,
      elementCount: 1,
      producerTag: producerTag('shop'),
    })
  })

  it('is queued in order, with kind, cost and customer of each element', async () => {
    const twice = { action: 'A', user_time: 1 }
    const body = `{"type":"transition","elements":[${user()},${device()},${event({ actions: [twice, twice] })},${user({ customer_id: 'bob' })}]}`
    await intake.send({ body, headers: { 'relay-lane': 'backfill' } })
    const [post] = intake.store.posts
    expect(post).toMatchObject({ appId: APP, lane: 'backfill', acceptedAtMs: NOW_MS })
    const elements = post?.elements ?? []
    expect(elements.map(({ kind, cost }) => [kind, cost])).toEqual([
      ['user', 1],
      ['device', 1],
      ['event', 2],
      ['user', 1],
    ])
    const [ann, annsDevice, annsEvent, bob] = elements.map(({ customer }) => customer)
    expect([annsDevice, annsEvent]).toEqual([ann, ann])
    expect(bob).not.toBe(ann)
  })

  it('returns the caller’s X-Request-Id, and its own where there is none to return', async () => {
    const given = await intake.send({ body: GOOD, headers: { 'x-request-id': 'trace-1' } })
    expect(given.headers['x-request-id']).toBe('trace-1')
    const odd = await intake.send({ body: GOOD, headers: { 'x-request-id': 'a b' } })
    expect(odd.headers['x-request-id']).toBe(odd.body.request_id)
  })

  it('with two lists of elements queues the last, and says so', async () => {
    const lists = [user({ customer_id: 'ann' }), user({ customer_id: 'bob' })]
    const [first, last] = lists.map((element) => `"elements":[${element}]`)
    const { status, body } = await intake.send({
      body: `{"type":"transition",${first ?? ''},${last ?? ''}}`,
    })
    expect([status, intake.store.take()]).toEqual([200, [lists[1]]])
    expect(body.warnings).toEqual([
      {
        index: 0,
        attribute: 'elements',
        message: 'occurs more than once in its object; only the last one is sent',
      },
    ])
  })

  it('names an attribute that it sets and clears, also one of a long name', async () => {
    const name = `city${'y'.repeat(500)}`
    const unset_attributes = [{ type: 'prefix', attr: 'CITY', case_sensitive: false }]
    const body = `{"type":"transition","elements":[${user({ attributes: { [name]: 1 }, unset_attributes })}]}`
    const { body: answer } = await intake.send({ body })
    expect(answer.warnings?.map(({ message }) => message)).toContain(
      `clears "${name.slice(0, 300)}", which the same element sets: MoEngage clears it`,
    )
  })

  it('is counted by kind, and its warnings by rule', async () => {
    await intake.send({
      body: `{"type":"transition","elements":[${user({ customer_id: 'Guest' })},${device()}]}`,
    })
    expect(intake.observer.counts).toEqual([
      { appId: APP, kind: 'user', lane: 'realtime', outcome: 'accepted', count: 1 },
      { appId: APP, kind: 'device', lane: 'realtime', outcome: 'accepted', count: 1 },
    ])
    expect(intake.observer.warnings).toEqual([[APP, 'blockedIdSpelling', 1]])
  })
})

describe('a request with some bad elements', () => {
  const bad = { type: 'customer', customer_id: 'guest' }
  const good = { type: 'customer', customer_id: 'ann' }

  it('is refused whole, listing every problem by index', async () => {
    const { status, body } = await intake.send({ body: transition(bad, good, { type: 'x' }, bad) })
    expect(status).toBe(400)
    expect(body.error?.details?.map(({ index }) => index)).toEqual([0, 2, 3])
    expect(body.error?.attribute).toBe('customer_id')
    expect(intake.store.posts).toEqual([])
  })

  it('is accepted in part when lenient, naming what was rejected', async () => {
    const body = transition(bad, good, { type: 'x' }, good)
    const answer = await intake.send({ body, headers: { prefer: 'handling=lenient' } })
    expect(answer.status).toBe(200)
    expect(answer.body.rejected?.map(({ index, attribute }) => [index, attribute])).toEqual([
      [0, 'customer_id'],
      [2, 'type'],
    ])
    expect(intake.store.posts[0]?.elements).toHaveLength(2)
  })

  it('is refused with 400 when lenient and none is valid', async () => {
    const huge = { ...good, attributes: { a: 'x'.repeat(130_000) } }
    const headers = { prefer: 'handling=lenient' }
    expect((await intake.send({ body: transition(bad, bad), headers })).status).toBe(400)
    expect((await intake.send({ body: transition(huge), headers })).status).toBe(400)
  })

  it('says an empty list of rejected when lenient and all is well', async () => {
    const answer = await intake.send({ body: GOOD, headers: { prefer: 'handling=lenient' } })
    expect(answer.body.rejected).toEqual([])
  })

  it('names the index of an element that fits no bulk body', async () => {
    const huge = { ...good, attributes: { a: 'x'.repeat(130_000) } }
    const { status, body } = await intake.send({ body: transition(good, huge) })
    expect(status).toBe(413)
    expect(body.error?.details?.map(({ index }) => index)).toEqual([1])
  })

  it('lists at most 1,000 problems and says how many more there are', async () => {
    const { body } = await intake.send({ body: transition(...Array<object>(1_500).fill(bad)) })
    expect(body.error?.details).toHaveLength(1_001)
    expect(body.error?.details?.at(-1)?.message).toContain('500 more')
  })
})

describe('an Idempotency-Key', () => {
  it('gives the first answer again and stores nothing twice', async () => {
    const first = await intake.send(keyed('k'))
    const again = await intake.send(keyed('k'))
    expect(again.text).toBe(first.text)
    expect(again.status).toBe(200)
    expect(first.headers['idempotency-replayed']).toBeUndefined()
    expect(again.headers['idempotency-replayed']).toBe('true')
    expect(again.headers['x-request-id']).toBe(first.body.request_id)
    expect(intake.store.posts).toHaveLength(1)
  })

  it('is refused with 422 for another body', async () => {
    await intake.send(keyed('k'))
    const other = await intake.send(keyed('k', `${GOOD} `))
    expect(other.status).toBe(422)
  })

  it('is its own key for each producer', async () => {
    await intake.send(keyed('k'))
    const headers = { 'idempotency-key': 'k', authorization: basic(APP, 'other') }
    const other = await intake.send({ body: GOOD, headers })
    expect(other.headers['idempotency-replayed']).toBeUndefined()
    expect(intake.store.posts).toHaveLength(2)
  })

  it('resumes a request whose outcome was unknown, with its id, digest and stamps', async () => {
    intake.store.next = { outcome: 'unknown', reason: 'redis_unavailable' }
    const first = await intake.send(keyed('k', UNTIMED))
    expect(first.status).toBe(503)
    expect(first.body.error?.message).toContain('same Idempotency-Key')
    intake.store.next = { outcome: 'stored' }
    intake.clock.now += 60_000
    const again = await intake.send(keyed('k', UNTIMED))
    expect(again.status).toBe(200)
    const [post] = intake.store.posts
    expect(post?.acceptedAtMs).toBe(NOW_MS)
    expect(post?.digest).toBeDefined()
    expect(post?.elements[0]?.json.toString()).toContain(new Date(NOW_MS).toISOString())
    expect(again.body.request_id).toBe(post?.requestId)
  })

  it('resumes a lenient request with what its first try took, not with what became valid since', async () => {
    const inSixMinutes = new Date(NOW_MS + 360_000).toISOString()
    const events = [new Date(NOW_MS).toISOString(), inSixMinutes].map((at, i) => ({
      type: 'event',
      customer_id: `c${i}`,
      actions: [{ action: 'a', current_time: at }],
    }))
    const body = JSON.stringify({ type: 'transition', elements: events })
    const lenient = {
      body,
      headers: { 'idempotency-key': 'k', prefer: 'handling=lenient' },
    }
    intake.store.next = { outcome: 'unknown', reason: 'redis_unavailable' }
    expect((await intake.send(lenient)).status).toBe(503)
    intake.store.next = { outcome: 'stored' }
    intake.clock.now += 120_000
    const again = await intake.send(lenient)
    expect(again.status).toBe(200)
    expect(again.body.rejected).toMatchObject([{ index: 1 }])
    expect(intake.store.posts[0]?.elements).toHaveLength(1)
  })

  it('gives a lenient answer again byte for byte, also when the rules validator by another time', async () => {
    const soon = new Date(NOW_MS + 360_000).toISOString()
    const event = (at: string) => ({ type: 'event', customer_id: 'ann', actions: [{ action: 'a', current_time: at }] }) // prettier-ignore
    const body = transition(event(soon), event(new Date(NOW_MS).toISOString()))
    const lenient = { body, headers: { 'idempotency-key': 'k', prefer: 'handling=lenient' } }
    const first = await intake.send(lenient)
    expect(first.body.rejected).toHaveLength(1)
    intake.clock.now += 120_000
    for (const headers of [lenient.headers, { 'idempotency-key': 'k' }]) {
      const again = await intake.send({ body, headers })
      expect([again.status, again.text]).toEqual([200, first.text])
      expect(again.headers['idempotency-replayed']).toBe('true')
    }
    expect(intake.store.posts).toHaveLength(1)
  })

  it('says that details are not known any more, instead of other details', async () => {
    const big = { type: 'customer', customer_id: 'bob', attributes: { a: 'x'.repeat(500) } }
    const body = transition(JSON.parse(GOOD).elements[0], big)
    const lenient = { body, headers: { 'idempotency-key': 'k', prefer: 'handling=lenient' } }
    const first = await intake.send(lenient)
    expect(first.body.rejected).toEqual([])
    const { limits } = workspace(APP)
    intake.workspaces.set(APP, workspace(APP, { limits: { ...limits, maxBodyBytes: 250 } }))
    const again = await intake.send(lenient)
    expect(again.body.request_id).toBe(first.body.request_id)
    expect(again.body.rejected).toBeUndefined()
    expect(again.body.warnings?.[0]?.message).toContain('cannot be derived again')
  })

  it.each(['quota', 'store'] as const)('leaves nothing when the %s refuses', async (which) => {
    const quotas = new Map([['shop', { elementsPerMinute: 1 }]])
    intake.workspaces.set(APP, workspace(APP, { quotas }))
    if (which === 'quota') {
      intake.quota.next = { granted: false, retryAfterMs: 1_000, exceeded: '1 element' }
    } else intake.store.next = { outcome: 'refused', reason: 'backlog_full' }
    expect((await intake.send(keyed('k'))).status).toBe(which === 'quota' ? 429 : 503)
    expect(intake.idempotency.records).toBe(0)
  })

  it('takes no quota when it was answered before', async () => {
    const quotas = new Map([['shop', { elementsPerMinute: 1 }]])
    intake.workspaces.set(APP, workspace(APP, { quotas }))
    await intake.send(keyed('k'))
    intake.quota.next = { granted: false, retryAfterMs: 1_000, exceeded: '1 element' }
    expect((await intake.send(keyed('k'))).status).toBe(200)
    expect((await intake.send(keyed('other'))).status).toBe(429)
  })

  it('is not claimed by an invalid request', async () => {
    expect((await intake.send(keyed('k', '{}'))).status).toBe(400)
    expect((await intake.send(keyed('k'))).status).toBe(200)
  })

  it('gives the first answer also when the limits allow the body no more', async () => {
    const body = transition({ type: 'customer', customer_id: 'ann', attributes: { a: 'x'.repeat(500) } }) // prettier-ignore
    const first = await intake.send(keyed('k', body))
    const { limits } = workspace(APP)
    intake.workspaces.set(APP, workspace(APP, { limits: { ...limits, maxBodyBytes: 200 } }))
    const again = await intake.send(keyed('k', body))
    expect([again.status, again.text]).toEqual([200, first.text])
    expect(again.headers['idempotency-replayed']).toBe('true')
    expect((await intake.send(keyed('other', body))).status).toBe(413)
  })

  it.each(['{', '{}', transition({ type: 'x' })])(
    'is refused with 422 for another body that is invalid, too: %s',
    async (body) => {
      await intake.send(keyed('k'))
      expect((await intake.send(keyed('k', body))).status).toBe(422)
    },
  )

  it('leaves an invalid body its own refusal when its memory cannot be reached', async () => {
    await intake.send(keyed('k'))
    intake.idempotency.available = false
    expect((await intake.send(keyed('k', '{'))).status).toBe(400)
  })

  it('is 503 when its memory cannot be reached', async () => {
    intake.idempotency.available = false
    const answer = await intake.send(keyed('k'))
    expect(answer.status).toBe(503)
    expect(answer.headers['retry-after']).toMatch(/^\d+$/)
  })

  it('is 409 while the first request is running', async () => {
    const { body } = keyed('k')
    const running = new Promise<void>((resolve) => {
      const store = intake.store.store.bind(intake.store)
      intake.store.store = async (post) => {
        const second = await intake.send({ ...keyed('k'), body })
        expect(second.status).toBe(409)
        expect(second.headers['retry-after']).toBe('1')
        resolve()
        return store(post)
      }
    })
    expect((await intake.send(keyed('k'))).status).toBe(200)
    await running
  })
})

describe('when a request cannot be stored', () => {
  it.each([
    ['refused', 'redis_unavailable', 'Nothing was stored'],
    ['refused', 'backlog_full', 'backlog'],
    ['unknown', 'durability', 'may have been stored'],
  ] as const)('%s, %s: 503 with Retry-After and what to do', async (outcome, reason, words) => {
    intake.store.next = { outcome, reason }
    const answer = await intake.send({ body: GOOD })
    expect(answer.status).toBe(503)
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1)
    expect(answer.body.error?.message).toContain(words)
    expect(intake.observer.counts.map(({ outcome: counted }) => counted)).toEqual(['unavailable'])
  })

  it('an exceeded quota is 429 with Retry-After, for the producer that has one', async () => {
    intake.quota.next = { granted: false, retryAfterMs: 2_500, exceeded: '10 elements per minute' }
    const headers = { authorization: basic(APP, 'other') }
    const answer = await intake.send({ body: GOOD, headers })
    expect(answer.status).toBe(429)
    expect(answer.headers['retry-after']).toBe('3')
    expect((await intake.send({ body: GOOD })).status).toBe(200)
    expect(intake.quota.asked.map(({ producer }) => producer)).toEqual(['crm'])
  })

  it('an event counts against the quota once for each action', async () => {
    const actions = Array.from({ length: 7 }, () => ({ action: 'a', user_time: 1 }))
    const body = transition({ type: 'event', customer_id: 'ann', actions })
    await intake.send({ body, headers: { authorization: basic(APP, 'other') } })
    expect(intake.quota.asked.map(({ elements }) => elements)).toEqual([7])
  })

  it('what was certainly not stored is given back to the quota', async () => {
    const headers = { authorization: basic(APP, 'other') }
    intake.store.next = { outcome: 'unknown', reason: 'redis_unavailable' }
    await intake.send({ body: GOOD, headers })
    expect(intake.quota.givenBack).toEqual([])
    intake.store.next = { outcome: 'refused', reason: 'redis_unavailable' }
    await intake.send({ body: GOOD, headers })
    expect(intake.quota.givenBack).toEqual([intake.quota.asked[1]])
  })

  it('a refused quota gives the key back', async () => {
    const headers = { authorization: basic(APP, 'other'), 'idempotency-key': 'k' }
    intake.quota.next = { granted: false, retryAfterMs: 1, exceeded: 'x' }
    expect((await intake.send({ body: GOOD, headers })).status).toBe(429)
    intake.quota.next = { granted: true }
    expect((await intake.send({ body: GOOD, headers })).status).toBe(200)
  })

  it('a store that breaks its promise is 500 without a word of why, and gives the key back', async () => {
    const store = intake.store.store.bind(intake.store)
    intake.store.store = () => Promise.reject(new Error('secret detail'))
    const answer = await intake.send(keyed('k'))
    expect(answer.status).toBe(500)
    expect(answer.text).not.toContain('secret detail')
    expect(intake.observer.failures).toHaveLength(1)
    intake.store.store = store
    expect((await intake.send(keyed('k'))).status).toBe(200)
  })
})

describe('an endpoint of the vendor that relay does not carry', () => {
  it('names the host of the workspace to its producers, and no host of anybody to others', async () => {
    const path = '/v1/customer/merge?app_id=APP_DEBUG'
    const known = await intake.send({ path, body: '{}' })
    expect(known.body.error?.message).toContain('https://api-02.moengage.com')
    const stranger = await intake.send({ path, body: '{}', headers: { authorization: null } })
    expect(stranger.status).toBe(404)
    expect(stranger.body.error?.message).toContain('https://api-0X.moengage.com')
  })
})

test('members beside the elements are dropped with a warning', async () => {
  const body = JSON.stringify({ ...(JSON.parse(GOOD) as object), project_code: 'eu', foo: 1 })
  const { status, body: answer } = await intake.send({ body })
  expect(status).toBe(200)
  expect(answer.warnings).toEqual([
    expect.objectContaining({
      attribute: 'project_code',
      message: expect.stringContaining('"?project_code="'),
    }),
    expect.objectContaining({ attribute: 'foo' }),
  ])
})

describe('an element of a customer that is held back', () => {
  const hot = { type: 'customer', customer_id: 'hot' }
  const body = transition({ type: 'customer', customer_id: 'ann' }, hot, hot)

  it('is accepted with a warning, once per request, also when the post is repeated', async () => {
    intake.heldCustomers.add(customerKey('c:hot'))
    const first = await intake.send(keyed('k', body))
    expect(first.status).toBe(200)
    expect(first.body.warnings).toEqual([
      expect.objectContaining({ index: 1, message: expect.stringContaining('waits') }),
    ])
    expect((await intake.send(keyed('k', body))).body).toEqual(first.body)
  })

  it('counts as one part after another of an event that is split', async () => {
    intake.heldCustomers.add(customerKey('c:hot'))
    const actions = Array.from({ length: 300 }, () => ({ action: 'A' }))
    const split = { type: 'event', customer_id: 'ann', actions }
    const { body: answer } = await intake.send({ body: transition(split, hot) })
    expect(answer.warnings?.map(({ index }) => index)).toEqual([1])
  })
})
