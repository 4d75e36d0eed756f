import { request as httpRequest, type ClientRequest } from 'node:http'
import { gzipSync } from 'node:zlib'
import { waitFor } from '@relay/tools/wait-for.js'
import type { Post, StoreOutcome } from '@relay/shared/queue/post.js'
import { InMemoryPostStore } from '../support/doubles.js'
import { APP, basic, TestIntake, workspace, type AnswerBody, type Sending } from '../support/intake.js' // prettier-ignore

const PATH = `/v1/import/${APP}`
const QUOTAS = new Map([['crm', { elementsPerMinute: 3 }]])

let intake: TestIntake
beforeEach(async () => {
  intake = new TestIntake([workspace(APP, { quotas: QUOTAS })], {
    importIdleMs: 300,
    maxImports: 2,
    maxRequestBytes: 2_000,
  })
  await intake.start()
})
afterEach(() => intake.stop())

const user = (id: string, more = '') => `{"type":"customer","customer_id":"${id}"${more}}`
const users = (count: number, from = 1) =>
  Array.from({ length: count }, (_, i) => user(`c${from + i}`)).join('\n')

const send = (body: string | Buffer, change: Sending = {}) =>
  intake.send({
    path: PATH,
    ...change,
    body,
    headers: { 'content-type': 'application/x-ndjson', ...change.headers },
  })

/** An import whose body is written by hand. */
function open(): { request: ClientRequest; answer: Promise<{ status: number; body: AnswerBody }> } {
  const headers = { authorization: basic(APP, 's3cret'), 'content-type': 'application/x-ndjson' }
  const options = { host: '127.0.0.1', port: intake.port, method: 'POST', path: PATH, headers }
  const request = httpRequest({ ...options, agent: false })
  const answer = new Promise<{ status: number; body: AnswerBody }>((resolve, reject) => {
    request.on('error', reject)
    request.on('response', (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as AnswerBody })
      })
    })
  })
  return { request, answer }
}

/** Lets `count` posts pass and refuses the rest. */
function refuseAfter(count: number, outcome: StoreOutcome): void {
  const { store } = intake
  const stores = (post: Post) => InMemoryPostStore.prototype.store.call(store, post)
  let seen = 0
  store.store = (post) => (++seen > count ? Promise.resolve(outcome) : stores(post))
}

