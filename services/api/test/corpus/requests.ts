import { gzipSync } from 'node:zlib'
import { APP, basic, OTHER_APP, transition } from '../support/intake.js'
import { device, event, user, type RequestCase } from './case.js'

const GOOD = `{"type":"transition","elements":[${user()}]}`
const at = (path: string) => ({ path, body: user(), status: 404 })
const nested = (levels: number) =>
  `{"type":"customer","customer_id":"ann","attributes":{"a":${'['.repeat(levels)}${']'.repeat(levels)}}}`

const auth = (authorization: string | null) => ({ headers: { authorization }, body: GOOD })
const header = (name: string, value: string | null) => ({ headers: { [name]: value }, body: GOOD })
const challenge = { 'www-authenticate': 'Basic' }
const customer = (body: string) => ({ path: `/v1/customer/${APP}`, body })

const BODIES: readonly RequestCase[] = [
  { name: 'empty body', body: '', status: 400, type: 'Empty request body' },
  { name: 'blank body', body: ' \n', status: 400, type: 'Empty request body' },
  { name: 'malformed body', body: '{"type":', status: 400, type: 'Malformed JSON' },
  { name: 'trailing comma', body: '{"type":"transition","elements":[{},]}', status: 400, type: 'Malformed JSON' },
  { name: 'two documents', body: `${GOOD}${GOOD}`, status: 400, type: 'Malformed JSON' },
  { name: 'unterminated text', body: '{"type":"transition","elements":["', status: 400, type: 'Malformed JSON' },
  { name: 'single quotes', body: "{'type':'transition'}", status: 400, type: 'Malformed JSON' },
  { name: 'NaN', body: '{"type":"transition","elements":[NaN]}', status: 400, type: 'Malformed JSON' },
  { name: 'raw control character', body: '{"type":"transition","elements":["\u0001"]}', status: 400, type: 'Malformed JSON' },
  { name: 'raw NUL', body: '{"type":"transition","elements":["\u0000"]}', status: 400, type: 'Malformed JSON' },
  { name: 'byte order mark', body: `\ufeff${GOOD}`, status: 200 },
  { name: 'UTF-16', body: Buffer.from(GOOD, 'utf16le'), status: 400, type: 'Malformed JSON' },
  { name: 'Latin-1', body: Buffer.from(GOOD.replace('ann', 'änn'), 'latin1'), status: 400, type: 'Malformed JSON' },
  { name: 'overlong UTF-8', body: Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc0, 0x80]), Buffer.from('"}')]), status: 400, type: 'Malformed JSON' },
  { name: 'raw half of a surrogate pair', body: Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]), status: 400, type: 'Malformed JSON' },
  { name: 'a text as body', body: '"hello"', status: 400, type: 'Body type is not JSON' },
  { name: 'a number as body', body: '5', status: 400, type: 'Body type is not JSON' },
  { name: 'null as body', body: 'null', status: 400, type: 'Body type is not JSON' },
  { name: 'a list as body', body: `[${GOOD}]`, status: 400, type: 'Body type is not JSON' },
  { name: '64 levels', ...customer(nested(62)), status: 200 },
  { name: '65 levels', ...customer(nested(63)), status: 400, type: 'Malformed JSON' },
  { name: '20,000 levels', ...customer(nested(20_000)), status: 400, type: 'Malformed JSON' },
  { name: '200,000 opening brackets', ...customer('['.repeat(200_000)), status: 400, type: 'Malformed JSON' },
  { name: 'transition without type', body: '{"elements":[]}', status: 400, type: 'MissingAttributeError', attribute: 'type' },
  { name: 'transition of another type', body: '{"type":"customer","elements":[]}', status: 400, type: 'AttributeError', attribute: 'type' },
  { name: 'transition without elements', body: '{"type":"transition"}', status: 400, type: 'MissingAttributeError', attribute: 'elements' },
  { name: 'transition of nothing', body: transition(), status: 400, type: 'MissingAttributeError', attribute: 'elements' },
  { name: 'elements an object', body: '{"type":"transition","elements":{}}', status: 400, type: 'TypeError', attribute: 'elements' },
  { name: 'elements null', body: '{"type":"transition","elements":null}', status: 400, type: 'TypeError', attribute: 'elements' },
  { name: 'elements from the prototype', body: '{"type":"transition","__proto__":{"elements":[1]}}', status: 400, attribute: 'elements' },
  { name: 'an element that fits no bulk body', ...customer(user({ attributes: { a: 'x'.repeat(128_000) } })), status: 413, type: 'Payload too large' },
  { name: 'a body over the limit', body: `{"a":"${'x'.repeat(1_048_576)}"}`, status: 413, type: 'Payload too large' },
] // prettier-ignore

