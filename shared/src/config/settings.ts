import { isIP } from 'node:net'
import { z } from 'zod'
import * as vendor from '../vendor/limits.js'
import { CUSTOMER_LIMITS_ACCEPTED, parseCustomerLimits } from './customer-limits.js'
import { REDIS_URL_ACCEPTED } from './redis-url.js'
import {
  ALLOWED_NAMES,
  ALLOWED_NAMES_ACCEPTED,
  APP_ID,
  BASE_URL_ACCEPTED,
  DATA_CENTRE,
  IDENTIFIERS,
  IDENTIFIERS_ACCEPTED,
} from './workspace.js'

/** Durability that a 200 guarantees; see docs/reference/configuration.md. */
export const DURABILITIES = ['process', 'disk', 'replica'] as const
export type Durability = (typeof DURABILITIES)[number]

export interface Setting {
  readonly schema: z.ZodType
  /** Default as it would be written in the environment; null: unset. */
  readonly fallback: string | null
  readonly accepted: string
  readonly meaning: string
}

function whole(min: number, max: number, fallback: number | null, meaning: string): Setting {
  return {
    schema: z
      .string()
      .regex(/^\d+$/, 'is not a whole number')
      .transform(Number)
      .refine((n) => n >= min && n <= max, `is not from ${min} to ${max}`),
    fallback: fallback === null ? null : String(fallback),
    accepted: `a whole number from ${min} to ${max}`,
    meaning,
  }
}

function text(schema: z.ZodType, fallback: string | null, accepted: string, meaning: string) {
  return { schema, fallback, accepted, meaning }
}

/** The path of a file of some kind. */
function file(kind: string, meaning: string): Setting {
  return text(z.string(), null, `path of ${kind}`, meaning)
}

/** A comma-separated list. */
function list(schema: z.ZodType<string[], string[]>, accepted: string, meaning: string): Setting {
  const split = z.string().transform((names) => names.split(','))
  return { schema: split.pipe(schema), fallback: null, accepted, meaning }
}

const HOUR_MS = 3_600_000
const MAX_INT = Number.MAX_SAFE_INTEGER
const LOG_LEVELS = ['error', 'warn', 'info', 'http', 'verbose', 'debug', 'silly'] as const

