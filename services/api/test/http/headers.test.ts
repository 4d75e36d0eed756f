import type { IncomingMessage } from 'node:http'
import { callersRequestId, readHeaders, readImportHeaders } from '../../src/http/headers.js'

/** A request with these headers, as Node reads them: repeated ones joined, and apart. */
function request(given: Readonly<Record<string, string | readonly string[] | null>>) {
  const all: Record<string, string | readonly string[] | null> = {
    'content-type': 'application/json',
    ...given,
  }
  const named = Object.entries(all).flatMap(([name, value]) =>
    value === null ? [] : [[name, typeof value === 'string' ? [value] : value] as const],
  )
  const headers = Object.fromEntries(named.map(([name, values]) => [name, values.join(', ')]))
  return { headers, headersDistinct: Object.fromEntries(named) } as unknown as IncomingMessage
}

type Given = Parameters<typeof request>[0]

const PLAIN = { lane: 'realtime', lenient: false, idempotencyKey: null, gzip: false }

describe('the headers of a post', () => {
  it.each<[Given, object]>([
    [{}, {}],
    [{ 'content-type': 'Application/JSON' }, {}],
    [{ 'content-type': ' application/json ; charset=utf-8' }, {}],
    [{ 'content-type': 'application/json;charset = "UTF8"; x=y' }, {}],
    [{ 'content-type': 'application/json; xcharset=latin1' }, {}],
    [{ 'content-encoding': '' }, {}],
    [{ 'content-encoding': ' Identity ' }, {}],
    [{ 'content-encoding': 'gzip' }, { gzip: true }],
    [{ 'content-encoding': ' X-GZIP ' }, { gzip: true }],
    [{ 'relay-lane': 'realtime' }, {}],
    [{ 'relay-lane': 'backfill' }, { lane: 'backfill' }],
    [{ 'idempotency-key': ' ~' }, { idempotencyKey: ' ~' }],
    [{ 'idempotency-key': 'k'.repeat(255) }, { idempotencyKey: 'k'.repeat(255) }],
    [{ prefer: 'handling=lenient' }, { lenient: true }],
    [{ prefer: 'wait=5, Handling = "Lenient" ; x=y' }, { lenient: true }],
    [{ prefer: ['wait=5', 'handling=lenient'] }, { lenient: true }],
    [{ prefer: 'handling=lenient, handling=strict' }, { lenient: true }],
    [{ prefer: 'handling=strict, handling=lenient' }, {}],
    [{ prefer: 'wait=5' }, {}],
    [{ prefer: 'xhandling=lenient' }, {}],
    [{ prefer: 'handling=lenient5' }, {}],
    [{ prefer: 'handling="lenient" x' }, {}],
  ])('%j mean %j', (given, change) => {
    expect(readHeaders(request(given))).toEqual({ ok: true, headers: { ...PLAIN, ...change } })
  })

  it.each<[Given, number, string, string]>([
    [{ 'content-type': null }, 400, 'Missing header value', 'Content-Type'],
    [{ 'content-type': ' ' }, 400, 'Missing header value', 'Content-Type'],
    [{ 'content-type': 'text/plain' }, 415, 'Unsupported Media Type', 'Content-Type'],
    [{ 'content-type': 'application/x-ndjson' }, 415, 'Unsupported Media Type', 'Content-Type'],
    [
      { 'content-type': 'application/json; charset=latin1' },
      415,
      'Unsupported Media Type',
      'Content-Type',
    ],
    [
      { 'content-type': 'application/json; charset=utf-8; charset=utf-16' },
      415,
      'Unsupported Media Type',
      'Content-Type',
    ],
    [
      { 'content-type': 'application/json; charset=xutf-8' },
      415,
      'Unsupported Media Type',
      'Content-Type',
    ],
    [
      { 'content-type': 'application/json; charset=utf-8x' },
      415,
      'Unsupported Media Type',
      'Content-Type',
    ],
    [{ 'content-encoding': 'br' }, 415, 'Unsupported Media Type', 'Content-Encoding'],
    [{ 'content-encoding': 'gzip, gzip' }, 415, 'Unsupported Media Type', 'Content-Encoding'],
    [{ 'relay-lane': 'fast' }, 400, 'InvalidParams', 'Relay-Lane'],
    [{ 'relay-lane': '' }, 400, 'InvalidParams', 'Relay-Lane'],
    [{ 'relay-lane': ['realtime', 'backfill'] }, 400, 'InvalidParams', 'Relay-Lane'],
    [{ 'idempotency-key': '' }, 400, 'InvalidParams', 'Idempotency-Key'],
    [{ 'idempotency-key': 'k'.repeat(256) }, 400, 'InvalidParams', 'Idempotency-Key'],
    [{ 'idempotency-key': 'a\tb' }, 400, 'InvalidParams', 'Idempotency-Key'],
    [{ 'idempotency-key': '\u00e9a' }, 400, 'InvalidParams', 'Idempotency-Key'],
    [{ 'idempotency-key': ['a', 'b'] }, 400, 'InvalidParams', 'Idempotency-Key'],
  ])('%j are refused with %d %s for %s', (given, status, type, attribute) => {
    const outcome = readHeaders(request(given))
    expect(outcome).toMatchObject({ ok: false, refusal: { status, type, attribute } })
  })

  it('that are wrong in two ways are told both, the first leading', () => {
    const outcome = readHeaders(request({ 'relay-lane': 'fast', 'idempotency-key': '' }))
    if (outcome.ok) throw new Error('was taken')
    const { attribute, message, details = [] } = outcome.refusal
    expect(details.map((detail) => detail.attribute)).toEqual(['Relay-Lane', 'Idempotency-Key'])
    expect({ attribute, message }).toEqual(details[0])
    expect(message).toContain('realtime or backfill')
  })

  it('with an unknown encoding are told the one that is known', () => {
    expect(readHeaders(request({ 'content-encoding': 'br' }))).toMatchObject({
      refusal: { headers: { 'Accept-Encoding': 'gzip' } },
    })
  })
})

