import { APP_ID } from '../../support/relay.js'
import { AUTH, bare, GOOD_BODY, head, JSON_TYPE, PATH, post, rawPost } from './bytes.js'
import { input, type HostileInput } from './input.js'

const LENGTH = `Content-Length: ${GOOD_BODY.length}`
const CHUNKED = 'Transfer-Encoding: chunked'
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`
const LAST = '0\r\n\r\n'

/** Requests that are no HTTP, or HTTP that two readers could take for two different things. */
export const FRAMING: readonly HostileInput[] = [
  input('no HTTP at all', 400, () => 'hello\r\n\r\n'),
  input('TLS on the plain port', 400, () => Buffer.from('160301020001000200', 'hex')),
  input('HTTP/2 preface', 400, () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  input('HTTP/0.9', 400, () => 'GET /v1\r\n\r\n'),
  input('HTTP/1.0', 200, () => post().toString('latin1').replace('HTTP/1.1', 'HTTP/1.0')),
  input('HTTP/9.9', 400, () => head(`GET ${PATH} HTTP/9.9`)),
  input('no Host', 400, () => `GET ${PATH} HTTP/1.1\r\n\r\n`),
  input('Content-Length and chunked', 400, () => rawPost([LENGTH, CHUNKED], LAST)),
  input('chunked and Content-Length', 400, () => rawPost([CHUNKED, LENGTH], LAST)),
  input('two different Content-Lengths', 400, () =>
    rawPost(['Content-Length: 5', LENGTH], GOOD_BODY),
  ),
  input('Content-Length twice', 400, () => rawPost([LENGTH, LENGTH], GOOD_BODY)),
  input('Content-Length: 5, 5', 400, () => rawPost(['Content-Length: 5, 5'], GOOD_BODY)),
  input('Content-Length: +5', 400, () => rawPost(['Content-Length: +5'], GOOD_BODY)),
  input('Content-Length: 0x10', 400, () => rawPost(['Content-Length: 0x10'], GOOD_BODY)),
  input('Content-Length: -1', 400, () => rawPost(['Content-Length: -1'], GOOD_BODY)),
  input('Content-Length of 21 digits', 400, () =>
    rawPost([`Content-Length: ${'9'.repeat(21)}`], GOOD_BODY),
  ),
  input('Transfer-Encoding: xchunked', 400, () => rawPost(['Transfer-Encoding: xchunked'], LAST)),
  input('Transfer-Encoding: chunked, identity', 400, () =>
    rawPost(['Transfer-Encoding: chunked, identity'], LAST),
  ),
  input('blank before a colon', 400, () => rawPost(['Transfer-Encoding : chunked'], LAST)),
  input('folded header line', 400, () => rawPost(['X-A: b\r\n c', LENGTH], GOOD_BODY)),
  input('bare LF line ends', 400, () => rawPost([LENGTH], GOOD_BODY).replaceAll('\r\n', '\n')),
  input('bare CR in a header', 400, () => rawPost(['X-A: b\rX-B: c', LENGTH], GOOD_BODY)),
  input('NUL in a header', 400, () => rawPost(['X-A: b\0c', LENGTH], GOOD_BODY)),
  input('header of 20 KB', 431, () => rawPost([`X-A: ${'a'.repeat(20_000)}`], '')),
  input('2,900 headers before the credentials', 401, () =>
    bare('POST', PATH, ...Array.from({ length: 2_900 }, () => 'a:b'), AUTH),
  ),
  input('path of 8,000 characters', 404, () => bare('POST', `/v1/${'a'.repeat(8_000)}`)),
  input('path of 20,000 characters', 431, () => bare('POST', `/v1/${'a'.repeat(20_000)}`)),
  input('chunk size of 17 digits', 400, () => rawPost([CHUNKED], `${'F'.repeat(17)}\r\nab`)),
  input('chunk size that is no number', 400, () => rawPost([CHUNKED], 'zz\r\nab\r\n')),
  input('chunk longer than it says', 400, () => rawPost([CHUNKED], `3\r\nabcdef\r\n${LAST}`)),
  input('chunk extension of 20 KB', 400, () =>
    rawPost([CHUNKED], `5;${'a'.repeat(20_000)}\r\nhello\r\n${LAST}`),
  ),
  input('chunk size ended by a bare LF', 400, () => rawPost([CHUNKED], `5\nhello\r\n${LAST}`)),
  input('chunk ended by a bare LF', 400, () => rawPost([CHUNKED], `5\r\nhello\n${LAST}`)),
  input('line end in a quoted chunk extension', 400, () =>
    rawPost([CHUNKED], `5;a="\r\n"\r\nhello\r\n${LAST}`),
  ),
  input('Transfer-Encoding twice, one of them unknown', 400, () =>
    rawPost([CHUNKED, 'Transfer-Encoding: x'], chunk(GOOD_BODY) + LAST),
  ),
  input('vertical tab before chunked', 400, () =>
    rawPost(['Transfer-Encoding: \x0bchunked'], chunk(GOOD_BODY) + LAST),
  ),
  input('chunked and Content-Length over HTTP/1.0', 400, () =>
    rawPost([CHUNKED, LENGTH], LAST).replace('HTTP/1.1', 'HTTP/1.0'),
  ),
  input(
    'credentials in the trailers',
    401,
    () => bare('POST', PATH, JSON_TYPE, CHUNKED) + `${chunk(GOOD_BODY)}0\r\n${AUTH}\r\n\r\n`,
  ),
  input('another length in the trailers', 400, () =>
    rawPost([CHUNKED], `${chunk(GOOD_BODY)}0\r\nContent-Length: 1\r\n\r\n`),
  ),
  input('a chunk per byte', 200, () =>
    rawPost([CHUNKED], Array.from(GOOD_BODY, chunk).join('') + LAST),
  ),
  input(
    'a post inside the body of a GET',
    405,
    () => bare('GET', PATH, `Content-Length: ${post().length}`) + post().toString('latin1'),
  ),
  input('Expect: 100-continue', [100, 200], () =>
    rawPost([LENGTH, 'Expect: 100-continue'], GOOD_BODY),
  ),
  input('Expect: the unexpected', 417, () => rawPost([LENGTH, 'Expect: tea'], GOOD_BODY)),
  input('Upgrade: websocket', 401, () =>
    head(`GET /v1/requests/x HTTP/1.1`, 'Connection: close, Upgrade', 'Upgrade: websocket'),
  ),
  input('CONNECT to another host', [], () => bare('CONNECT', 'example.org:443')),
  input('TRACE', 405, () => bare('TRACE', PATH, AUTH)),
  input('an unknown method', 400, () => bare('BREW', PATH, AUTH)),
  input('OPTIONS *', 404, () => bare('OPTIONS', '*')),
  input('DELETE', 405, () => bare('DELETE', PATH, AUTH)),
  input('absolute form of another host', 404, () =>
    bare('GET', 'http://example.org/admin/workspaces'),
  ),
  input('garbage behind a good request', 200, () => [
    Buffer.concat([post(GOOD_BODY, { keepAlive: true }), Buffer.from('\0\0\0\0 / \r\n\r\n')]),
  ]),
  input('app_id 1,000 times without a value, and no credentials', 401, () =>
    bare('POST', `/v1/customer?${'app_id&'.repeat(1_000)}app_id[__proto__]=${APP_ID}`, JSON_TYPE),
  ),
]
