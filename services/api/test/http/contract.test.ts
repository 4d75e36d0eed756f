import { gzipSync } from 'node:zlib'
import {
  APP,
  basic,
  NOW_MS,
  OTHER_APP,
  TestIntake,
  transition,
  workspace,
} from '../support/intake.js'
import type { Answered, Sending } from '../support/intake.js'
import type { StoreOutcome } from '@relay/shared/queue/post.js'
import { acting, device, event, user } from '../corpus/case.js'

/** The table "Intake" of the contract, line by line: what is posted, and what must come back. */

const GOOD = transition(JSON.parse(user()))
const AT = `/v1/transition/${APP}`
const LINES = { 'content-type': 'application/x-ndjson' }
const KEYED = { 'idempotency-key': 'k' }
const BAD = transition(JSON.parse(user()), { type: 'customer', customer_id: 'x' }, { type: 'no' })

const nested = (levels: number) =>
  user({ attributes: { a: JSON.parse('['.repeat(levels) + ']'.repeat(levels)) as unknown } })
const minutesAhead = (minutes: number) => new Date(NOW_MS + minutes * 60_000).toISOString()

interface Line extends Sending {
  readonly says: string
  readonly status: number
  readonly type?: string
  readonly attribute?: string
  readonly headers?: Readonly<Record<string, string | null>>
  readonly answers?: Readonly<Record<string, RegExp>>
}

const STATUSES: readonly Line[] = [
  { says: 'missing Content-Type 400', body: GOOD, headers: { 'content-type': null }, status: 400, type: 'Missing header value' },
  { says: 'another type 415', body: GOOD, headers: { 'content-type': 'text/xml' }, status: 415, type: 'Unsupported Media Type' },
  { says: 'gzip request bodies are accepted', body: gzipSync(GOOD), headers: { 'content-encoding': 'gzip' }, status: 200 },
  { says: 'bad gzip 400', body: GOOD, headers: { 'content-encoding': 'gzip' }, status: 400 },
  { says: 'bad UTF-8 400', body: Buffer.from(GOOD.replace('ann', '\xff'), 'latin1'), status: 400, type: 'Malformed JSON' },
  { says: 'bad JSON 400', body: '{', status: 400, type: 'Malformed JSON' },
  { says: 'bad lane 400', body: GOOD, headers: { 'relay-lane': 'x' }, status: 400, attribute: 'Relay-Lane' },
  { says: 'bad idempotency key 400', body: GOOD, headers: { 'idempotency-key': 'ä' }, status: 400, attribute: 'Idempotency-Key' },
  { says: '64 levels are accepted', path: `/v1/customer/${APP}`, body: nested(62), status: 200 },
  { says: 'nesting over 64 levels 400', path: `/v1/customer/${APP}`, body: nested(63), status: 400 },
  { says: 'event time 5 min ahead is accepted', path: `/v1/event/${APP}`, body: acting({ current_time: minutesAhead(5) }), status: 200 },
  { says: 'event time over 5 min ahead 400', path: `/v1/event/${APP}`, body: acting({ current_time: minutesAhead(5.1) }), status: 400, attribute: 'actions[0].current_time' },
  { says: 'unknown path 404', path: `/v1/clients/${APP}`, body: GOOD, status: 404, type: 'Not Found' },
  { says: 'missing user name 401', body: GOOD, headers: { authorization: null }, status: 401, answers: { 'www-authenticate': /^Basic/ } },
  { says: 'unknown user name 401', body: GOOD, headers: { authorization: basic('nobody', 's3cret') }, status: 401, answers: { 'www-authenticate': /^Basic/ } },
  { says: 'unknown secret 401', body: GOOD, headers: { authorization: basic(APP, 'x') }, status: 401, answers: { 'www-authenticate': /^Basic/ } },
  { says: 'user name ≠ app id 409', body: GOOD, headers: { authorization: basic(OTHER_APP, 's3cret') }, status: 409, type: 'Authentication Mismatch' },
  { says: 'MOE-APPKEY ≠ app id 409', body: GOOD, headers: { 'moe-appkey': OTHER_APP }, status: 409, type: 'Authentication Mismatch' },
  { says: 'MOE-APPKEY is optional', body: GOOD, headers: { 'moe-appkey': APP }, status: 200 },
  { says: 'producer not allowed for the workspace 403', path: `/v1/transition/${OTHER_APP}`, body: GOOD, headers: { authorization: basic(OTHER_APP, 'other') }, status: 403 },
  { says: 'an element that cannot fit one bulk body 413', body: transition(JSON.parse(user({ attributes: { a: 'x'.repeat(128_000) } }))), status: 413, type: 'Payload too large' },
  { says: '?app_id= instead of the path segment', path: `/v1/transition?app_id=${APP}`, body: GOOD, status: 200 },
  { says: 'neither: 400 ParamsRequired', path: '/v1/transition', body: GOOD, status: 400, type: 'ParamsRequired' },
  { says: '?project_code= is carried', path: `${AT}?project_code=eu`, body: GOOD, status: 200 },
  { says: '?project_code= that is invalid', path: `${AT}?project_code=`, body: GOOD, status: 400, attribute: 'project_code' },
  { says: 'vendor endpoints that relay does not carry 404', path: '/v1/customer/merge', body: GOOD, status: 404 },
  { says: 'blocked ids match exactly', path: `/v1/customer/${APP}`, body: user({ customer_id: 'guest' }), status: 400, attribute: 'customer_id' },
  { says: 'intake body above RELAY_MAX_REQUEST_BYTES 413', body: `"${'x'.repeat(1_048_576)}"`, status: 413 },
] // prettier-ignore

