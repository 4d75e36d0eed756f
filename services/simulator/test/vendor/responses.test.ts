import { startSimulator, type Simulator } from '../../src/simulator.js'
import { APP, GOOD_HEADERS, KEY, basic, bulk, call, event, type Call } from '../client.js'

/** The overview's table of response codes, typed off the document and not off the code. */
interface Row {
  readonly when: string
  readonly path?: string
  readonly call: Call
  readonly status: number
  readonly type: string
  readonly message: string
}

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator({ workspaces: { [APP]: KEY, OTHER: 'o', KEYLESS: '' } })
})
afterEach(() => simulator.faults.clear())
afterAll(() => simulator.close())

const body = bulk([event('anna')])
const headers = (change: Record<string, string>) => ({ ...GOOD_HEADERS, ...change })
const without = (name: string) =>
  Object.fromEntries(Object.entries(GOOD_HEADERS).filter(([key]) => key !== name))
const auth = (text: string): Call => ({ headers: headers({ authorization: basic(text) }), body })

const JSON_REQUIRED = 'A valid JSON document is required'
const MALFORMED =
  'Could not decode the request body. The JSON was incorrect or not encoded as UTF-8.'
const good = { headers: GOOD_HEADERS }

const ROWS: readonly Row[] = [
  {
    when: 'Content-Type is missing',
    call: { headers: without('content-type'), body },
    status: 400,
    type: 'Missing header value',
    message: 'The Content-Type Header is required',
  },
  {
    when: 'the body is empty',
    call: { ...good, body: '' },
    status: 400,
    type: 'Empty request body',
    message: JSON_REQUIRED,
  },
  {
    when: 'the JSON is broken',
    call: { ...good, body: '{"type":' },
    status: 400,
    type: 'Malformed JSON',
    message: MALFORMED,
  },
  {
    when: 'the body is not UTF-8',
    call: { ...good, body: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]) },
    status: 400,
    type: 'Malformed JSON',
    message: MALFORMED,
  },
  {
    when: 'the app id is not known',
    path: '/v1/transition/NOBODY',
    call: { headers: headers({ 'moe-appkey': 'NOBODY' }), body },
    status: 400,
    type: 'InvalidParams',
    message: 'given app_id is invalid.',
  },
  {
    when: 'no app id is given',
    path: '/v1/transition',
    call: { ...good, body },
    status: 400,
    type: 'ParamsRequired',
    message: 'app_id is required in path/query params.',
  },
  {
    when: 'the body is a JSON string',
    call: { ...good, body: '"text"' },
    status: 400,
    type: 'Body type is not JSON',
    message: 'A valid JSON document is required.',
  },
  {
    when: 'an attribute has another type',
    call: { ...good, body: bulk([{ ...event('anna'), customer_id: 7 }]) },
    status: 400,
    type: 'MissingAttributeError',
    message: 'customer_id is expected to be string',
  },
  {
    when: 'Authorization is missing',
    call: { headers: without('authorization'), body },
    status: 401,
    type: 'Authentication Required',
    message: 'Authentication Header Required',
  },
  {
    when: 'Authorization is empty',
    call: { headers: headers({ authorization: '' }), body },
    status: 401,
    type: 'Authentication required',
    message: 'No identity information found',
  },
  {
    when: 'Authorization cannot be decoded',
    call: { headers: headers({ authorization: 'Basic %%%' }), body },
    status: 401,
    type: 'Authentication required',
    message: 'Invalid identity information found',
  },
  {
    when: 'the user name is missing',
    call: auth(`:${KEY}`),
    status: 401,
    type: 'Authentication required',
    message: 'APP_KEY missing in the authentication header',
  },
  {
    when: 'the password is missing',
    call: auth(`${APP}:`),
    status: 401,
    type: 'Authentication required',
    message: 'APP_SECRET missing in the authentication header',
  },
  {
    when: 'the password is wrong',
    call: auth(`${APP}:wrong`),
    status: 401,
    type: 'Authentication required',
    message: 'App Secret key mismatch. Please login to the dashboard to verify key',
  },
  {
    when: 'the user name is not known',
    call: auth(`NOBODY:${KEY}`),
    status: 401,
    type: 'Authentication required',
    message: 'Invalid APP_ID used in Authentication Header',
  },
  {
    when: 'user name and app id differ',
    call: auth('OTHER:o'),
    status: 409,
    type: 'Authentication Mismatch',
    message: 'App key mismatch in params and authentication',
  },
  {
    when: 'MOE-APPKEY and app id differ',
    call: { headers: headers({ 'moe-appkey': 'OTHER' }), body },
    status: 409,
    type: 'Authentication Mismatch',
    message: 'App key mismatch in params and authentication',
  },
  {
    when: 'the workspace has no key',
    path: '/v1/transition/KEYLESS',
    call: auth('KEYLESS:x'),
    status: 409,
    type: 'Authentication required',
    message: 'App Secret key is not set. Please login to the dashboard to set a key',
  },
  {
    when: 'the body is one byte over the limit',
    call: { ...good, body: bulk([event('anna')]).padEnd(128_001, ' ') },
    status: 413,
    type: 'Payload too large',
    message: 'The payload can not exceed 128KB',
  },
  {
    when: 'the media type is another',
    call: { headers: headers({ 'content-type': 'text/plain' }), body },
    status: 415,
    type: 'Unsupported Media Type',
    message: 'Unsupported Media Type',
  },
]

