import { constants, gzipSync } from 'node:zlib'
import { APP_ID } from '../../support/relay.js'
import { COSTLY, NESTED } from './costly.js'
import { AUTH, elementWith, GOOD_BODY, JSON_TYPE, post, rawPost } from './bytes.js'
import { input, type HostileInput } from './input.js'

const MIB = 1_048_576
const GZIP = [JSON_TYPE, 'Content-Encoding: gzip']
const LINES = ['Content-Type: application/x-ndjson', 'Content-Encoding: gzip']
const IMPORT = { path: `/v1/import/${APP_ID}`, headers: LINES }
const gzip = (body: string | Buffer) => gzipSync(body, { level: constants.Z_BEST_SPEED })
const zeros = (mebibytes: number) => gzip(Buffer.alloc(mebibytes * MIB, '0'))
const members = (count: number) => Array.from({ length: count }, (_, i) => `"k${i}":1`).join()
const elements = (count: number, element: string) =>
  `{"type":"transition","elements":[${Array.from({ length: count }, () => element).join()}]}`
const event = (fields: string) =>
  `{"type":"transition","elements":[{"type":"event","customer_id":"ann","actions":[{"action":"A",${fields}}]}]}`

const VALID = '{"type":"customer","customer_id":"ann"}'
const FAULTY = `{"type":"customer","customer_id":"ann","attributes":{"${'\x7f'.repeat(300)}":{"a":null}}}`
/** A post that is refused, with a key. */
const keyed = (i: number, keepAlive: boolean) =>
  post(elements(1, '{}'), {
    headers: [JSON_TYPE, `Idempotency-Key: refused-${i}`],
    ...(keepAlive ? { keepAlive } : {}),
  })

