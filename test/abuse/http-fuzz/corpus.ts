import { gzipSync } from 'node:zlib'
import { APP_ID } from '../../support/relay.js'
import { ADMIN, AUTH, bare, GOOD_BODY, head, JSON_TYPE, PATH, post } from '../hostile/bytes.js'

/** Bodies that are accepted: mutations of them are near the border of what is valid. */
export const BODIES: readonly Buffer[] = [
  GOOD_BODY,
  '{"type":"transition","elements":[{"type":"event","customer_id":"ann","device_id":"d","actions":[{"action":"Bought","attributes":{"price":1.10,"tags":["a","b"]},"platform":"iOS","current_time":"2026-11-23T12:00:00.000Z","user_timezone_offset":3600}]}]}',
  '{"type":"transition","elements":[{"type":"customer","customer_id":"bob","attributes":{"name":"B\\u00f6b","moe_unsubscribe":true,"n":12345678901234567890},"platforms":[{"platform":"ANDROID","active":"true"}]},{"type":"device","customer_id":"bob","device_id":"d1","attributes":{"platform":"ANDROID","push_id":"p"}}]}',
  '{"type":"customer","customer_id":"carl","attributes":{"city":"K\u00f6ln","update":{"addValueToArrayField":["a"]}}}',
  '{"type":"event","user_identifiers":{"email":"x@example.org"},"actions":[{"action":"A"}]}',
].map((text) => Buffer.from(text))

const JSON_POST = [AUTH, JSON_TYPE]

/** A post with a correct length for any body. */
export function framed(body: Buffer, path: string, headers: readonly string[]): Buffer {
  const length = `Content-Length: ${body.length}`
  const start = head(`POST ${path} HTTP/1.1`, length, ...headers)
  return Buffer.concat([Buffer.from(start, 'latin1'), body])
}

/** Ways to post a body; some of them odd, all of them whole. */
export const FRAMINGS: readonly ((body: Buffer) => Buffer)[] = [
  (body) => framed(body, PATH, JSON_POST),
  (body) => framed(body, `/v1/customer/${APP_ID}`, JSON_POST),
  (body) => framed(body, `/v1/event/${APP_ID}`, JSON_POST),
  (body) => framed(body, `/v1/device?app_id=${APP_ID}`, JSON_POST),
  (body) => framed(body, PATH, [...JSON_POST, 'Prefer: handling=lenient']),
  (body) => framed(body, PATH, [...JSON_POST, 'Relay-Lane: backfill']),
  (body) => framed(gzipSync(body), PATH, [...JSON_POST, 'Content-Encoding: gzip']),
  (body) => framed(body, PATH, [...JSON_POST, 'Content-Encoding: gzip']),
  (body) => framed(body, `/v1/import/${APP_ID}`, [AUTH, 'Content-Type: application/x-ndjson']),
  (body) => framed(body, PATH, [...JSON_POST, 'Idempotency-Key: fuzz']),
]

/** Whole requests whose every byte may be mutated. */
export const REQUESTS: readonly Buffer[] = [
  ...BODIES.map((body) => framed(body, PATH, JSON_POST)),
  post(GOOD_BODY, { headers: [JSON_TYPE, 'Transfer-Encoding: chunked'] }),
  Buffer.from(
    head(`POST ${PATH} HTTP/1.1`, ...JSON_POST, 'Transfer-Encoding: chunked') +
      `${GOOD_BODY.length.toString(16)}\r\n${GOOD_BODY}\r\n0\r\n\r\n`,
  ),
  Buffer.from(bare('GET', `/v1/requests/01JDBX3K5NPQRS000000000000`, AUTH)),
  Buffer.from(bare('GET', '/openapi.json')),
  Buffer.from(bare('OPTIONS', PATH, AUTH, 'MOE-APPKEY: x', 'X-Request-Id: y')),
]

/** The same at the operators' port. */
export const OPS_REQUESTS: readonly Buffer[] = [
  bare('GET', '/metrics'),
  bare('GET', '/admin/workspaces', ADMIN),
  bare('GET', `/admin/dead-letters?app_id=${APP_ID}&limit=10&since=2026-01-01`, ADMIN),
  bare('GET', '/admin/requests/01JDBX3K5NPQRS000000000000', ADMIN),
  head('POST /admin/dead-letters/replay HTTP/1.1', ADMIN, JSON_TYPE, 'Content-Length: 31') +
    '{"app_id":"ACCEPT","since":"1"}',
  head('POST /admin/forget HTTP/1.1', ADMIN, JSON_TYPE, 'Content-Length: 39') +
    '{"app_id":"ACCEPT","customer_id":"zoe"}',
].map((text) => Buffer.from(text, 'latin1'))
