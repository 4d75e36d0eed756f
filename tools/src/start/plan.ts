import { REAL_WORKSPACE } from '@relay/shared/config/settings.js'
import { LOOPBACK } from '../process/port.js'
import type { Credentials } from './credentials.js'

export type Environment = Readonly<Record<string, string | undefined>>

/** A port that `npm start` needs, and the variable that moves it elsewhere. */
export interface PlannedPort {
  readonly what: string
  readonly port: number
  readonly variable: string
}

export interface Plan {
  readonly intake: PlannedPort
  readonly apiOps: PlannedPort
  readonly workerOps: PlannedPort
  /** null: a real workspace is configured. */
  readonly simulator: PlannedPort | null
  readonly apiEnv: Environment
  readonly workerEnv: Environment
  readonly simulatorEnv: Environment
  readonly appId: string
  readonly producerSecret: string
  /** Redis is started for this run, as the environment names none. */
  readonly isOwnRedis: boolean
  /** null: the operator set one, which need not be shown. */
  readonly madeAdminToken: string | null
}

export class BadPorts extends Error {
  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.name = 'BadPorts'
  }
}

/** Of the simulated workspace. */
const DEMO_APP_ID = 'DEMO'
const PRODUCER_NAME = 'local'
/**
 * What to start and with which settings, from the environment with its secrets read from their
 * files: see `withSecretFiles`. `OPS_PORT` is the api's; the worker's is `WORKER_OPS_PORT` and the
 * simulator's port `SIM_PORT`, as all run on one machine.
 * @param fileAppId of the first workspace in the workspaces file, when there is one
 */
export function planStart(
  given: Environment,
  redisUrl: string,
  made: Credentials,
  fileAppId: string | null,
): Plan {
  const env = withoutBlanks(given)
  const isSimulated = REAL_WORKSPACE.every((name) => env[name] === undefined)
  const intake = plannedPort('the intake', 'PORT', 8080, env)
  const apiOps = plannedPort("the api's metrics and console", 'OPS_PORT', 9464, env)
  const workerOps = plannedPort("the worker's metrics", 'WORKER_OPS_PORT', 9465, env)
  const simulator = plannedPort('the MoEngage simulator', 'SIM_PORT', 9400, env)
  const faults = portFaults([intake, apiOps, workerOps, ...(isSimulated ? [simulator] : [])], env)
  if (faults.length > 0) throw new BadPorts(faults)
  const madeProducer = `${PRODUCER_NAME}:${made.producerSecret}`
  const base = {
    // Metrics and the operator API are not offered to the network unless asked for.
    OPS_HOST: LOOPBACK,
    ...env,
    REDIS_URL: redisUrl,
    ...(env.RELAY_PRODUCERS === undefined ? { RELAY_PRODUCERS: madeProducer } : {}),
    ...(env.RELAY_ADMIN_TOKEN === undefined ? { RELAY_ADMIN_TOKEN: made.adminToken } : {}),
    // Ctrl-C promises an end within 5 s.
    RELAY_SHUTDOWN_MS: env.RELAY_SHUTDOWN_MS ?? '2000',
    ...(isSimulated ? simulatedWorkspace(simulator.port, made) : {}),
  }
  const appId = isSimulated ? DEMO_APP_ID : (env.MOENGAGE_APP_ID ?? fileAppId)
  return {
    intake,
    apiOps,
    workerOps,
    simulator: isSimulated ? simulator : null,
    apiEnv: { ...base, PORT: String(intake.port), OPS_PORT: String(apiOps.port) },
    workerEnv: { ...base, OPS_PORT: String(workerOps.port) },
    simulatorEnv: {
      // It takes what a workspace so configured takes.
      SIM_IDENTIFIERS: env.MOENGAGE_IDENTIFIERS,
      SIM_ALLOWED_NAMES: env.MOENGAGE_ALLOWED_NAMES,
      ...env,
      PORT: String(simulator.port),
      OPS_PORT: undefined,
      SIM_WORKSPACES: `${DEMO_APP_ID}:${made.simulatorKey}`,
    },
    appId: appId ?? 'YOUR_APP_ID',
    producerSecret: firstSecret(env.RELAY_PRODUCERS) ?? made.producerSecret,
    isOwnRedis: env.REDIS_URL === undefined,
    madeAdminToken: env.RELAY_ADMIN_TOKEN === undefined ? made.adminToken : null,
  }
}

/** An empty variable is an unset one. */
function withoutBlanks(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
}

function simulatedWorkspace(port: number, made: Credentials): Environment {
  return {
    MOENGAGE_APP_ID: DEMO_APP_ID,
    MOENGAGE_API_KEY: made.simulatorKey,
    MOENGAGE_BASE_URL: `http://${LOOPBACK}:${port}`,
  }
}

function plannedPort(
  what: string,
  variable: string,
  fallback: number,
  env: Environment,
): PlannedPort {
  return { what, port: Number(env[variable] ?? fallback), variable }
}

function portFaults(ports: readonly PlannedPort[], env: Environment): string[] {
  return ports.flatMap(({ variable, port }, i) => {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      return `${variable} is "${env[variable] ?? ''}", which is not a port from 1 to 65535.`
    }
    const same = ports.slice(0, i).find((other) => other.port === port)
    return same === undefined ? [] : `${variable} and ${same.variable} are both ${port}.`
  })
}

function firstSecret(producers: string | undefined): string | null {
  return /^[^:,]+:([^,]+)/.exec(producers ?? '')?.[1] ?? null
}