const TYPES: readonly RequestCase[] = [
  { name: 'an event at customer', ...customer(event()), status: 400, type: 'AttributeError', attribute: 'type' },
  { name: 'a transition at customer', ...customer(GOOD), status: 400, attribute: 'type' },
  { name: 'no type at customer', ...customer('{"customer_id":"ann"}'), status: 400, type: 'MissingAttributeError', attribute: 'type' },
  { name: 'a customer at event', path: `/v1/event/${APP}`, body: user(), status: 400, attribute: 'type' },
  { name: 'a customer at device', path: `/v1/device/${APP}`, body: user(), status: 400, attribute: 'type' },
  { name: 'a customer at transition', body: user(), status: 400, attribute: 'type' },
  { name: 'an event at event', path: `/v1/event/${APP}`, body: event(), status: 200 },
  { name: 'a device at device', path: `/v1/device/${APP}`, body: device(), status: 200 },
] // prettier-ignore

const SENDERS: readonly RequestCase[] = [
  { name: 'no Authorization', ...auth(null), status: 401, type: 'Authentication Required', answers: challenge },
  { name: 'empty Authorization', ...auth(''), status: 401, type: 'Authentication required', answers: challenge },
  { name: 'Basic and nothing', ...auth('Basic'), status: 401, answers: challenge },
  { name: 'Bearer', ...auth('Bearer abc'), status: 401, answers: challenge },
  { name: 'not base64', ...auth('Basic ???'), status: 401, answers: challenge },
  { name: 'base64 without colon', ...auth(`Basic ${Buffer.from(APP).toString('base64')}`), status: 401, answers: challenge },
  { name: 'no user name', ...auth(basic('', 's3cret')), status: 401, answers: challenge },
  { name: 'no secret', ...auth(basic(APP, '')), status: 401, answers: challenge },
  { name: 'unknown user name', ...auth(basic('nobody', 's3cret')), status: 401, answers: challenge },
  { name: 'unknown user name at its own path', path: '/v1/customer/nobody', ...auth(basic('nobody', 's3cret')), status: 401 },
  { name: 'wrong secret', ...auth(basic(APP, 'wrong')), status: 401, type: 'Authentication required', answers: challenge },
  { name: 'the vendor’s key is no producer’s secret', ...auth(basic(APP, 'vendor-key')), status: 401 },
  { name: 'secret with a trailing blank', ...auth(basic(APP, 's3cret ')), status: 401 },
  { name: 'user name from the prototype', ...auth(basic('constructor', 's3cret')), status: 401 },
  { name: 'second secret of a producer, with a colon', ...auth(basic(APP, 'n3w:secret')), status: 200 },
  { name: 'scheme in lower case', ...auth(basic(APP, 's3cret').replace('Basic', 'basic')), status: 200 },
  { name: 'user name of another workspace', ...auth(basic(OTHER_APP, 's3cret')), status: 409, type: 'Authentication Mismatch' },
  { name: 'path of another workspace', path: `/v1/transition/${OTHER_APP}`, body: GOOD, status: 409 },
  { name: 'MOE-APPKEY of another workspace', ...header('moe-appkey', OTHER_APP), status: 409, type: 'Authentication Mismatch' },
  { name: 'MOE-APPKEY', ...header('moe-appkey', APP), status: 200 },
  { name: 'producer without right', path: `/v1/transition/${OTHER_APP}`, ...auth(basic(OTHER_APP, 'other')), status: 403 },
  { name: 'producer with right', path: `/v1/transition/${OTHER_APP}`, ...auth(basic(OTHER_APP, 's3cret')), status: 200 },
] // prettier-ignore

