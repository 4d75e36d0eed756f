import type { Limits } from '../oracle/model.js'

export const APP_ID = 'FAULTS_DEBUG'
export const PRODUCER = { name: 'faults', secret: 'faults-secret' }
export const FIRST_API_KEY = 'key-1'

export const LEASE_MS = 2_000
const REQUEST_TIMEOUT_MS = 1_500

/** What a stack runs under. */
export interface Conditions {
  readonly limits: Limits
  /** At the start; faults may change it. */
  readonly partitions: number
  /** Running from the start. */
  readonly workers: number
  /** On top of what every process gets. */
  readonly env: Readonly<Record<string, string>>
}

export const USUAL: Conditions = {
  // Tight enough to bind part of the time, short enough for a run of seconds.
  limits: { users: 1500, events: 1800, windowMs: 6_000, bodyBytes: 20_000 },
  partitions: 4,
  workers: 3,
  env: {},
}

/** Of api and worker alike. */
export function relayEnvironment(
  { limits, env }: Conditions,
  prefix: string,
  redisPort: number,
  workspacesFile: string,
) {
  return {
    REDIS_URL: `redis://127.0.0.1:${String(redisPort)}`,
    RELAY_PREFIX: prefix,
    RELAY_WORKSPACES_FILE: workspacesFile,
    RELAY_PRODUCERS: `${PRODUCER.name}:${PRODUCER.secret}`,
    RELAY_LEASE_MS: String(LEASE_MS),
    RELAY_REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS),
    RELAY_ARRIVAL_GRACE_MS: '500',
    RELAY_LINGER_MS: '50',
    MOENGAGE_BUDGET_WINDOW_SECONDS: String(limits.windowMs / 1000),
    LOG_LEVEL: 'debug',
    ...env,
  }
}

export function simulatorEnvironment({ limits }: Conditions, port: number, seed: number) {
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
    baseUrl: `http://127.0.0.1:${String(simulatorPort)}`,
    limits: {
      usersPerMinute: limits.users,
      eventsPerMinute: limits.events,
      maxBodyBytes: limits.bodyBytes,
    },
  }
  return JSON.stringify({ workspaces: [workspace, ...more] })
}