describe('the contract, "Intake"', () => {
  const restricted = workspace(OTHER_APP, { producers: new Set(['shop']) })
  const intake = new TestIntake([workspace(APP), restricted])
  beforeAll(() => intake.start())
  afterAll(() => intake.stop())
  afterEach(() => {
    intake.store.posts.splice(0)
    intake.store.next = { outcome: 'stored' }
    intake.quota.next = { granted: true }
  })
  const post = (sending: Sending): Promise<Answered> => intake.send(sending)

  it.each([
    ['no credentials', null, /^Authentication Header Required\. Send HTTP Basic: /],
    [
      'an unknown app id',
      basic('nobody', 's3cret'),
      /^Invalid APP_ID .* no workspace of this name/,
    ],
    ['a wrong secret', basic(APP, 'x'), /^App Secret key mismatch\. The password is /],
    ['another app id', basic(OTHER_APP, 's3cret'), /^App key mismatch .* Use the same app id /],
  ])('%s: the cause in MoEngage’s words, then the remedy', async (_, authorization, words) => {
    const { body } = await post({ body: GOOD, headers: { authorization } })
    expect(body.error?.message).toMatch(words)
  })

  it.each([
    ['customer', user()],
    ['event', event()],
    ['device', device()],
    ['transition', GOOD],
  ])('POST /v1/%s/{app_id} answers exactly the success of the Data API', async (name, body) => {
    const answer = await post({ path: `/v1/${name}/${APP}`, body })
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual({
      status: 'success',
      message: 'Your request has been accepted and will be processed soon.',
      request_id: intake.store.posts[0]?.requestId,
    })
  })

  it.each(STATUSES.map((line): [string, Line] => [line.says, line]))('%s', async (_, line) => {
    const { status, type, attribute, answers = {}, path = AT, ...sending } = line
    const answer = await post({ path, ...sending })
    expect(`${answer.status} ${answer.text}`).toMatch(new RegExp(`^${status} `))
    if (status === 200) {
      expect(intake.store.posts).toHaveLength(1)
      return
    }
    expect(answer.body).toMatchObject({ status: 'fail', error: { message: expect.any(String) } })
    expect(answer.body.error?.request_id).not.toBe('')
    if (type !== undefined) expect(answer.body.error?.type).toBe(type)
    if (attribute !== undefined) expect(answer.body.error?.attribute).toBe(attribute)
    for (const [name, value] of Object.entries(answers)) expect(answer.headers[name]).toMatch(value)
    expect(intake.store.posts).toEqual([])
  })

  it('lists all problems of a request, and accepts it whole or not at all', async () => {
    const { status, body } = await post({ body: BAD })
    expect(status).toBe(400)
    expect(body.error?.details?.map(({ index, attribute }) => [index, attribute])).toEqual([
      [1, 'customer_id'],
      [2, 'type'],
    ])
    expect(intake.store.posts).toEqual([])
  })

  it('with Prefer: handling=lenient accepts the valid elements and lists the others', async () => {
    const headers = { prefer: 'handling=lenient' }
    const { status, body } = await post({ headers, body: BAD })
    expect(status).toBe(200)
    expect(body.rejected?.map(({ index }) => index)).toEqual([1, 2])
    expect(intake.store.take()).toEqual([user()])
    expect((await post({ headers, body: transition({ type: 'no' }) })).status).toBe(400)
  })

  it('any other query parameter is named in a warning; another spelling of a blocked id is one', async () => {
    const { body } = await post({ path: `${AT}?x=1`, body: transition({ type: 'customer', customer_id: 'Guest' }) }) // prettier-ignore
    expect(body.warnings?.map(({ attribute }) => attribute)).toEqual(['x', 'customer_id'])
  })

  it('a vendor endpoint that is not carried names the host to call', async () => {
    const { body } = await post({ path: '/v1/customer/delete', body: '{}' })
    expect(body.error?.message).toContain('https://api-02.moengage.com')
  })

  it('an Idempotency-Key gives the first answer again; with another body 422; while running 409', async () => {
    const first = await post({ headers: KEYED, body: GOOD })
    const again = await post({ headers: KEYED, body: GOOD })
    expect(again.text).toBe(first.text)
    expect(again.headers['idempotency-replayed']).toBe('true')
    expect(first.headers).not.toHaveProperty('idempotency-replayed')
    expect((await post({ headers: KEYED, body: `${GOOD} ` })).status).toBe(422)
    expect(intake.store.posts).toHaveLength(1)
    // "same body = same bytes after decompression"
    const gzip = { ...KEYED, 'content-encoding': 'gzip' }
    expect((await post({ headers: gzip, body: gzipSync(GOOD) })).text).toBe(first.text)
    // "per producer and app id"
    const other = { ...KEYED, authorization: basic(APP, 'other') }
    expect((await post({ headers: other, body: GOOD })).text).not.toBe(first.text)
    // No answer was given yet: the first one is still running.
    const running = { headers: { 'idempotency-key': 'r' }, body: GOOD }
    const { store } = intake
    const itself = store.store.bind(store)
    let finish: (outcome: StoreOutcome) => void = () => undefined
    const held: Promise<Answered>[] = []
    await new Promise<void>((arrived) => {
      store.store = () => {
        arrived()
        return new Promise((resolve) => (finish = resolve))
      }
      held.push(post(running))
    })
    const { status, headers } = await post(running)
    expect(status).toBe(409)
    expect(headers).toHaveProperty('retry-after')
    finish({ outcome: 'stored' })
    expect(await Promise.all(held)).toMatchObject([{ status: 200 }])
    store.store = itself
  })

  it('Relay-Lane is realtime unless it says backfill', async () => {
    await post({ body: GOOD })
    await post({ body: GOOD, headers: { 'relay-lane': 'realtime' } })
    await post({ body: GOOD, headers: { 'relay-lane': 'backfill' } })
    expect(intake.store.posts.map(({ lane }) => lane)).toEqual(['realtime', 'realtime', 'backfill'])
  })

  it('overload or Redis away: 503 with Retry-After; a quota of one’s own: 429 with Retry-After', async () => {
    intake.store.next = { outcome: 'refused', reason: 'backlog_full' }
    const full = await post({ body: GOOD })
    intake.store.next = { outcome: 'unknown', reason: 'redis_unavailable' }
    const away = await post({ body: GOOD })
    intake.store.next = { outcome: 'stored' }
    intake.quota.next = { granted: false, exceeded: 'elements per minute', retryAfterMs: 1_000 }
    intake.workspaces.set(APP, workspace(APP, { quotas: new Map([['shop', { elementsPerMinute: 1 }]]) })) // prettier-ignore
    const over = await post({ body: GOOD })
    intake.workspaces.set(APP, workspace(APP))
    expect([full.status, away.status, over.status]).toEqual([503, 503, 429])
    for (const { headers } of [full, away, over]) {
      expect(headers['retry-after']).toMatch(/^[1-9]\d*$/)
    }
  })

  it('POST /v1/import takes lines into the backfill lane and answers what became of them', async () => {
    const path = `/v1/import/${APP}?project_code=eu`
    const body = `${user()}\n\n{"type":"x"}\n${event()}\n`
    const { status, body: answer } = await post({ path, body, headers: LINES })
    expect(status).toBe(200)
    expect(answer).toMatchObject({ accepted: 2, rejected: 1, errors: [{ line: 3, attribute: 'type' }] }) // prettier-ignore
    expect(answer.request_id).not.toBe('')
    expect(intake.store.posts.map(({ lane, projectCode }) => [lane, projectCode])).toEqual([
      ['backfill', 'eu'],
    ])
    intake.store.next = { outcome: 'refused', reason: 'backlog_full' }
    const stopped = await post({ path, body, headers: LINES })
    expect(stopped.status).toBe(503)
    expect(stopped.body).toMatchObject({ accepted: 0, rejected: 0, errors: [], last_line: 0 })
    const gzip = { ...LINES, 'content-encoding': 'gzip' }
    intake.store.next = { outcome: 'stored' }
    expect((await post({ path, body: gzipSync(body), headers: gzip })).status).toBe(200)
  })

  it('GET /v1/requests/{request_id} shows a producer its own request', async () => {
    const ids: string[] = []
    intake.producersTrace = (requestId, appId, producer) => {
      ids.push(requestId, appId, producer)
      return Promise.resolve(null)
    }
    const { status } = await post({ method: 'GET', path: '/v1/requests/R1' })
    expect(status).toBe(404)
    expect(ids).toEqual(['R1', APP, 'shop'])
  })

  it('an event without a time gets the moment of acceptance, ISO 8601 UTC with milliseconds', async () => {
    const element = { type: 'event', customer_id: 'ann', actions: [{ action: 'A' }] }
    await post({ path: `/v1/event/${APP}`, body: JSON.stringify(element) })
    const action = { action: 'A', current_time: new Date(NOW_MS).toISOString() }
    expect(intake.store.take()).toEqual([JSON.stringify({ ...element, actions: [action] })])
  })
})
