import fc from 'fast-check'
import { classify } from '../../src/classify/classify.js'
import { OUTCOME_LABELS, outcomeLabel } from '../../src/classify/outcome.js'
import type { Answer, ResponseAnswer } from '../../src/send/answer.js'

const NOW_MS = Date.UTC(2026, 10, 23, 12)
const timings = { connectMs: null, totalMs: 5 }

const response = (status: number, body: unknown, over: Partial<ResponseAnswer> = {}): Answer => ({
  kind: 'response',
  status,
  headers: { retryAfter: null, date: null },
  body: typeof body === 'string' ? body : JSON.stringify(body),
  truncated: false,
  requestComplete: true,
  timings,
  ...over,
})

const failure = (type: string, more: object = {}): object => ({
  status: 'fail',
  error: { type, message: `${type}!`, request_id: 'oWvxnUuo', ...more },
})

const label = (answer: Answer): string => {
  const outcome = classify(answer, NOW_MS)
  return outcome.outcome === 'refused' || outcome.outcome === 'transient'
    ? `${outcome.outcome}: ${outcome.reason}`
    : outcome.outcome
}

describe("every row of the vendor's tables", () => {
  it.each([
    // The overview's table.
    [400, 'Missing header value', 'refused: wrong_request'],
    [400, 'Empty request body', 'undecodable'],
    [400, 'Malformed JSON', 'undecodable'],
    [400, 'Blacklisted', 'refused: account_refused'],
    [400, 'InvalidParams', 'refused: misconfigured'],
    [400, 'ParamsRequired', 'refused: wrong_request'],
    [400, 'Body type is not JSON', 'refused: wrong_request'],
    [400, 'MissingAttributeError', 'element_refused'],
    [401, 'Authentication Required', 'refused: credentials_refused'],
    [401, 'Authentication required', 'refused: credentials_refused'],
    [403, 'Account Suspended', 'refused: account_refused'],
    [403, 'Account Temporarily Suspended', 'refused: account_refused'],
    [409, 'Authentication Mismatch', 'refused: misconfigured'],
    [409, 'Authentication required', 'refused: misconfigured'],
    [413, 'Payload too large', 'too_large'],
    [415, 'Unsupported Media Type', 'refused: wrong_request'],
    [429, 'Rate Limit Exceeded', 'rate_limited'],
    [500, 'Server Error', 'transient: server_error'],
    [503, 'anything at all', 'transient: server_error'],
    // Element faults and other spellings of the OpenAPI document.
    [400, 'AttributeError', 'element_refused'],
    [400, 'TypeError', 'element_refused'],
    [400, 'ValueError', 'element_refused'],
    [400, 'ArrayFieldError', 'element_refused'],
    [400, 'a type of next year', 'unexplained'],
    [422, 'TypeError', 'element_refused'],
    [400, 'Account Suspended', 'refused: account_refused'],
    [403, 'Account Temporarily Suspended.', 'refused: account_refused'],
    [403, 'BlockedClient', 'refused: account_refused'],
    [403, 'InvalidParams', 'refused: misconfigured'],
    [409, 'Authentication required.', 'refused: misconfigured'],
    [413, 'PayloadTooLarge', 'too_large'],
    [415, 'Unsupported media type', 'refused: wrong_request'],
    [415, 'MediaTypeError', 'refused: wrong_request'],
    [429, 'RateLimitError', 'rate_limited'],
    [429, 'Rate Limits Exceeded', 'rate_limited'],
    [500, 'ServerError', 'transient: server_error'],
    [400, 'RATE_LIMIT_EXCEEDED', 'rate_limited'],
    [400, 'malformed-json', 'undecodable'],
    // A type means the same under a status that says nothing by itself.
    [400, 'Unsupported Media Type', 'refused: wrong_request'],
    [200, 'Unsupported Media Type', 'refused: wrong_request'],
    [200, 'MediaTypeError', 'refused: wrong_request'],
    [200, 'Account Temporarily Suspended', 'refused: account_refused'],
    [200, 'BlockedClient', 'refused: account_refused'],
    [400, 'Authentication Required', 'refused: credentials_refused'],
    [400, 'AuthenticationInvalid', 'refused: credentials_refused'],
    [400, 'HeaderMissing', 'refused: credentials_refused'],
    [400, 'HeaderMismatch', 'refused: misconfigured'],
    [400, 'Authentication Mismatch', 'refused: misconfigured'],
    [400, 'Payload too large', 'too_large'],
    [400, 'Rate Limits Exceeded', 'rate_limited'],
    [400, 'RateLimitError', 'rate_limited'],
    [400, 'InternalError', 'transient: server_error'],
    [400, 'Internal Server Error', 'transient: server_error'],
    // Of an element only where an element can be at fault.
    [403, 'TypeError', 'refused: account_refused'],
    [418, 'TypeError', 'unexplained'],
    [428, 'ValueError', 'unexplained'],
    // A yes by status, a no by body.
    [200, 'Rate Limit Exceeded', 'rate_limited'],
    [200, 'TypeError', 'element_refused'],
    [200, 'Account Suspended', 'refused: account_refused'],
    [200, 'Server Error', 'transient: server_error'],
  ])('%i %s: %s', (status, type, expected) =>
    expect(label(response(status, failure(type)))).toBe(expected),
  )

  it('of the IP allow-list is a hold with its own reason', () => {
    const error = 'IP Validation Required'
    const message = 'IP Validation Failed. Please check your IP!!'
    const answer = response(403, { error, message })
    expect(label(answer)).toBe('refused: ip_refused')
    expect(classify(answer, NOW_MS)).toMatchObject({ error: { status: 403, type: error, message } })
  })

  it("gives MoEngage's request_id of a success", () => {
    const requestIdOf = (body: object) => classify(response(200, body), NOW_MS)
    expect(requestIdOf({ status: 'success', request_id: 'oWvx' })).toEqual({
      outcome: 'delivered',
      requestId: 'oWvx',
    })
    expect(requestIdOf({ status: 'success' })).toEqual({ outcome: 'delivered', requestId: null })
  })

  it.each([
    [200, { status: 'success', message: 'accepted' }, 'delivered'],
    [200, { status: 'SUCCESS' }, 'delivered'],
    [202, { status: ' Success ' }, 'delivered'],
    [200, '', 'transient: unreadable_answer'],
    [204, '', 'transient: unreadable_answer'],
    [200, '<html>welcome to the hotel wifi</html>', 'transient: unreadable_answer'],
    [200, {}, 'transient: unreadable_answer'],
    [200, [], 'transient: unreadable_answer'],
    [200, 'null', 'transient: unreadable_answer'],
    [200, { status: 'ok' }, 'transient: unreadable_answer'],
    [200, { status: 'fail' }, 'transient: unreadable_answer'],
    [200, { status: 'failure', error: { type: 'TypeError' } }, 'element_refused'],
    [200, { status: 'ok', error: { type: 'TypeError' } }, 'transient: unreadable_answer'],
    [300, '', 'refused: wrong_host'],
    [300, { status: 'success' }, 'refused: wrong_host'],
    [199, { status: 'success' }, 'transient: unreadable_answer'],
    [301, '', 'refused: wrong_host'],
    [307, '', 'refused: wrong_host'],
    [404, { status: 'fail', message: 'Resource not found' }, 'refused: wrong_host'],
    [405, '', 'refused: wrong_host'],
    [401, '', 'refused: credentials_refused'],
    [401, { title: 'AuthenticationInvalid' }, 'refused: credentials_refused'],
    [403, '<html>blocked</html>', 'unexplained'],
    [408, '', 'transient: request_timeout'],
    [425, '', 'transient: too_early'],
    [402, '', 'refused: account_refused'],
    [407, '', 'refused: wrong_request'],
    [410, '', 'refused: wrong_host'],
    [415, '', 'refused: wrong_request'],
    [421, '', 'refused: wrong_host'],
    [451, '', 'refused: account_refused'],
    [413, 'nginx', 'too_large'],
    [400, { error: { type: '', attribute: 'platform' } }, 'unexplained'],
    [400, { error: { type: '', message: 'no' } }, 'unexplained'],
    [400, { title: 'TypeError' }, 'element_refused'],
    [400, { error: ['TypeError'], title: 'TypeError' }, 'element_refused'],
    [400, { error: ['TypeError'] }, 'unexplained'],
    [400, ['TypeError'], 'unexplained'],
    [429, '', 'rate_limited'],
    [429, { status: 'fail', title: 'Rate limit exceeded' }, 'rate_limited'],
    [400, { status: 'FAILURE', error_type: 'Malformed JSON' }, 'undecodable'],
    [400, { status: 'fail', error: 'Malformed JSON' }, 'undecodable'],
    [400, { status: 'fail', error: { attribute: 'platform', message: 'bad' } }, 'unexplained'],
    [200, { status: 'fail', error: { type: 'a type of next year' } }, 'unexplained'],
    // A firewall or a proxy: one element may have caused it, or it refuses everything.
    [400, '<html>Bad Request</html>', 'unexplained'],
    [400, { success: false, data: 'Unable to process' }, 'unexplained'],
    [418, 'teapot', 'unexplained'],
    [431, '', 'unexplained'],
    [502, '<html>Bad Gateway</html>', 'transient: server_error'],
    [599, '', 'transient: server_error'],
    [600, '', 'transient: unreadable_answer'],
    [101, '', 'transient: unreadable_answer'],
    [399, '', 'refused: wrong_host'],
    [499, '', 'unexplained'],
    [999, '', 'transient: unreadable_answer'],
  ])('%i %j: %s', (status, body, expected) => expect(label(response(status, body))).toBe(expected))
})