describe('an import', () => {
  it('stores every line in the backfill lane, in order, and says how many', async () => {
    const answer = await send(users(1_234))
    expect(answer.status).toBe(200)
    const { request_id: id } = answer.body
    expect(answer.body).toEqual({ accepted: 1_234, rejected: 0, errors: [], request_id: id })
    expect(intake.store.posts.map(({ lane, requestId }) => [lane, requestId])).toEqual(
      intake.store.posts.map(() => ['backfill', id]),
    )
    expect(intake.store.posts.length).toBe(3)
    expect(intake.store.take().join('\n')).toBe(users(1_234))
    expect(intake.observer.counts).toContainEqual({ appId: APP, kind: 'user', lane: 'backfill', outcome: 'accepted', count: 500 }) // prettier-ignore
    expect(intake.observer.answers.at(-1)).toMatchObject({ route: 'import', elements: 1_234 })
  })

  it.each([
    ['gzip', gzipSync(users(3)), { 'content-encoding': 'gzip' }],
    ['CRLF, blank lines and no last line end', `\ufeff${users(3).replaceAll('\n', '\r\n\r\n')}`, {}],
    ['nothing', '', {}],
  ])('reads %s', async (_, body, headers) => {
    const answer = await send(body, { headers })
    expect(answer.status).toBe(200)
    expect(intake.store.take().join('\n')).toBe(body === '' ? '' : users(3))
  }) // prettier-ignore

  it('says of every bad line what is wrong, and stores the others', async () => {
    const lines = [
      user('ann'),
      '',
      '{"type":"customer"',
      user('guest'),
      'x'.repeat(3_000),
      Buffer.from([0x7b, 0xff, 0x7d]),
      '[]',
      user('eve', ',"attributes":{"id":1,"moe_x":2}'),
      '{"type":"event","customer_id":"ann","actions":[{"action":"A"}]}',
    ].map((line) => Buffer.concat([Buffer.from(line), Buffer.from('\n')]))
    const { status, body } = await send(Buffer.concat(lines))
    expect(status).toBe(200)
    expect(body).toMatchObject({ accepted: 2, rejected: 6 })
    expect(body.errors?.map(({ line, attribute }) => [line, attribute])).toEqual([
      [3, ''],
      [4, 'customer_id'],
      [5, ''],
      [6, ''],
      [7, ''],
      [8, 'attributes.id'],
      [8, 'attributes.moe_x'],
    ])
    const [, event = ''] = intake.store.take()
    expect(event).toContain('"current_time":"2026-11-23T12:00:00.000Z"')
  })

  it('lists the first 100 errors and counts all', async () => {
    const { body } = await send(Array.from({ length: 1_300 }, () => '{}').join('\n'))
    expect(body).toMatchObject({ accepted: 0, rejected: 1_300 })
    expect(body.errors).toHaveLength(100)
    expect(body.errors?.at(-1)?.line).toBe(100)
    expect(intake.store.posts).toEqual([])
  })

  it('lists more of them when asked', async () => {
    const bad = Array.from({ length: 1_300 }, () => '{}').join('\n')
    const { body } = await send(bad, { path: `${PATH}?max_errors=1200` })
    expect(body.errors?.map(({ line }) => line)).toEqual(
      Array.from({ length: 1_200 }, (_, i) => i + 1),
    )
  })

  it('warns of doubtful lines', async () => {
    const { body } = await send(`${user('ann')}\n${user('Guest')}`)
    expect(body).toMatchObject({ accepted: 2, warnings: [{ line: 2, attribute: 'customer_id' }] })
  })

  it.each([
    [{ path: '/v1/import' }, 400, 'ParamsRequired'],
    [{ method: 'GET' }, 405, 'Method Not Allowed'],
    [{ headers: { authorization: null } }, 401, 'Authentication Required'],
    [{ headers: { 'content-type': 'application/json' } }, 415, 'Unsupported Media Type'],
    [{ headers: { 'content-type': null } }, 400, 'Missing header value'],
    [{ headers: { 'relay-lane': 'realtime' } }, 400, 'InvalidParams'],
    [{ path: `${PATH}?first_line=0` }, 400, 'InvalidParams'],
    [{ path: `${PATH}?max_errors=10001` }, 400, 'InvalidParams'],
  ] as const)('refuses %j: %i', async (change, status, type) => {
    const answer = await send('', change)
    expect([answer.status, answer.body.error?.type]).toEqual([status, type])
    expect(answer.body.last_line).toBeUndefined()
  })

  it('lists every parameter that is wrong', async () => {
    const { body } = await send('', { path: `${PATH}?first_line=0&max_errors=x` })
    const details = [{ attribute: 'first_line' }, { attribute: 'max_errors' }]
    expect(body.error).toMatchObject({ attribute: 'first_line', details })
  })
})

describe('an import that is stopped', () => {
  it.each([
    ['refused', 'then resume after last_line'],
    ['unknown', 'may already be stored'],
  ] as const)('says after which line to continue: %s', async (outcome, words) => {
    refuseAfter(2, { outcome, reason: 'backlog_full' })
    const lines = ['bad', users(600), '', users(900, 601)].join('\n')
    const answer = await send(lines)
    expect(answer.status).toBe(503)
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
    expect(answer.body).toMatchObject({ status: 'fail', accepted: 999, rejected: 1, last_line: 1_001 }) // prettier-ignore
    expect(answer.body.error?.message).toContain(words)
    expect(intake.store.take().length).toBe(999)
  })

  it('continues from there without a gap, under the same numbers', async () => {
    refuseAfter(1, { outcome: 'refused', reason: 'redis_unavailable' })
    const lines = users(1_200).split('\n')
    const first = await send(lines.join('\n'))
    refuseAfter(9, { outcome: 'stored' })
    const last = first.body.last_line ?? NaN
    const rest = [...lines.slice(last), 'bad'].join('\n')
    const second = await send(rest, { path: `${PATH}?first_line=${last + 1}` })
    expect(second.body.errors?.[0]?.line).toBe(1_201)
    expect(intake.store.take()).toEqual(lines)
  })

  it('by broken gzip keeps the lines before it', async () => {
    const body = gzipSync(users(20_000))
    body.fill(0xff, body.length >> 1, (body.length >> 1) + 50)
    const answer = await send(body, { headers: { 'content-encoding': 'gzip' } })
    expect(answer.status).toBe(400)
    expect(answer.body.error?.type).toBe('Malformed gzip')
    expect(answer.body.accepted).toBe(answer.body.last_line)
    expect(intake.store.take().length).toBe(answer.body.last_line)
  })

  it('by its producer’s quota: 429, with what was taken before', async () => {
    intake.quota.next = { granted: true }
    const take = intake.quota.take.bind(intake.quota)
    intake.quota.take = async (request) => {
      const outcome = await take(request)
      intake.quota.next = { granted: false, retryAfterMs: 5_000, exceeded: 'x' }
      return outcome
    }
    const answer = await send(users(5), { headers: { authorization: basic(APP, 'other') } })
    expect([answer.status, answer.headers['retry-after']]).toEqual([429, '5'])
    // No batch is larger than what the quota can grant.
    expect(answer.body).toMatchObject({ accepted: 3, last_line: 3 })
    expect(intake.quota.asked.map(({ lane, elements }) => [lane, elements])).toEqual([['backfill', 3], ['backfill', 2]]) // prettier-ignore
  })

  it('by a caller that sends nothing any more: 408', async () => {
    const { request, answer } = open()
    request.write(users(700))
    expect(await answer).toMatchObject({ status: 408, body: { accepted: 500, last_line: 500 } })
  })

  it('by the end of this process', async () => {
    const { request, answer } = open()
    request.write(users(700))
    await waitFor(() => intake.store.posts.length > 0, { what: 'the first batch' })
    intake.stopping.abort()
    expect(await answer).toMatchObject({ status: 503, body: { last_line: 500 } })
  })

  it('by a caller that goes away: what was stored stays, and the observer is told', async () => {
    const { request, answer } = open()
    answer.catch(() => undefined)
    request.write(users(700))
    await waitFor(() => intake.store.posts.length > 0, { what: 'the first batch' })
    request.destroy()
    await waitFor(() => intake.observer.answers.length > 0, { what: 'the end' })
    expect(intake.observer.answers).toMatchObject([{ route: 'import', status: 499, elements: 500 }])
  })

  it('by too many others: 503, and there is room again when they end', async () => {
    const others = [open(), open()]
    for (const { request } of others) request.write(users(700))
    await waitFor(() => intake.store.posts.length === 2, { what: 'both' })
    expect((await send(users(1))).status).toBe(503)
    for (const { request, answer } of others) {
      request.end()
      await answer
    }
    expect((await send(users(1))).status).toBe(200)
  })
})

