import type { Limits } from '../oracle/model.js'

export const APP_ID = 'FAULTS_DEBUG'
export const PRODUCER = { name: 'faults', secret: 'faults-secret' }
export const FIRST_API_KEY = 'key-1'

/** Tight enough to bind part of the time, short enough for a run of seconds. */
export const LIMITS: Limits = { users: 1500, events: 1800, windowMs: 6_000, bodyBytes: 20_000 }

export const LEASE_MS = 2_000
const REQUEST_TIMEOUT_MS = 1_500

/** Of api and worker alike. */
export function relayEnvironment(prefix: string, redisPort: number, workspacesFile: string) {
  return {
    REDIS_URL: `redis://127.0.0.1:${String(redisPort)}`,
    RELAY_PREFIX: prefix,
    RELAY_WORKSPACES_FILE: workspacesFile,
    RELAY_PRODUCERS: `${PRODUCER.name}:${PRODUCER.secret}`,
    RELAY_LEASE_MS: String(LEASE_MS),
    RELAY_REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS),
    RELAY_ARRIVAL_GRACE_MS: '500',
    RELAY_LINGER_MS: '50',
    MOENGAGE_BUDGET_WINDOW_SECONDS: String(LIMITS.windowMs / 1000),
    LOG_LEVEL: 'debug',
  }
}

export function simulatorEnvironment(port: number, seed: number) {
  return {
    PORT: String(port),
    SIM_WORKSPACES: `${APP_ID}:${FIRST_API_KEY}`,
    SIM_USERS_PER_WINDOW: String(LIMITS.users),
    SIM_EVENTS_PER_WINDOW: String(LIMITS.events),
    SIM_WINDOW_SECONDS: String(LIMITS.windowMs / 1000),
    SIM_MAX_BODY_BYTES: String(LIMITS.bodyBytes),
    SIM_LATENCY_BEFORE_MS: '10',
    SIM_LATENCY_BEFORE_JITTER_MS: '40',
    SIM_LATENCY_AFTER_MS: '10',
    SIM_LATENCY_AFTER_JITTER_MS: '40',
    SIM_SEED: String(seed),
  }
}

export function workspacesJson(simulatorPort: number, apiKey: string, more: readonly object[]) {
  const workspace = {
    appId: APP_ID,
    apiKey,
    baseUrl: `http://127.0.0.1:${String(simulatorPort)}`,
    limits: {
      usersPerMinute: LIMITS.users,
      eventsPerMinute: LIMITS.events,
      maxBodyBytes: LIMITS.bodyBytes,
    },
  }
  return JSON.stringify({ workspaces: [workspace, ...more] })
}