/** Every setting with its default, in the order of the documentation. The only place that names them. */
export const SETTINGS = {
  REDIS_URL: text(z.string(), 'redis://127.0.0.1:6379', REDIS_URL_ACCEPTED, 'Where Redis is.'),
  REDIS_URL_FILE: file(
    'a file',
    'File that contains REDIS_URL, read at start; replaces REDIS_URL.',
  ),
  REDIS_CA_FILE: file(
    'a PEM file',
    'The only authorities trusted for TLS to Redis; unset: those of the system.',
  ),
  REDIS_CERT_FILE: file('a PEM file', 'Client certificate for TLS to Redis, with REDIS_KEY_FILE.'),
  REDIS_KEY_FILE: file('a PEM file', 'Its private key.'),
  RELAY_PREFIX: text(
    z.string().regex(/^[A-Za-z0-9_.-]{1,32}$/, 'has other characters or is too long'),
    'relay',
    '1 to 32 letters, digits, "_", "." or "-"',
    'Prefix of every Redis key, so that several relays can share one Redis.',
  ),
  RELAY_WORKSPACES_FILE: file(
    'a JSON file',
    'Workspaces; re-read when it changes, without restart.',
  ),
  MOENGAGE_APP_ID: text(
    APP_ID,
    null,
    'a workspace id (1 to 64 letters, digits, "_" or "-")',
    'A single workspace without a file.',
  ),
  MOENGAGE_API_KEY: text(z.string(), null, 'the Data API key', 'Its Data API key.'),
  MOENGAGE_API_KEY_FILE: file(
    'a file',
    'File that contains MOENGAGE_API_KEY, re-read when it changes; replaces MOENGAGE_API_KEY.',
  ),
  MOENGAGE_BASE_URL: text(z.string(), null, BASE_URL_ACCEPTED, 'Its host. No default.'),
  MOENGAGE_DC: text(
    DATA_CENTRE,
    null,
    'a data centre such as 02',
    'Data centre number; replaces MOENGAGE_BASE_URL.',
  ),
  MOENGAGE_CA_FILE: file(
    'a PEM file',
    'The only authorities trusted for TLS to MoEngage; unset: those of the system.',
  ),
  MOENGAGE_USERS_PER_MINUTE: whole(
    1,
    1e9,
    vendor.USERS_PER_MINUTE,
    'User updates that one budget window allows; devices too, unless they have a budget.',
  ),
  MOENGAGE_EVENTS_PER_MINUTE: whole(
    1,
    1e9,
    vendor.EVENTS_PER_MINUTE,
    'Events (entries of `actions`) that one budget window allows.',
  ),
  MOENGAGE_DEVICES_PER_MINUTE: whole(
    1,
    1e9,
    null,
    'Device updates that one budget window allows; unset: they count as users.',
  ),
  MOENGAGE_BUDGET_WINDOW_SECONDS: whole(
    1,
    3600,
    vendor.BUDGET_WINDOW_SECONDS,
    'Length of the sliding budget window, seconds.',
  ),
  MOENGAGE_CUSTOMER_LIMITS: text(
    z.string().transform((value, context) => {
      const limits = parseCustomerLimits(value)
      if (limits === null) context.addIssue({ code: 'custom', message: 'is not a list of limits' })
      return limits ?? []
    }),
    vendor.CUSTOMER_LIMITS,
    CUSTOMER_LIMITS_ACCEPTED,
    "MoEngage's per-customer policy: maximum units (user updates, event actions, device updates) in any window of the given seconds; a customer beyond it is held back.",
  ),
  MOENGAGE_FORWARDED_FOR: text(
    z.string().refine((value) => isIP(value) !== 0, 'is not an IP address'),
    null,
    'an IP address',
    'Sent to MoEngage as X-Forwarded-For: the egress address that the IP allow-list of the workspace names.',
  ),
  MOENGAGE_IDENTIFIERS: list(
    IDENTIFIERS,
    IDENTIFIERS_ACCEPTED,
    'Attributes that identify a user in this workspace in addition to the standard ones. The first one present decides the order key.',
  ),
  MOENGAGE_ALLOWED_NAMES: list(
    ALLOWED_NAMES,
    ALLOWED_NAMES_ACCEPTED,
    'Names with the reserved prefix moe_ that producers may send in addition to the documented ones.',
  ),
  MOENGAGE_MAX_BODY_BYTES: whole(
    200,
    vendor.MAX_BODY_BYTES,
    vendor.MAX_BODY_BYTES,
    'Largest bulk request body, bytes of UTF-8 JSON.',
  ),
  RELAY_PRODUCERS: text(
    z.string(),
    null,
    'name:secret,name:secret with names of letters, digits, "_", "." or "-"; a secret is any non-empty text, or sha256$salt$hex',
    'Producer credentials. If unset, every post is rejected.',
  ),
  RELAY_PRODUCERS_FILE: file(
    'a file',
    'File of producer credentials, one entry a line, re-read when it changes; replaces RELAY_PRODUCERS.',
  ),
  RELAY_ADMIN_TOKEN: text(
    z.string(),
    null,
    'any non-empty text, or sha256$salt$hex',
    'Bearer token of the operator API. Unset: it answers 403.',
  ),
  RELAY_ADMIN_TOKEN_FILE: file(
    'a file',
    'File with one valid token a line, re-read when it changes; replaces RELAY_ADMIN_TOKEN.',
  ),
  RELAY_TLS_CERT_FILE: file(
    'a PEM file',
    'Certificate of the intake, which then speaks HTTPS alone; re-read when it changes.',
  ),
  RELAY_TLS_KEY_FILE: file('a PEM file', 'Its private key.'),
  RELAY_TLS_CLIENT_CA_FILE: file(
    'a PEM file',
    'Certificate authorities of producers (mTLS): callers without a certificate from them are rejected.',
  ),
  PORT: whole(0, 65535, 8080, 'Intake port of the api.'),
  HOST: text(
    z.string(),
    null,
    'an address of this machine, such as 127.0.0.1',
    'Address that the intake listens on; unset: all.',
  ),
  OPS_PORT: whole(0, 65535, null, 'Metrics, health and operator port (api 9464, worker 9465).'),
  OPS_HOST: text(
    z.string(),
    null,
    'an address of this machine, such as 127.0.0.1',
    'Address that the ops port listens on; unset: all.',
  ),
  RELAY_LINGER_MS: whole(
    0,
    60_000,
    100,
    'The longest a worker waits to fill a request when it could send now, ms.',
  ),
  RELAY_COALESCE: text(
    z.enum(['on', 'off']),
    'on',
    'on, off',
    'Whether adjacent updates or events of a customer share one element of a request.',
  ),
  RELAY_PARTITIONS: whole(1, 256, 8, 'Partitions per workspace and lane.'),
  RELAY_DURABILITY: text(
    z.enum(DURABILITIES),
    'process',
    DURABILITIES.join(', '),
    'Durability that a 200 guarantees.',
  ),
  RELAY_MAX_REQUEST_BYTES: whole(
    1024,
    1 << 30,
    1_048_576,
    'Largest intake body after decompression, bytes (not for /v1/import).',
  ),
  RELAY_BACKFILL_FLOOR_PERCENT: whole(
    0,
    90,
    10,
    'Share of each budget that backfill keeps when realtime alone could use all, percent.',
  ),
  RELAY_ARRIVAL_GRACE_MS: whole(
    0,
    HOUR_MS,
    5_000,
    'How long after closing a connection an attempt may still count at MoEngage, ms.',
  ),
  RELAY_MAX_BACKLOG_BYTES: whole(
    1,
    MAX_INT,
    null,
    'Backlog above which intake answers 503, bytes; unset: 70 % of Redis maxmemory, else 1 GiB.',
  ),
  RELAY_REQUEST_TIMEOUT_MS: whole(
    100,
    HOUR_MS,
    10_000,
    'Per attempt against MoEngage, ms; first retries and probes wait 5,000 at most.',
  ),
  RELAY_LEASE_MS: whole(
    500,
    HOUR_MS,
    15_000,
    "Maximum time for which a dead worker's partitions stay unserved, ms.",
  ),
  RELAY_SHUTDOWN_MS: whole(
    0,
    12_000,
    11_000,
    'Graceful-shutdown timeout for in-flight requests, in ms.',
  ),
  RELAY_TRACE_BYTES: whole(
    0,
    MAX_INT,
    67_108_864,
    'Redis memory for traces of request ids, bytes per workspace; the oldest of the producer with most go first.',
  ),
  RELAY_MAX_AGE_SECONDS: whole(
    1,
    366 * 86_400,
    null,
    'Age from which an element is dead-lettered as expired instead of sent, seconds; unset: unlimited.',
  ),
  RELAY_DEAD_LETTER_DAYS: whole(1, 3650, 30, 'Retention of dead letters, days.'),
  OTEL_EXPORTER_OTLP_ENDPOINT: text(
    z
      .string()
      .refine((url) => /^https?:\/\//.test(url) && URL.canParse(url), 'is not an http URL')
      .transform((url) => url.replace(/\/+$/, '')),
    null,
    'base URL of an OTLP/HTTP receiver, such as http://collector:4318',
    'OpenTelemetry endpoint for traces (JSON, to its /v1/traces). If unset, tracing is off.',
  ),
  OTEL_TRACES_SAMPLER_ARG: text(
    z
      .string()
      .regex(/^(0|1|0?\.\d+|[01]\.0*)$/, 'is not a share')
      .transform(Number),
    '1',
    'a number from 0 to 1',
    'Share of the posts that are traced when their producer sends no traceparent to decide.',
  ),
  LOG_LEVEL: text(z.enum(LOG_LEVELS), 'info', LOG_LEVELS.join(', '), 'winston level.'),
} as const satisfies Record<string, Setting>

export type Name = keyof typeof SETTINGS

/** Any of these means a real workspace, and not the simulated one of `npm start`. */
export const REAL_WORKSPACE: readonly Name[] = [
  'MOENGAGE_APP_ID',
  'MOENGAGE_API_KEY',
  'MOENGAGE_BASE_URL',
  'MOENGAGE_DC',
  'RELAY_WORKSPACES_FILE',
]
