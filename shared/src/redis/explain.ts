import type { Clock } from '../clock.js'
import type { Logger } from '../observability/logger.js'
import type { LoopDelay } from '../process/loop-delay.js'
import { BECAME_READ_ONLY, type RedisClient } from './connect.js'

/** Why Redis is unavailable, and the remedy. Neither text contains an address or a secret. */
export interface RedisProblem {
  readonly problem: string
  readonly next: string
  /** How long the event loop of this process stopped, ms; only if that explains the timeout. */
  readonly loopDelayMs?: number
}

/** A timeout after a longer delay of the event loop says nothing about Redis, ms. */
const LATE_MS = 500
/** If Redis does not answer for longer, the delay does not explain it, ms. */
const MAX_LATE_MS = 15_000

const TIMEOUT = /ETIMEDOUT|timeout|timed out/i

/** A replica answers reads and refuses writes, so that everything looks well. */
export const READ_ONLY: RedisProblem = {
  problem: 'the Redis address is a read-only replica',
  next: 'Set REDIS_URL to the master (the primary endpoint), or name the sentinels',
}
/** What to do about a Redis whose memory is full. */
export const FREE_MEMORY =
  'Find out why the backlog waits; raise maxmemory, or purge dead letters (runbook RelayRedisMemoryHigh)'
/** Between two looks at whether a replica was promoted, ms. */
const ROLE_EVERY_MS = 5_000

/** What the log and the operators' answers call a problem. */
export function titleOf({ loopDelayMs }: RedisProblem): string {
  return loopDelayMs === undefined
    ? 'Redis is unavailable'
    : 'This process was too busy to read from Redis'
}

/** The problem if a timeout is due to this process, whose event loop ran too late to read the answer. */
function ownDelay(error: Error & { code?: string }, loopDelayMs: number): RedisProblem | null {
  if (loopDelayMs <= LATE_MS || !TIMEOUT.test(`${error.code ?? ''} ${error.message}`)) return null
  return {
    problem: 'the event loop of this process stopped, so answers of Redis were read too late',
    next: 'Check nodejs_eventloop_lag_max_seconds and the requests to this process; Redis may be healthy',
    loopDelayMs: Math.round(loopDelayMs),
  }
}

/** It follows many other problems, and says less than they do. */
export const CUT = 'the connection to Redis was cut'

/** Patterns of connection errors; the first match applies. */
const CAUSES: readonly (readonly [pattern: RegExp, problem: string, next: string])[] = [
  [/WRONGPASS|invalid password/i, 'Redis refuses the password', 'Correct it in REDIS_URL'],
  [/NOAUTH/, 'Redis requires a password', 'Add it to REDIS_URL'],
  [/NOPERM/, 'the Redis user lacks permissions', 'Compare its ACL with docs/guide/operators.md'],
  [
    /ECONNREFUSED/,
    'nothing listens at the address of Redis',
    'Start Redis, or correct the host and port in REDIS_URL',
  ],
  [/ENOTFOUND|EAI_AGAIN/, 'the host name of Redis is unknown', 'Correct the host in REDIS_URL'],
  [
    /certificate|CERT_|SSL|TLS|wrong version number/i,
    'TLS handshake with Redis failed',
    'Check rediss:// in REDIS_URL, REDIS_CA_FILE and the certificate',
  ],
  [
    /ETIMEDOUT|timeout|timed out|EHOSTUNREACH|ENETUNREACH/i,
    'Redis does not answer in time',
    'Check that Redis runs and no firewall blocks it',
  ],
  [
    /Unknown RESP type/,
    'the server at the Redis address is not Redis',
    'Correct the host and port in REDIS_URL; with TLS it begins with rediss://',
  ],
  [/READONLY/, READ_ONLY.problem, READ_ONLY.next],
  [/OOM/, 'Redis is full', FREE_MEMORY],
  [
    /MISCONF/,
    'Redis cannot save its data and refuses writes',
    'Look at the disk and the log of Redis',
  ],
  [
    /MASTERDOWN|CLUSTERDOWN|NOREPLICAS/,
    'Redis lacks its master, replicas or part of the cluster',
    'Look at the replication of Redis; relay continues once it is restored',
  ],
  [/LOADING/, 'Redis still loads its data', 'Wait until loading has finished'],
  [/ECONNRESET|EPIPE|Connection is closed/, CUT, 'Look at the log of Redis'],
]

/** Whether Redis answered, and refuses the command in its present state; from a script, too. */
export function isRefusedByRedis(error: unknown): error is Error {
  return error instanceof Error && REFUSED_NOW.test(error.message)
}

/** A script's error begins with the code since Redis 7, and contains it before. */
const REFUSED_NOW = /(^|-)(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|OOM|MISCONF|NOREPLICAS) /

export function explainRedisError(error: Error & { code?: string }): RedisProblem {
  const text = `${error.code ?? ''} ${error.message}`
  const [, problem, next] = CAUSES.find(([pattern]) => pattern.test(text)) ?? [
    null,
    `Redis cannot be used (${error.code ?? error.name})`,
    'Look at the log of Redis',
  ]
  return { problem, next }
}

/**
 * Logs why Redis is unavailable, once per cause, and when it is back. Returns the current problem or
 * null. A timeout while this process was too busy to read is reported as that.
 */
export function watchRedis(
  client: Pick<RedisClient, 'on'> & Partial<Server>,
  log: Pick<Logger, 'error' | 'info'>,
  clock: Pick<Clock, 'monotonicMs'>,
  loopDelay: Pick<LoopDelay, 'recentMs'>,
): () => RedisProblem | null {
  let present: RedisProblem | null = null
  let sinceMs = 0
  const note = (found: RedisProblem) => {
    if (present !== null && found.problem === CUT) return
    if (present === null) sinceMs = clock.monotonicMs()
    if (present?.problem !== found.problem) log.error(titleOf(found), { ...found })
    present = found
  }
  client.on('error', (error: Error) => {
    const isLong = present !== null && clock.monotonicMs() - sinceMs > MAX_LATE_MS
    const own = isLong ? null : ownDelay(error, loopDelay.recentMs())
    note(own ?? explainRedisError(error))
  })
  // Before the connection is cut for it, which would say less.
  client.on(BECAME_READ_ONLY, () => note(READ_ONLY))
  client.on('close', () => {
    if (present === null) note(explainRedisError(new Error('Connection is closed')))
  })
  const back = () => {
    if (present === null) return
    const words = present.loopDelayMs === undefined ? 'Redis is available' : 'Redis can be read'
    log.info(`${words} again`, { afterMs: Math.round(clock.monotonicMs() - sinceMs) })
    present = null
  }
  const lookAtRole = async () => {
    const info = await client.info?.('replication').catch(() => null)
    // Without an answer the next connection is looked at; where INFO is refused the role is unknown.
    if (info === null && client.status !== 'ready') return
    if (!/^role:slave/m.test(info ?? '')) {
      back()
      return
    }
    note(READ_ONLY)
    setTimeout(() => {
      if (client.status === 'ready') void lookAtRole()
    }, ROLE_EVERY_MS).unref()
  }
  client.on('ready', () => {
    if (client.info === undefined) back()
    else void lookAtRole()
  })
  return () => present
}

/** Of a single server; a Cluster sends writes to masters by itself. */
interface Server {
  readonly status: string
  info(section: string): Promise<string>
}
