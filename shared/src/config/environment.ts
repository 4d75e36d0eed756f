import { z } from 'zod'
import * as vendor from '../vendor/limits.js'
import { ConfigError, type ConfigFault } from './fault.js'
import { parseRedisUrl, REDIS_URL_ACCEPTED, type RedisTarget } from './redis-url.js'
import {
  APP_ID,
  BASE_URL_ACCEPTED,
  dataCentreUrl,
  DATA_CENTRE,
  parseBaseUrl,
  type Workspace,
  type WorkspaceLimits,
} from './workspace.js'

/** What the 200 promises; see docs/configuration.md. */
export const DURABILITIES = ['process', 'disk', 'replica'] as const
export type Durability = (typeof DURABILITIES)[number]

/** Everything relay is told from outside, parsed once at start. */
export interface Config {
  readonly redis: RedisTarget
  /** Prefix of every Redis key. */
  readonly prefix: string
  readonly workspacesFile: string | null
  /** The workspace of `MOENGAGE_APP_ID`, when given. */
  readonly ownWorkspace: Workspace | null
  /** Limits of workspaces that name none. */
  readonly defaultLimits: WorkspaceLimits
  readonly budgetWindowMs: number
  /** Producer name → secrets (several while one is being rotated). Empty: nobody may post. */
  readonly producers: ReadonlyMap<string, readonly string[]>
  readonly adminToken: string | null
  readonly port: number
  readonly opsPort: number
  readonly lingerMs: number
  /** Whether adjacent elements of a customer are coalesced, where a workspace does not say. */
  readonly coalesce: boolean
  readonly partitions: number
  readonly durability: Durability
  readonly maxRequestBytes: number
  readonly backfillFloorPercent: number
  readonly arrivalGraceMs: number
  /** null: derived from Redis `maxmemory`. */
  readonly maxBacklogBytes: number | null
  readonly requestTimeoutMs: number
  readonly leaseMs: number
  readonly shutdownMs: number
  readonly traceBytes: number
  /** How long dead letters are kept. */
  readonly deadLetterDays: number
  readonly logLevel: string
}

interface Setting {
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
      .refine((n) => n >= min && n <= max, `is not from ${String(min)} to ${String(max)}`),
    fallback: fallback === null ? null : String(fallback),
    accepted: `a whole number from ${String(min)} to ${String(max)}`,
    meaning,
  }
}

function text(schema: z.ZodType, fallback: string | null, accepted: string, meaning: string) {
  return { schema, fallback, accepted, meaning }
}

const HOUR_MS = 3_600_000
const MAX_INT = Number.MAX_SAFE_INTEGER
const LOG_LEVELS = ['error', 'warn', 'info', 'http', 'verbose', 'debug', 'silly'] as const

