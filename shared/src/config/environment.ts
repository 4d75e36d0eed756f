import { readFileSync } from 'node:fs'
import type { TracingTarget } from '../telemetry/tracer.js'
import type { CustomerLimit } from './customer-limits.js'
import { ConfigError, type ConfigFault } from './fault.js'
import { readProducers, type ProducerSecrets } from './producers.js'
import { parseRedisUrl, REDIS_URL_ACCEPTED, type RedisTarget } from './redis-url.js'
import { HASHED_ACCEPTED, isBrokenHash } from './secret.js'
import { SETTINGS, type Durability, type Name, type Setting } from './settings.js'
import { readPem, readRedisTls, readTls, type TlsFiles } from './tls-files.js'
import { dataCentreUrl, parseBaseUrl, type Workspace, type WorkspaceLimits } from './workspace.js'

/** relay's configuration, parsed once at start. */
export interface Config {
  readonly redis: RedisTarget
  /** Prefix of every Redis key. */
  readonly prefix: string
  readonly workspacesFile: string | null
  /** The workspace of `MOENGAGE_APP_ID`, when given. */
  readonly ownWorkspace: Workspace | null
  /** File of its API key, re-read when it changes; the workspace's own is '' then. */
  readonly ownKeyFile: string | null
  /** Authorities trusted for TLS to MoEngage, PEM; null: the system's. */
  readonly vendorCa: string | null
  /** Limits of workspaces that name none. */
  readonly defaultLimits: WorkspaceLimits
  /** Of workspaces that name none, like the next. */
  readonly customerLimits: readonly CustomerLimit[]
  readonly forwardedFor: string | undefined
  readonly budgetWindowMs: number
  /** Producer name → secrets (several during a rotation). If empty, every post is rejected. */
  readonly producers: ProducerSecrets
  readonly producersFile: string | null
  readonly adminToken: string | null
  readonly adminTokenFile: string | null
  /** TLS of the intake; null: it speaks plain HTTP. */
  readonly tls: TlsFiles | null
  readonly port: number
  /** Address that the intake listens on; null: all. */
  readonly host: string | null
  readonly opsPort: number
  /** null: all addresses. */
  readonly opsHost: string | null
  readonly lingerMs: number
  /** Default for whether adjacent elements of a customer are coalesced. */
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
  /** Age from which an element is dead-lettered instead of sent; null: unlimited. */
  readonly maxAgeMs: number | null
  readonly deadLetterDays: number
  /** null: nothing is traced. */
  readonly tracing: TracingTarget | null
  readonly logLevel: string
}

export type Environment = Readonly<Record<string, string | undefined>>

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

  const redis = readRedis(str, faults)
  const limits = readLimits(num, optional)
  const workspacesFile = str('RELAY_WORKSPACES_FILE')
  const policies = readPolicies(read, str)
  const own = readOwnWorkspace(str, { ...policies, limits }, workspacesFile !== null, faults)
  const ownWorkspace = own === null ? null : { ...own, ...readNames(read) }
  const config: Config = {
    redis,
    prefix: str('RELAY_PREFIX') ?? '',
    workspacesFile,
    ownWorkspace,
    ownKeyFile: str('MOENGAGE_API_KEY_FILE'),
    vendorCa: readPem('MOENGAGE_CA_FILE', str('MOENGAGE_CA_FILE'), faults),
    defaultLimits: limits,
    ...policies,
    budgetWindowMs: num('MOENGAGE_BUDGET_WINDOW_SECONDS') * 1000,
    ...readSecrets(env, str, faults),
    tls: readTls(str, faults),
    port: num('PORT'),
    host: str('HOST'),
    opsPort: optional('OPS_PORT') ?? defaultOpsPort,
    opsHost: str('OPS_HOST'),
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
    maxAgeMs: inMs(optional('RELAY_MAX_AGE_SECONDS')),
    deadLetterDays: num('RELAY_DEAD_LETTER_DAYS'),
    tracing: readTracing(str, num),
    logLevel: str('LOG_LEVEL') ?? 'info',
  }
  if (faults.length > 0) throw new ConfigError(faults)
  return config
}

/** Names that the environment's workspace allows in addition to the documented ones. */
function readNames(read: (name: Name) => unknown) {
  const names = (name: Name) => (read(name) as readonly string[] | null) ?? undefined
  return {
    identifiers: names('MOENGAGE_IDENTIFIERS'),
    allowedNames: names('MOENGAGE_ALLOWED_NAMES'),
  }
}

function inMs(seconds: number | null): number | null {
  return seconds === null ? null : seconds * 1000
}

type Str = (name: Name) => string | null

function readLimits(
  num: (name: Name) => number,
  optional: (name: Name) => number | null,
): WorkspaceLimits {
  return {
    usersPerWindow: num('MOENGAGE_USERS_PER_MINUTE'),
    eventsPerWindow: num('MOENGAGE_EVENTS_PER_MINUTE'),
    devicesPerWindow: optional('MOENGAGE_DEVICES_PER_MINUTE'),
    maxBodyBytes: num('MOENGAGE_MAX_BODY_BYTES'),
  }
}