const SCRIPTED = [
  ['blacklisted', 400, 'Blacklisted', 'Your account is blacklisted, Please contact MoEngage.'],
  ['account_suspended', 403, 'Account Suspended', 'Account Suspended'],
  [
    'account_temporarily_suspended',
    403,
    'Account Temporarily Suspended',
    'Account Temporarily Suspended',
  ],
  ['rate_limit', 429, 'Rate Limit Exceeded', 'Rate Limits for User / Event exceeded'],
  ['server_error', 500, 'Server Error', 'Any other exception'],
] as const

describe("MoEngage's table of response codes", () => {
  test.each(ROWS)('$status $type when $when', async ({ path, call: sent, ...row }) => {
    const reply = await call(`${simulator.url}${path ?? `/v1/transition/${APP}`}`, sent)
    expect(reply.status).toBe(row.status)
    const { error, status } = JSON.parse(reply.text) as { error: object; status: string }
    expect(status).toBe('fail')
    expect(error).toMatchObject({ type: row.type, message: row.message })
    expect(error).toHaveProperty('request_id')
    expect(simulator.record.totals.elements).toBe(0)
  })

  test.each(SCRIPTED)(
    '%s is answered as written when scripted',
    async (row, status, type, text) => {
      simulator.addFault({ action: { kind: 'answer', row } })
      const reply = await call(`${simulator.url}/v1/transition/${APP}`, { ...good, body })
      expect(reply.status).toBe(status)
      expect(JSON.parse(reply.text)).toMatchObject({ error: { type, message: text } })
      expect(simulator.record.totals.elements).toBe(0)
    },
  )

  test('a body of exactly 128,000 bytes is accepted, with the app id in the query', async () => {
    const fitting = body.padEnd(128_000, ' ')
    const reply = await call(`${simulator.url}/v1/transition?app_id=${APP}`, {
      ...good,
      body: fitting,
    })
    expect(reply.status).toBe(200)
    expect(JSON.parse(reply.text)).toMatchObject({
      status: 'success',
      message: 'Your request has been accepted and will be processed soon.',
    })
  })

  test.each([
    ['/v1/transition/' + APP, 'GET', 405],
    ['/v1/other/' + APP, 'POST', 404],
    ['/v2/transition/' + APP, 'POST', 404],
  ])('%s by %s is %d', async (path, method, status) => {
    expect((await call(simulator.url + path, { method })).status).toBe(status)
  })
})