const HEADERS: readonly RequestCase[] = [
  { name: 'no Content-Type', ...header('content-type', null), status: 400, type: 'Missing header value' },
  { name: 'text/plain', ...header('content-type', 'text/plain'), status: 415, type: 'Unsupported Media Type' },
  { name: 'a form', ...header('content-type', 'application/x-www-form-urlencoded'), status: 415 },
  { name: 'JSON in Latin-1', ...header('content-type', 'application/json; charset=latin1'), status: 415 },
  { name: 'JSON in UTF-8', ...header('content-type', 'application/json; charset=utf-8'), status: 200 },
  { name: 'JSON in capitals', ...header('content-type', 'Application/JSON;charset="UTF-8"'), status: 200 },
  { name: 'JSON with another parameter', ...header('content-type', 'application/json; v=1'), status: 200 },
  { name: 'JSON by suffix', ...header('content-type', 'application/vnd.x+json'), status: 415 },
  { name: 'brotli', ...header('content-encoding', 'br'), status: 415 },
  { name: 'gzip twice', ...header('content-encoding', 'gzip, gzip'), status: 415 },
  { name: 'identity', ...header('content-encoding', 'identity'), status: 200 },
  { name: 'gzip', headers: { 'content-encoding': 'gzip' }, body: gzipSync(GOOD), status: 200 },
  { name: 'gzip that is none', ...header('content-encoding', 'gzip'), status: 400 },
  { name: 'gzip cut short', headers: { 'content-encoding': 'gzip' }, body: gzipSync(GOOD).subarray(0, -6), status: 400 },
  { name: 'gzip of nothing', headers: { 'content-encoding': 'gzip' }, body: gzipSync(''), status: 400, type: 'Empty request body' },
  { name: 'gzip bomb', headers: { 'content-encoding': 'gzip' }, body: gzipSync(Buffer.alloc(64 << 20, 0x20)), status: 413 },
  { name: 'unknown lane', ...header('relay-lane', 'fast'), status: 400, attribute: 'Relay-Lane' },
  { name: 'lane in capitals', ...header('relay-lane', 'Backfill'), status: 400 },
  { name: 'backfill lane', ...header('relay-lane', 'backfill'), status: 200 },
  { name: 'empty key', ...header('idempotency-key', ''), status: 400, attribute: 'Idempotency-Key' },
  { name: 'key of 256', ...header('idempotency-key', 'k'.repeat(256)), status: 400, attribute: 'Idempotency-Key' },
  { name: 'key of 255', ...header('idempotency-key', 'k'.repeat(255)), status: 200 },
  { name: 'key with a letter beyond ASCII', ...header('idempotency-key', 'clé'), status: 400 },
  { name: 'key with a tab', ...header('idempotency-key', 'a\tb'), status: 400 },
  { name: 'unknown preference', ...header('prefer', 'respond-async, wait=5'), status: 200 },
  { name: 'strict handling', ...header('prefer', 'handling=strict'), status: 200 },
  { name: 'huge headers', ...header('x-filler', 'x'.repeat(20_000)), status: 431 },
] // prettier-ignore

const PATHS: readonly RequestCase[] = [
  { name: 'no app id', path: '/v1/customer', body: user(), status: 400, type: 'ParamsRequired' },
  { name: 'no app id behind the slash', path: '/v1/customer/', body: user(), status: 400, type: 'ParamsRequired' },
  { name: 'empty app id in query', path: '/v1/customer?app_id=', body: user(), status: 400, type: 'ParamsRequired' },
  { name: 'app id in query', path: `/v1/customer?app_id=${APP}`, body: user(), status: 200 },
  { name: 'app id in query, slash', path: `/v1/customer/?app_id=${APP}`, body: user(), status: 200 },
  { name: 'app id in both', path: `/v1/customer/${APP}?app_id=${APP}`, body: user(), status: 200 },
  { name: 'app ids that differ', path: `/v1/customer/${APP}?app_id=${OTHER_APP}`, body: user(), status: 409 },
  { name: 'other query', path: `/v1/customer/${APP}?debug=1`, body: user(), status: 200 },
  { name: 'root', ...at('/') },
  { name: 'no version', ...at(`/customer/${APP}`) },
  { name: 'version 2', ...at(`/v2/customer/${APP}`) },
  { name: 'more path', ...at(`/v1/customer/${APP}/more`) },
  { name: 'path in capitals', ...at(`/v1/CUSTOMER/${APP}`) },
  { name: 'path trick', ...at(`/v1/x/../customer/${APP}`) },
  { name: 'path that is not percent-encoding', path: '/v1/customer/%E0%A4%A', body: user(), status: 400 },
  { name: 'app id with NUL', path: '/v1/customer/%00', body: user(), status: 409 },
  { name: 'vendor: export', ...at('/v1/customers/export') },
  { name: 'vendor: merge', ...at('/v1/customer/merge') },
  { name: 'vendor: delete', ...at('/v1/customer/delete') },
  { name: 'vendor: devices', ...at('/v1/devices/manage') },
  { name: 'vendor: file imports', ...at('/v1/fileimports/trigger/5') },
  { name: 'vendor: install info', method: 'GET', path: '/v1/installInfo', status: 404 },
  { name: 'GET', method: 'GET', path: `/v1/customer/${APP}`, status: 405, answers: { allow: 'POST' } },
  { name: 'PUT', method: 'PUT', path: `/v1/transition/${APP}`, body: GOOD, status: 405, answers: { allow: 'POST' } },
  { name: 'DELETE without app id', method: 'DELETE', path: '/v1/event', status: 405 },
] // prettier-ignore

export const REQUEST_TABLES = { BODIES, TYPES, SENDERS, HEADERS, PATHS }