/** Every setting with its default, in the order of the documentation. The only place that names them. */
export const SETTINGS = {
  REDIS_URL: text(z.string(), 'redis://127.0.0.1:6379', REDIS_URL_ACCEPTED, 'Where Redis is.'),
  RELAY_PREFIX: text(
    z.string().regex(/^[A-Za-z0-9_.-]{1,32}$/, 'has other characters or is too long'),
    'relay',
    '1 to 32 letters, digits, "_", "." or "-"',
    'Prefix of every Redis key, so that several relays can share one Redis.',
  ),
  RELAY_WORKSPACES_FILE: text(
    z.string(),
    null,
    'path of a JSON file',
    'Workspaces; re-read when it changes, without restart.',
  ),
  MOENGAGE_APP_ID: text(
    APP_ID,
    null,
    'a workspace id (1 to 64 letters, digits, "_" or "-")',
    'A single workspace without a file.',
  ),
  MOENGAGE_API_KEY: text(z.string(), null, 'the Data API key', 'Its Data API key.'),
  MOENGAGE_BASE_URL: text(z.string(), null, BASE_URL_ACCEPTED, 'Its host. No default.'),
  MOENGAGE_DC: text(
    DATA_CENTRE,
    null,
    'a data centre such as 02',
    'In place of MOENGAGE_BASE_URL: the data centre number.',
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
  MOENGAGE_MAX_BODY_BYTES: whole(
    200,
    vendor.MAX_BODY_BYTES,
    vendor.MAX_BODY_BYTES,
    'Largest bulk request body, bytes of UTF-8 JSON.',
  ),
  RELAY_PRODUCERS: text(
    z.string(),
    null,
    'name:secret,name:secret with names of letters, digits, "_", "." or "-" and non-empty secrets',
    'Who may post. Unset: nobody may.',
  ),
  RELAY_ADMIN_TOKEN: text(
    z.string(),
    null,
    'any non-empty text',
    'Bearer token of the operator API. Unset: it answers 403.',
  ),
  PORT: whole(0, 65535, 8080, 'Intake port of the api.'),
  OPS_PORT: whole(0, 65535, null, 'Metrics, health and operator port (api 9464, worker 9465).'),
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
    'What the 200 promises.',
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
  RELAY_REQUEST_TIMEOUT_MS: whole(100, HOUR_MS, 10_000, 'Per attempt against MoEngage, ms.'),
  RELAY_LEASE_MS: whole(
    500,
    HOUR_MS,
    15_000,
    "How long a dead worker's partitions stay unserved at most, ms.",
  ),
  RELAY_SHUTDOWN_MS: whole(
    0,
    12_000,
    11_000,
    'How long a worker that was told to end waits for the answers of its last requests, ms.',
  ),
  RELAY_TRACE_BYTES: whole(
    0,
    MAX_INT,
    67_108_864,
    'Redis memory for traces of request ids, bytes per workspace; oldest go first.',
  ),
  RELAY_DEAD_LETTER_DAYS: whole(
    1,
    3650,
    30,
    'How long dead letters are kept for an operator, days.',
  ),
  LOG_LEVEL: text(z.enum(LOG_LEVELS), 'info', LOG_LEVELS.join(', '), 'winston level.'),
} as const satisfies Record<string, Setting>

type Name = keyof typeof SETTINGS
export type Environment = Readonly<Record<string, string | undefined>>

const PRODUCER_NAME = /^[A-Za-z0-9_.-]{1,64}$/

/** Parses the environment; throws `ConfigError` with every fault at once. */
export function parseEnvironment(env: Environment, defaultOpsPort: number): Config {
  const faults: ConfigFault[] = []
  const read = (name: Name): unknown => {
    const setting: Setting = SETTINGS[name]
    const raw = env[name] === undefined || env[name] === '' ? setting.fallback : env[name]
    if (raw === null) return null
    const parsed = setting.schema.safeParse(raw)
    if (parsed.success) return parsed.data
    const problem = parsed.error.issues[0]?.message ?? 'is not valid'
    faults.push({ where: name, problem, accepted: setting.accepted })
    return null
  }
  const num = (name: Name) => read(name) as number
  const optional = (name: Name) => read(name) as number | null
  const str = (name: Name) => read(name) as string | null

  const redis = parseRedisUrl(str('REDIS_URL') ?? '')
  if (redis === null) {
    faults.push({ where: 'REDIS_URL', problem: 'is not a Redis URL', accepted: REDIS_URL_ACCEPTED })
  }
  const defaultLimits: WorkspaceLimits = {
    usersPerWindow: num('MOENGAGE_USERS_PER_MINUTE'),
    eventsPerWindow: num('MOENGAGE_EVENTS_PER_MINUTE'),
    devicesPerWindow: optional('MOENGAGE_DEVICES_PER_MINUTE'),
    maxBodyBytes: num('MOENGAGE_MAX_BODY_BYTES'),
  }
  const workspacesFile = str('RELAY_WORKSPACES_FILE')
  const ownWorkspace = readOwnWorkspace(str, defaultLimits, workspacesFile !== null, faults)
  const config: Config = {
    redis: redis ?? { mode: 'single', url: '' },
    prefix: str('RELAY_PREFIX') ?? '',
    workspacesFile,
    ownWorkspace,
    defaultLimits,
    budgetWindowMs: num('MOENGAGE_BUDGET_WINDOW_SECONDS') * 1000,
    producers: readProducers(str('RELAY_PRODUCERS'), faults),
    adminToken: str('RELAY_ADMIN_TOKEN'),
    port: num('PORT'),
    opsPort: optional('OPS_PORT') ?? defaultOpsPort,
    lingerMs: num('RELAY_LINGER_MS'),
    coalesce: str('RELAY_COALESCE') === 'on',
    partitions: num('RELAY_PARTITIONS'),
    durability: read('RELAY_DURABILITY') as Durability,
    maxRequestBytes: num('RELAY_MAX_REQUEST_BYTES'),
    backfillFloorPercent: num('RELAY_BACKFILL_FLOOR_PERCENT'),
    arrivalGraceMs: num('RELAY_ARRIVAL_GRACE_MS'),
    maxBacklogBytes: optional('RELAY_MAX_BACKLOG_BYTES'),
    requestTimeoutMs: num('RELAY_REQUEST_TIMEOUT_MS'),
    leaseMs: num('RELAY_LEASE_MS'),
    shutdownMs: num('RELAY_SHUTDOWN_MS'),
    traceBytes: num('RELAY_TRACE_BYTES'),
    deadLetterDays: num('RELAY_DEAD_LETTER_DAYS'),
    logLevel: str('LOG_LEVEL') ?? 'info',
  }
  if (faults.length > 0) throw new ConfigError(faults)
  return config
}

function readOwnWorkspace(
  str: (name: Name) => string | null,
  limits: WorkspaceLimits,
  hasFile: boolean,
  faults: ConfigFault[],
): Workspace | null {
  const appId = str('MOENGAGE_APP_ID')
  const apiKey = str('MOENGAGE_API_KEY')
  const baseUrl = str('MOENGAGE_BASE_URL')
  const dc = str('MOENGAGE_DC')
  const miss = (where: Name, problem: string) =>
    faults.push({ where, problem, accepted: SETTINGS[where].accepted })
  if (appId === null && apiKey === null && baseUrl === null && dc === null && hasFile) return null
  if (appId === null && !faults.some((f) => f.where === 'MOENGAGE_APP_ID')) {
    miss('MOENGAGE_APP_ID', 'is not set, and neither is RELAY_WORKSPACES_FILE')
  }
  if (apiKey === null) miss('MOENGAGE_API_KEY', 'is not set')
  if (baseUrl === null && dc === null && !faults.some((f) => f.where === 'MOENGAGE_DC')) {
    miss('MOENGAGE_BASE_URL', 'is not set, nor is MOENGAGE_DC, and there is no default data centre')
  }
  if (baseUrl !== null && dc !== null) miss('MOENGAGE_DC', 'is set together with MOENGAGE_BASE_URL')
  const origin = baseUrl === null ? dataCentreUrl(dc ?? '') : parseBaseUrl(baseUrl)
  if (origin === null) miss('MOENGAGE_BASE_URL', 'is not a base URL')
  return {
    appId: appId ?? '',
    apiKey: apiKey ?? '',
    baseUrl: origin ?? '',
    limits,
    producers: null,
    quotas: new Map(),
  }
}

function readProducers(list: string | null, faults: ConfigFault[]): Map<string, string[]> {
  const producers = new Map<string, string[]>()
  for (const [index, entry] of (list?.split(',') ?? []).entries()) {
    const colon = entry.indexOf(':')
    const name = entry.slice(0, colon).trim()
    const secret = entry.slice(colon + 1)
    if (colon < 1 || secret === '' || !PRODUCER_NAME.test(name)) {
      // The entry is not quoted: it may be the secret.
      const problem = `entry ${String(index + 1)} is not name:secret`
      faults.push({
        where: 'RELAY_PRODUCERS',
        problem,
        accepted: SETTINGS.RELAY_PRODUCERS.accepted,
      })
      break
    }
    // A name that is given twice has two valid secrets, so that one can be rotated out.
    producers.set(name, [...(producers.get(name) ?? []), secret])
  }
  return producers
}
