import { AUTH, bare, GOOD_BODY, head, JSON_TYPE, PATH, post } from './bytes.js'
import { input, type HostileInput } from './input.js'

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value)
const kept = () => post(GOOD_BODY, { keepAlive: true })
const startOfBody = () =>
  head(`POST ${PATH} HTTP/1.1`, AUTH, JSON_TYPE, 'Content-Length: 1000') + '{"type"'
/** Headers have 8 s; it is looked every second. */
const HEADERS_BY_MS = 11_000
const BODY_BY_MS = 34_000

/** Callers that take their time, take too much, or go away. */
export const SLOW_CLIENTS: readonly HostileInput[] = [
  input(
    'slowloris: 200 that never end their headers',
    408,
    () => head(`POST ${PATH} HTTP/1.1`).slice(0, -2),
    {
      connections: 200,
      withinMs: HEADERS_BY_MS,
    },
  ),
  input('200 that connect and say nothing', 408, () => [], {
    connections: 200,
    withinMs: HEADERS_BY_MS,
  }),
  input('slowloris at the ops port, 100', 408, () => 'GET /metrics HTTP/1.1\r\nHost: x\r\n', {
    listener: 'ops',
    connections: 100,
    withinMs: HEADERS_BY_MS,
  }),
  input('50 that begin a body and stop', 408, startOfBody, {
    connections: 50,
    withinMs: BODY_BY_MS,
    isSlow: true,
  }),
  input(
    'refused, and continues to send its body permanently',
    401,
    () =>
      head(`POST ${PATH} HTTP/1.1`, JSON_TYPE, 'Content-Length: 100000000') + 'x'.repeat(100_000),
    {
      withinMs: 4_000,
    },
  ),
  input('500 connections at one time', 404, () => bare('GET', '/nothing'), {
    connections: 500,
    withinMs: 5_000,
  }),
  input(
    '100 posts in one go (pipelining)',
    times(100, 200),
    () => Buffer.concat([...times(99, kept()), post()]),
    { withinMs: 4_000 },
  ),
  input(
    '2,000 posts in one go (pipelining)',
    times(2_000, 200),
    () => Buffer.concat([...times(1_999, kept()), post()]),
    { withinMs: 8_000 },
  ),
  input('half-closes behind its post', 200, () => post(GOOD_BODY, { keepAlive: true }), {
    then: 'half-close',
  }),
  input(
    '100 pipelined posts, then half-closes',
    times(100, 200),
    () => Buffer.concat(times(100, kept())),
    { then: 'half-close', withinMs: 4_000 },
  ),
  input(
    'garbage behind 50 pipelined posts',
    times(50, 200),
    () => Buffer.concat([...times(50, kept()), Buffer.from('\0\0 / \r\n\r\n')]),
    { withinMs: 4_000 },
  ),
  input(
    '2,000 requests with credentials on one connection',
    times(2_000, 404),
    () => head('GET /nothing HTTP/1.1', AUTH).repeat(1_999) + bare('GET', '/nothing', AUTH),
    { withinMs: 8_000 },
  ),
  input('2,000 requests without credentials in one go', [], () =>
    head('GET /nothing HTTP/1.1').repeat(2_000),
  ),
  input('2,000 requests with an unknown expectation in one go', [], () =>
    head('GET /nothing HTTP/1.1', 'Expect: y').repeat(2_000),
  ),
  input('500 scrapes in one go', [], () => head('GET /metrics HTTP/1.1').repeat(500), {
    listener: 'ops',
  }),
  input(
    '200 pipelined posts, no answer read, then away',
    [],
    () => Buffer.concat(times(200, kept())),
    { then: 'read nothing', withinMs: 8_000 },
  ),
  input('half-closes in the middle of its body', 400, startOfBody, { then: 'half-close' }),
  input('half-closes in the middle of its headers', 400, () => 'POST /v1/cus', {
    then: 'half-close',
  }),
  input('300 that reset behind their post', [], () => post(), {
    then: 'reset',
    connections: 300,
    withinMs: 5_000,
  }),
  input('300 that reset in the middle of their body', [], startOfBody, {
    then: 'reset',
    connections: 300,
    withinMs: 5_000,
  }),
]