/** Bodies that are too large, too deep, too many or no JSON. */
export const BODIES: readonly HostileInput[] = [
  input('gzip bomb, 100 MiB of zeros', 413, () => post(zeros(100), { headers: GZIP })),
  input('gzip bomb, 20 at one time', 413, () => post(zeros(100), { headers: GZIP }), {
    connections: 20,
    withinMs: 5_000,
  }),
  input('gzip bomb as one line of an import', 413, () => post(zeros(200), IMPORT), {
    withinMs: 8_000,
  }),
  ...COSTLY.map(({ what, answer, body }) =>
    input(
      `1 MiB of ${what} in ${Math.round(body.length / 1024)} KB of gzip`,
      answer,
      () => post(body, { headers: GZIP }),
      { withinMs: 5_000 },
    ),
  ),
  input(
    '1,000 faulty elements with names of DEL, keyed and lenient',
    200,
    () =>
      post(gzip(elements(1_000, FAULTY).replace('[', `[${VALID},`)), {
        headers: [...GZIP, 'Idempotency-Key: large-answer', 'Prefer: handling=lenient'],
      }),
    { withinMs: 5_000 },
  ),
  input(
    '100 refused posts, each with a key, pipelined',
    Array.from({ length: 100 }, () => 400),
    () => Buffer.concat(Array.from({ length: 100 }, (_, i) => keyed(i, i < 99))),
    { withinMs: 5_000 },
  ),
  input('import of 1 MiB of empty arrays, as one line', 200, () => post(NESTED, IMPORT), {
    withinMs: 5_000,
  }),
  input('gzip cut short', 400, () => post(gzip(GOOD_BODY).subarray(0, 30), { headers: GZIP })),
  input('gzip that is none', 400, () => post(GOOD_BODY, { headers: GZIP })),
  input('gzip in gzip', 400, () => post(gzip(gzip(GOOD_BODY)), { headers: GZIP })),
  input('Content-Encoding: gzip, gzip', 415, () =>
    post(gzip(gzip(GOOD_BODY)), { headers: [JSON_TYPE, 'Content-Encoding: gzip, gzip'] }),
  ),
  input('Content-Encoding: br', 415, () =>
    post(GOOD_BODY, { headers: [JSON_TYPE, 'Content-Encoding: br'] }),
  ),
  input('body of 2 MiB', 413, () => post('x'.repeat(2 * MIB))),
  input('body of 10 TB announced', 413, () => rawPost(['Content-Length: 10000000000000'], ''), {
    withinMs: 4_000,
  }),
  input('empty body', 400, () => post('')),
  input('nesting of 20,000', 400, () => post(elementWith('['.repeat(20_000) + ']'.repeat(20_000)))),
  input('nesting of 500,000, never closed', 400, () => post('['.repeat(500_000))),
  input('nesting of 100,000 objects', 400, () => post('{"a":'.repeat(100_000) + '1')),
  input('100,000 attributes', 413, () => post(elementWith(`{${members(70_000)}}`))),
  input('70,000 members beside the elements', 200, () =>
    post(`{${members(70_000)},${GOOD_BODY.slice(1)}`),
  ),
  input('500,000 elements of one byte', 400, () => post(elements(500_000, '1'))),
  input('40,000 faulty elements', 400, () => post(elements(40_000, '{"type":"x"}'))),
  input('__proto__ among attributes', 200, () => post(elementWith('{"__proto__":{"admin":true}}'))),
  input('__proto__ instead of the body', 400, () =>
    post('{"__proto__":{"type":"transition","elements":[]}}'),
  ),
  input('constructor.prototype', 200, () =>
    post(elementWith('{"constructor":{"prototype":{"admin":1}}}')),
  ),
  input('a key a thousand times', 200, () =>
    post(elementWith(`{${Array.from({ length: 1_000 }, () => '"a":1').join()}}`)),
  ),
  input('invalid UTF-8', 400, () => post(Buffer.from(elementWith('{"a":"\xff\xfe"}'), 'latin1'))),
  input('overlong UTF-8', 400, () => post(Buffer.from(elementWith('{"a":"\xc0\xaf"}'), 'latin1'))),
  input('UTF-16', 400, () => post(Buffer.from(GOOD_BODY, 'utf16le'))),
  input('charset of UTF-16', 415, () =>
    post(GOOD_BODY, { headers: ['Content-Type: application/json; charset=utf-16'] }),
  ),
  input('lone surrogate', 400, () => post(elementWith('{"a":"\\ud800"}'))),
  input('NUL in a string', 400, () => post(elementWith('{"a":"\\u0000"}'))),
  input('CRLF and a log line in a customer id', 400, () =>
    post(GOOD_BODY.replace('ann', 'ann\\r\\n{\\"level\\":\\"error\\"}')),
  ),
  input('number of 100,000 digits', 200, () => post(elementWith(`{"a":${'9'.repeat(100_000)}}`))),
  input('1e999999', 200, () => post(elementWith('{"a":1e999999}'))),
  input('NaN', 400, () => post(elementWith('{"a":NaN}'))),
  input('JSON that ends early', 400, () => post(GOOD_BODY.slice(0, -2))),
  input('two JSON texts', 400, () => post(GOOD_BODY + GOOD_BODY)),
  input('backtracking bait in a time', 400, () =>
    post(event(`"current_time":"${'1'.repeat(100_000)}"`)),
  ),
  input('backtracking bait in headers', 200, () =>
    post(GOOD_BODY, {
      headers: [
        `Content-Type: application/json;${' '.repeat(3_000)};charset ${' '.repeat(3_000)}=utf-8`,
        `Prefer: handling${' '.repeat(3_000)}= ${' '.repeat(3_000)}x`,
      ],
    }),
  ),
  input('Idempotency-Key of 300 characters', 400, () =>
    post(GOOD_BODY, { headers: [JSON_TYPE, `Idempotency-Key: ${'k'.repeat(300)}`] }),
  ),
  input('Idempotency-Key twice', 400, () =>
    post(GOOD_BODY, { headers: [JSON_TYPE, 'Idempotency-Key: a', 'Idempotency-Key: b'] }),
  ),
  input('another type of content', 415, () =>
    post(GOOD_BODY, { headers: ['Content-Type: multipart/form-data; boundary=x'] }),
  ),
  input('no type of content', 400, () => post(GOOD_BODY, { headers: [], auth: AUTH })),
]