/** Settings that workspaces of the file take over. */
function readPolicies(read: (name: Name) => unknown, str: Str) {
  const customerLimits = (read('MOENGAGE_CUSTOMER_LIMITS') ?? []) as readonly CustomerLimit[]
  return { customerLimits, forwardedFor: str('MOENGAGE_FORWARDED_FOR') ?? undefined }
}

function readTracing(str: Str, num: (name: Name) => number): TracingTarget | null {
  const endpoint = str('OTEL_EXPORTER_OTLP_ENDPOINT')
  const share = num('OTEL_TRACES_SAMPLER_ARG')
  return endpoint === null ? null : { endpoint, share }
}

/** Secrets that can be read from a dedicated file, named by `…_FILE`. */
export const SECRETS_IN_FILES = [
  'REDIS_URL',
  'MOENGAGE_API_KEY',
  'RELAY_PRODUCERS',
  'RELAY_ADMIN_TOKEN',
] as const

function readRedis(str: Str, faults: ConfigFault[]): RedisTarget {
  const file = str('REDIS_URL_FILE')
  const where = file === null ? 'REDIS_URL' : 'REDIS_URL_FILE'
  let text = str('REDIS_URL') ?? ''
  try {
    if (file !== null) text = readFileSync(file, 'utf8').trim()
  } catch {
    faults.push({ where: `${where} ${file ?? ''}`, problem: 'cannot be read', accepted: 'a file' })
  }
  const target = parseRedisUrl(text)
  if (target === null) {
    faults.push({ where, problem: 'is not a Redis URL', accepted: REDIS_URL_ACCEPTED })
    return { mode: 'single', url: '' }
  }
  return { ...target, tls: readRedisTls(str, faults) }
}

/** Reads the credentials of producers and operators. */
function readSecrets(env: Environment, str: Str, faults: ConfigFault[]) {
  for (const name of SECRETS_IN_FILES) {
    if (env[name] && env[`${name}_FILE`]) {
      const problem = `is set together with ${name}`
      faults.push({ where: `${name}_FILE`, problem, accepted: 'one of the two' })
    }
  }
  const list = str('RELAY_PRODUCERS')?.split(',') ?? []
  const { producers, faults: wrong } = readProducers(list, 'RELAY_PRODUCERS')
  faults.push(...wrong)
  const adminToken = str('RELAY_ADMIN_TOKEN')
  if (isBrokenHash(adminToken ?? '')) {
    const problem = 'has the prefix of a hash but is not a valid hash'
    faults.push({ where: 'RELAY_ADMIN_TOKEN', problem, accepted: HASHED_ACCEPTED })
  }
  const producersFile = str('RELAY_PRODUCERS_FILE')
  return { producers, producersFile, adminToken, adminTokenFile: str('RELAY_ADMIN_TOKEN_FILE') }
}

function readOwnWorkspace(
  str: Str,
  own: Pick<Workspace, 'limits' | 'customerLimits' | 'forwardedFor'>,
  hasFile: boolean,
  faults: ConfigFault[],
): Workspace | null {
  const appId = str('MOENGAGE_APP_ID')
  const apiKey = str('MOENGAGE_API_KEY') ?? (str('MOENGAGE_API_KEY_FILE') === null ? null : '')
  const baseUrl = str('MOENGAGE_BASE_URL')
  const dc = str('MOENGAGE_DC')
  const miss = missing(faults)
  if (appId === null && apiKey === null && baseUrl === null && dc === null && hasFile) return null
  if (appId === null && !faults.some((f) => f.where === 'MOENGAGE_APP_ID')) {
    const others = hasFile
      ? 'other settings of its workspace are'
      : 'neither is RELAY_WORKSPACES_FILE'
    miss('MOENGAGE_APP_ID', `is not set, ${hasFile ? 'but' : 'and'} ${others}`)
  }
  if (apiKey === null) miss('MOENGAGE_API_KEY', 'is not set')
  const origin = readOrigin(baseUrl, dc, faults)
  return {
    appId: appId ?? '',
    apiKey: apiKey ?? '',
    baseUrl: origin ?? '',
    ...own,
    producers: null,
    quotas: new Map(),
    mode: 'live',
    shadowed: 'drop',
  }
}

function readOrigin(baseUrl: string | null, dc: string | null, faults: ConfigFault[]) {
  const miss = missing(faults)
  if (baseUrl === null && dc === null && !faults.some((f) => f.where === 'MOENGAGE_DC')) {
    miss(
      'MOENGAGE_BASE_URL',
      'is not set, and neither is MOENGAGE_DC; there is no default data centre',
    )
  }
  if (baseUrl !== null && dc !== null) {
    miss('MOENGAGE_DC', 'is set together with MOENGAGE_BASE_URL; remove one of the two')
  }
  const origin = baseUrl === null ? dataCentreUrl(dc ?? '') : parseBaseUrl(baseUrl)
  if (origin === null) miss('MOENGAGE_BASE_URL', 'is not a base URL')
  return origin
}

function missing(faults: ConfigFault[]) {
  return (where: Name, problem: string): void => {
    faults.push({ where, problem, accepted: SETTINGS[where].accepted })
  }
}
