import { APP, OTHER_APP, TestIntake, workspace } from '../support/intake.js'
import { user } from '../corpus/case.js'
import { readQuery } from '../../src/http/headers.js'

const GOOD = `{"type":"transition","elements":[${user()}]}`
const LINES = { 'content-type': 'application/x-ndjson' }

const BODIES = [
  ['transition', GOOD, {}],
  ['customer', user(), {}],
  ['event', '{"type":"event","customer_id":"ann","actions":[{"action":"Viewed"}]}', {}],
  ['device', '{"type":"device","customer_id":"ann","device_id":"d","attributes":{"platform":"iOS","push_id":"p"}}', {}],
  ['import', `${user()}\n`, LINES],
] as const // prettier-ignore

describe('the query of a post', () => {
  const intake = new TestIntake([workspace(APP), workspace(OTHER_APP)])
  beforeAll(() => intake.start())
  afterAll(() => intake.stop())
  afterEach(() => intake.store.posts.splice(0))

  const projects = () => intake.store.posts.splice(0).map(({ projectCode }) => projectCode ?? null)

  describe.each(BODIES)('of /v1/%s', (endpoint, body, headers) => {
    const post = (query: string, more = {}) =>
      intake.send({
        path: `/v1/${endpoint}/${APP}${query}`,
        body,
        headers: { ...headers, ...more },
      })

    it('carries project_code with the elements', async () => {
      expect((await post('')).status).toBe(200)
      expect((await post('?project_code=eu-shop')).status).toBe(200)
      expect((await post('?project_code=a%2Fb%26c')).status).toBe(200)
      expect(projects()).toEqual([null, 'eu-shop', 'a/b&c'])
    })

    it('is accepted with app_id instead of the path segment, too', async () => {
      const path = `/v1/${endpoint}?app_id=${APP}&project_code=eu`
      const answer = await intake.send({ path, body, headers })
      expect(answer.status).toBe(200)
      expect(projects()).toEqual(['eu'])
    })

    it.each([
      ['beside the path', `/${APP}?app_id=${APP}&app_id=X`],
      ['instead of the path', `?app_id=X&app_id=${APP}`],
    ])('is refused where app_id is given twice, %s', async (_, path) => {
      const sending = { path: `/v1/${endpoint}${path}`, body, headers }
      // Of an import, the app id is part of the path.
      if (endpoint === 'import' && !path.startsWith('/')) return
      const { status, body: answer } = await intake.send(sending)
      expect([status, answer.error?.attribute]).toEqual([400, 'app_id'])
      expect(answer.error?.message).toContain('app_id must be given once')
      expect(projects()).toEqual([])
    })

    it.each([
      ['empty', '?project_code='],
      ['blank', '?project_code=%20'],
      ['long', `?project_code=${'x'.repeat(101)}`],
      ['not printable', '?project_code=a%0Ab'],
      ['not ASCII', '?project_code=%C3%A9'],
      ['given twice', '?project_code=a&project_code=b'],
    ])('is refused where project_code is %s', async (_, query) => {
      const { status, body: answer } = await post(query)
      expect(status).toBe(400)
      expect(answer.error).toMatchObject({
        type: 'InvalidParams',
        attribute: 'project_code',
        details: [{ attribute: 'project_code' }],
      })
      expect(projects()).toEqual([])
    })

    it('names every other parameter in a warning', async () => {
      const { status, body: answer } = await post('?debug=1&Project_Code=x&debug=2')
      expect(status).toBe(200)
      expect(answer.warnings?.map(({ attribute }) => attribute)).toEqual(['debug', 'Project_Code'])
      expect(projects()).toEqual([null])
    })
  })

  it('is part of what an Idempotency-Key stands for', async () => {
    const headers = { 'idempotency-key': 'k1' }
    const post = (query: string) =>
      intake.send({ path: `/v1/transition/${APP}${query}`, body: GOOD, headers })
    expect((await post('?project_code=a')).status).toBe(200)
    expect((await post('?project_code=a')).headers['idempotency-replayed']).toBe('true')
    for (const query of ['?project_code=b', '']) {
      const { status, body } = await post(query)
      expect(status).toBe(422)
      expect(body.error?.attribute).toBe('Idempotency-Key')
    }
    expect(projects()).toEqual(['a'])
  })

  it('is warned about again in the answer to a repeated key', async () => {
    const headers = { 'idempotency-key': 'k3' }
    const post = () => intake.send({ path: `/v1/transition/${APP}?debug=1`, body: GOOD, headers })
    const first = await post()
    const repeated = await post()
    expect(first.body.warnings).toHaveLength(1)
    expect(repeated.headers['idempotency-replayed']).toBe('true')
    expect(repeated.body).toEqual(first.body)
  })

  it('gives one batch of an import another identity in another project', async () => {
    const headers = { ...LINES, 'idempotency-key': 'k2' }
    for (const query of ['', '?project_code=a', '?project_code=b', '?project_code=b']) {
      await intake.send({ path: `/v1/import/${APP}${query}`, body: `${user()}\n`, headers })
    }
    const digests = intake.store.posts.map(({ digest }) => digest?.toString('hex'))
    expect(new Set(digests).size).toBe(3)
    expect(digests[2]).toBe(digests[3])
  })

  it('says nothing about the parameters that an import reads', async () => {
    const path = `/v1/import/${APP}?first_line=1&max_errors=5`
    const { body } = await intake.send({ path, body: `${user()}\n`, headers: LINES })
    expect(body.warnings).toBeUndefined()
  })

  it('bounds the names that are quoted back', () => {
    const url = `/?${Array.from({ length: 500 }, (_, i) => `${'n'.repeat(200)}${i}=1`).join('&')}`
    const read = readQuery(url)
    if (!read.ok) throw new Error('refused')
    expect(read.query.warnings.length).toBeLessThanOrEqual(20)
    for (const { attribute } of read.query.warnings) expect(attribute).toHaveLength(100)
  })
})
