import type { Limits } from '../oracle/model.js'

export const APP_ID = 'FAULTS_DEBUG'
export const PRODUCER = { name: 'faults', secret: 'faults-secret' }
export const FIRST_API_KEY = 'key-1'

export const ADMIN_TOKEN = 'faults-admin'
/** A workspace that no one posts to. */
export const OTHER_WORKSPACE = {
  appId: 'OTHER_DEBUG',
  apiKey: 'other',
  baseUrl: 'http://127.0.0.1:9',
}

/** The timers that decide how long a fault lasts. */
export interface Timers {
  readonly leaseMs: number
  readonly requestTimeoutMs: number
  readonly arrivalGraceMs: number
  readonly lingerMs: number
}

/** Short, so that a run of seconds sees leases end and requests time out. */
export const QUICK_TIMERS: Timers = {
  leaseMs: 2_000,
  requestTimeoutMs: 1_500,
  arrivalGraceMs: 500,
  lingerMs: 50,
}

/** The defaults of the contract: faults that hide behind short timers show here. */
const DEFAULT_TIMERS: Timers = {
  leaseMs: 15_000,
  requestTimeoutMs: 10_000,
  arrivalGraceMs: 5_000,
  lingerMs: 100,
}

/** What a stack runs under. */
export interface Conditions {
  readonly limits: Limits
  /** At the start; faults may change it. */
  readonly partitions: number
  /** Running from the start. */
  readonly workers: number
  readonly timers: Timers
  readonly appendonly: 'everysec' | 'always'
  /** Settings of the simulator besides the usual. */
  readonly simulator: Readonly<Record<string, string>>
  /** On top of what every process gets. */
  readonly env: Readonly<Record<string, string>>
}

export const USUAL: Conditions = {
  // Tight enough to bind part of the time, short enough for a run of seconds.
  limits: { users: 1500, events: 1800, windowMs: 6_000, bodyBytes: 20_000 },
  partitions: 4,
  workers: 3,
  timers: QUICK_TIMERS,
  appendonly: 'everysec',
  simulator: {},
  env: {},
}

/**
 * What a user runs who sets nothing. MoEngage processes what it was sent although the connection
 * was closed meanwhile.
 */
export const DEFAULTS: Conditions = {
  limits: { users: 5_000, events: 20_000, windowMs: 60_000, bodyBytes: 128_000 },
  partitions: 8,
  workers: 2,
  timers: DEFAULT_TIMERS,
  appendonly: 'everysec',
  simulator: { SIM_CLOSED_BEFORE_ARRIVAL: 'process' },
  env: {},
}

/** Of api and worker alike. */
export function relayEnvironment(
  { limits, timers, env }: Conditions,
  prefix: string,
  redisPort: number,
  workspacesFile: string,
) {
  return {
    REDIS_URL: `redis://127.0.0.1:${redisPort}`,
    RELAY_PREFIX: prefix,
    RELAY_WORKSPACES_FILE: workspacesFile,
    RELAY_PRODUCERS: `${PRODUCER.name}:${PRODUCER.secret}`,
    RELAY_ADMIN_TOKEN: ADMIN_TOKEN,
    RELAY_LEASE_MS: String(timers.leaseMs),
    RELAY_REQUEST_TIMEOUT_MS: String(timers.requestTimeoutMs),
    RELAY_ARRIVAL_GRACE_MS: String(timers.arrivalGraceMs),
    RELAY_LINGER_MS: String(timers.lingerMs),
    MOENGAGE_BUDGET_WINDOW_SECONDS: String(limits.windowMs / 1000),
    LOG_LEVEL: 'debug',
    ...env,
  }
}

export function simulatorEnvironment(
  { limits, simulator }: Conditions,
  port: number,
  seed: number,
) {
  return {
    PORT: String(port),
    SIM_WORKSPACES: `${APP_ID}:${FIRST_API_KEY}`,
    SIM_USERS_PER_WINDOW: String(limits.users),
    SIM_EVENTS_PER_WINDOW: String(limits.events),
    SIM_WINDOW_SECONDS: String(limits.windowMs / 1000),
    SIM_MAX_BODY_BYTES: String(limits.bodyBytes),
    SIM_LATENCY_BEFORE_MS: '10',
    SIM_LATENCY_BEFORE_JITTER_MS: '40',
    SIM_LATENCY_AFTER_MS: '10',
    SIM_LATENCY_AFTER_JITTER_MS: '40',
    SIM_SEED: String(seed),
    ...simulator,
  }
}

export function workspacesJson(
  { limits }: Conditions,
  simulatorPort: number,
  apiKey: string,
  more: readonly object[],
) {
  const workspace = {
    appId: APP_ID,
    apiKey,
    baseUrl: `http://127.0.0.1:${simulatorPort}`,
    limits: {
      usersPerMinute: limits.users,
      eventsPerMinute: limits.events,
      maxBodyBytes: limits.bodyBytes,
    },
  }
  return JSON.stringify({ workspaces: [workspace, ...more] })
}