it("an element's refusal carries MoEngage's words", () => {
  const error = failure('ValueError', { attribute: 'platform' })
  expect(classify(response(400, error), NOW_MS)).toEqual({
    outcome: 'element_refused',
    error: {
      status: 400,
      type: 'ValueError',
      message: 'ValueError!',
      attribute: 'platform',
      requestId: 'oWvxnUuo',
    },
  })
})

it.each([
  // The spellings of the vendor's pages.
  [{ title: 'ValueError', description: 'no', request_id: 'r' }, 'ValueError', 'no', 'r'],
  [{ error_type: 'ValueError', error_description: 'no' }, 'ValueError', 'no', null],
  [{ error: 'ValueError', message: 'no', request_id: 'r' }, 'ValueError', 'no', 'r'],
  [{ error: { type: 'ValueError', message: 'no' }, request_id: 'r' }, 'ValueError', 'no', 'r'],
  [{ error: { title: 'ValueError' } }, 'ValueError', '', null],
])('the words of %j are found', (body, type, message, requestId) => {
  const error = { status: 400, type, message, attribute: null, requestId }
  expect(classify(response(400, body), NOW_MS)).toEqual({ outcome: 'element_refused', error })
})

it('a refusal without words is kept as one without words, long words are cut', () => {
  const wordless = { status: 401, type: '', message: '', attribute: null, requestId: null }
  const refused = { outcome: 'refused', reason: 'credentials_refused' }
  expect(classify(response(401, ''), NOW_MS)).toEqual({ ...refused, error: wordless })
  expect(classify(response(401, { error: {} }), NOW_MS)).toEqual({ ...refused, error: wordless })
  const type = 'T'.repeat(2_000)
  expect(classify(response(401, failure(type)), NOW_MS)).toMatchObject({
    error: { type: 'T'.repeat(1_024) },
  })
})