describe('a producer with many imports', () => {
  it('is told 429, while another may still begin one', async () => {
    const own = new TestIntake([workspace(APP)], { maxImports: 3, maxImportsPerProducer: 1 })
    await own.start()
    const path = PATH
    const lines = { 'content-type': 'application/x-ndjson' }
    const options = { host: '127.0.0.1', port: own.port, method: 'POST', path, agent: false }
    const headers = { authorization: basic(APP, 's3cret'), ...lines }
    const held = httpRequest({ ...options, headers })
    held.on('error', () => undefined)
    held.write(users(700))
    await waitFor(() => own.store.posts.length > 0, { what: 'the first batch' })
    const second = await own.send({ path, body: users(1), headers: lines })
    expect([second.status, Number(second.headers['retry-after']) > 0]).toEqual([429, true])
    const other = { ...lines, authorization: basic(APP, 'other') }
    expect((await own.send({ path, body: users(1), headers: other })).status).toBe(200)
    held.destroy()
    await own.stop()
  })
})

describe('an import with an Idempotency-Key', () => {
  const digests = async (body: string, key: string | null, path = PATH) => {
    await send(body, { path, headers: { 'idempotency-key': key } })
    return intake.store.posts.splice(0).map(({ digest }) => digest?.toString('hex'))
  }

  it('gives the same lines the same digests in any other context', async () => {
    const all = await digests(users(1_200), 'k')
    expect(new Set(all).size).toBe(3)
    expect(await digests(users(1_200), 'k')).toEqual(all)
    // What follows the second batch alone, under its own numbers.
    const rest = users(1_200).split('\n').slice(500).join('\n')
    expect(await digests(rest, 'k', `${PATH}?first_line=501`)).toEqual(all.slice(1))
  })

  it('gives other lines, numbers, keys and fates other digests', async () => {
    const all = await digests(users(500), 'k')
    const others = [
      await digests(users(500, 2), 'k'),
      await digests(users(500), 'k2'),
      await digests(users(500), 'k', `${PATH}?first_line=2`),
    ].flat()
    expect(new Set([...all, ...others]).size).toBe(4)
    const event = '{"type":"event","customer_id":"ann","actions":[{"action":"A","user_time":1795500000}]}' // prettier-ignore
    const first = await digests(`${users(1)}\n${event}`, 'k')
    intake.clock.now += 86_400_000_000
    expect(await digests(`${users(1)}\n${event}`, 'k')).not.toEqual(first)
  })

  it('has none without a key', async () =>
    expect(await digests(users(1), null)).toEqual([undefined]))
})