describe('the headers of an import', () => {
  const lines = { 'content-type': 'application/x-ndjson' }

  it.each<[Given, object]>([
    [lines, { idempotencyKey: null, gzip: false }],
    [{ 'content-type': 'application/ndjson' }, {}],
    [{ 'content-type': 'application/jsonl; charset=utf-8' }, {}],
    [{ ...lines, 'relay-lane': 'backfill' }, {}],
    [
      { ...lines, 'idempotency-key': 'k', 'content-encoding': 'gzip' },
      { idempotencyKey: 'k', gzip: true },
    ],
  ])('%j mean %j', (given, expected) => {
    expect(readImportHeaders(request(given))).toMatchObject({ ok: true, ...expected })
  })

  it.each<[Given, number, string]>([
    [{}, 415, 'Content-Type'],
    [{ 'content-type': null }, 400, 'Content-Type'],
    [{ ...lines, 'relay-lane': 'realtime' }, 400, 'Relay-Lane'],
    [{ ...lines, 'idempotency-key': '' }, 400, 'Idempotency-Key'],
  ])('%j are refused with %d for %s', (given, status, attribute) => {
    expect(readImportHeaders(request(given))).toMatchObject({
      ok: false,
      refusal: { status, attribute },
    })
  })
})

it.each([
  [null, null],
  ['trace-1', 'trace-1'],
  ['!'.repeat(128), '!'.repeat(128)],
  ['~', '~'],
  ['', null],
  ['x'.repeat(129), null],
  ['a b', null],
  [' a', null],
  ['a\u007f', null],
])('a caller’s X-Request-Id of %j is echoed as %j', (given, expected) => {
  expect(callersRequestId(request({ 'x-request-id': given }))).toBe(expected)
})