it('a body that nothing can decode carries the words too', () => {
  expect(classify(response(413, failure('Payload too large')), NOW_MS)).toMatchObject({
    outcome: 'too_large',
    error: { status: 413, type: 'Payload too large' },
  })
  expect(classify(response(400, failure('Malformed JSON')), NOW_MS)).toMatchObject({
    outcome: 'undecodable',
    error: { status: 400, type: 'Malformed JSON' },
  })
})

it('InvalidParams about an attribute other than the app id is an element fault', () => {
  expect(label(response(400, failure('InvalidParams', { attribute: 'push_id' })))).toBe(
    'element_refused',
  )
  expect(label(response(400, failure('InvalidParams', { attribute: 'app_id' })))).toBe(
    'refused: misconfigured',
  )
})

describe('what may have arrived', () => {
  it.each([
    [
      'a yes to half a request',
      response(200, { status: 'success' }, { requestComplete: false }),
      false,
    ],
    ['a cut yes', response(200, '{"status":"success"}', { truncated: true }), true],
    ['a server error', response(500, ''), true],
    ['an early server error', response(503, '', { requestComplete: false }), false],
    ['a cut 400', response(400, '{"sta', { truncated: true }), false],
    ['a timeout after the body', { kind: 'unknown', why: 'timeout', timings }, true],
    ['a reset after the body', { kind: 'unknown', why: 'reset', timings }, true],
    ['a reset before its end', { kind: 'not_sent', why: 'reset', timings }, false],
    ['too early', response(425, ''), false],
    ['a yes that says no for no reason', response(200, { status: 'fail' }), true],
    ['no name', { kind: 'not_sent', why: 'unresolvable', timings }, false],
    ['no trust', { kind: 'not_sent', why: 'tls', timings }, false],
  ] as [string, Answer, boolean][])('%s', (_name, answer, mayHaveArrived) => {
    expect(classify(answer, NOW_MS)).toMatchObject({ outcome: 'transient', mayHaveArrived })
  })

  it.each(['aborted', 'busy', 'closed', 'disallowed', 'expired'] as const)(
    'not sent because %s: an interruption that says nothing about MoEngage',
    (why) => {
      const outcome = classify({ kind: 'not_sent', why, timings }, NOW_MS)
      expect(outcome).toEqual({ outcome: 'interrupted', mayHaveArrived: false })
    },
  )
})

it.each([
  ['unresolvable', 'unresolvable'],
  ['refused', 'connection_refused'],
  ['unreachable', 'unreachable'],
  ['garbage', 'unreadable_answer'],
  ['certificate', 'certificate'],
  ['tls', 'tls'],
  ['timeout', 'timeout'],
  ['reset', 'reset'],
] as const)('a connection that failed by %s is transient: %s', (why, reason) => {
  for (const kind of ['not_sent', 'unknown'] as const) {
    const mayHaveArrived = kind === 'unknown'
    expect(classify({ kind, why, timings }, NOW_MS)).toEqual({
      outcome: 'transient',
      reason,
      mayHaveArrived,
    })
  }
})

it('what relay ended after it was sent may have arrived', () => {
  expect(classify({ kind: 'unknown', why: 'aborted', timings }, NOW_MS)).toEqual({
    outcome: 'interrupted',
    mayHaveArrived: true,
  })
})

it('a 429 that dripped away still tells when to come back', () => {
  const headers = { retryAfter: '7', date: null }
  expect(classify(response(429, '{"sta', { truncated: true, headers }), NOW_MS)).toEqual({
    outcome: 'rate_limited',
    retryAfterMs: 7_000,
    resetMs: null,
  })
})

describe('classification', () => {
  const status = fc.oneof(fc.integer({ min: 0, max: 1_000 }), fc.constantFrom(200, 400, 403, 429))
  const body = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .record({ status: fc.constantFrom('success', 'fail', 1), error: fc.jsonValue() })
      .map((b) => JSON.stringify(b)),
    fc.constant('['.repeat(60_000)),
  )

  it('is total, and yields a label of the closed set', () => {
    fc.assert(
      fc.property(
        status,
        body,
        fc.boolean(),
        fc.boolean(),
        fc.string(),
        (code, text, truncated, requestComplete, retryAfter) => {
          const headers = { retryAfter, date: retryAfter }
          const answer = response(code, text, { truncated, requestComplete, headers })
          expect(OUTCOME_LABELS).toContain(outcomeLabel(classify(answer, NOW_MS)))
        },
      ),
    )
  })

  it('says delivered only to a whole 2xx of a whole request with status success', () => {
    fc.assert(
      fc.property(
        status,
        body,
        fc.boolean(),
        fc.boolean(),
        (code, text, truncated, requestComplete) => {
          const outcome = classify(response(code, text, { truncated, requestComplete }), NOW_MS)
          if (outcome.outcome !== 'delivered') return
          expect(code >= 200 && code < 300 && !truncated && requestComplete).toBe(true)
          expect((JSON.parse(text) as { status: string }).status).toBe('success')
        },
      ),
    )
  })
})
