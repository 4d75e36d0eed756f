import type { Clock } from '@relay/shared/clock.js'
import type { Config } from '@relay/shared/config/environment.js'
import type { Durability } from '@relay/shared/config/settings.js'
import { levelReached } from '@relay/shared/redis/durability-level.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import { CUT, explainRedisError, READ_ONLY } from '@relay/shared/redis/explain.js'
import { failed, type Finding, ok, warning } from './finding.js'

const CONNECT_MS = 5_000

/** The checks of one server, single or of a cluster. */
interface Server {
  info(): Promise<string>
  time(): Promise<(string | number)[]>
  config(command: 'GET', parameter: string): Promise<unknown>
}

/** Checks Redis, or every master of a cluster. */
export async function checkRedis(config: Config, clock: Clock): Promise<Finding[]> {
  const client = connectRedis(config.redis, { commandTimeoutMs: CONNECT_MS })
  const faults: Error[] = []
  client.on('error', (error: Error) => faults.push(error))
  try {
    await becomesReady(client)
    const servers = serversOf(client)
    const facts = await Promise.all(servers.map((server) => readFacts(server, clock)))
    return facts.flatMap((one) => judgeRedis(one, config.durability))
  } catch (error) {
    const problems = faults.map(explainRedisError)
    const telling = problems.find((one) => one.problem !== CUT) ?? problems.at(-1)
    const { problem, next } = telling ?? explainRedisError(error as Error)
    return [failed('Redis', problem, next)]
  } finally {
    client.disconnect()
  }
}

/** Rejects at the first error that tells a cause, or when time is up. */
function becomesReady(client: RedisClient): Promise<void> {
  if (client.status === 'ready') return Promise.resolve()
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('timed out')), CONNECT_MS)
    const end = (error?: Error) => {
      clearTimeout(timer)
      if (error === undefined) resolve()
      else reject(error)
    }
    client.once('ready', () => end())
    client.on('error', (error: Error) => {
      if (explainRedisError(error).problem !== CUT) end(error)
    })
  })
}

function serversOf(client: RedisClient): readonly Server[] {
  const servers: unknown = 'nodes' in client ? client.nodes('master') : [client]
  return servers as readonly Server[]
}

async function readFacts(server: Server, clock: Clock): Promise<RedisFacts> {
  const sentAtMs = clock.nowMs()
  const [seconds = 0, micros = 0] = (await server.time()).map(Number)
  const middleMs = (sentAtMs + clock.nowMs()) / 2
  const info = await server.info()
  // A managed Redis may refuse CONFIG.
  const fsync = await server.config('GET', 'appendfsync').catch(() => [])
  const field = (name: string): string =>
    new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? ''
  return {
    version: field('redis_version'),
    isReplica: field('role') === 'slave',
    policy: field('maxmemory_policy'),
    maxMemoryBytes: Number(field('maxmemory')),
    usedMemoryBytes: Number(field('used_memory')),
    appends: field('aof_enabled') === '1',
    fsync: Array.isArray(fsync) && typeof fsync[1] === 'string' ? fsync[1] : null,
    lastWriteOk: field('aof_last_write_status') !== 'err',
    replicas: Number(field('connected_slaves')),
    skewMs: seconds * 1000 + micros / 1000 - middleMs,
  }
}

/** The settings and state of one Redis server. */
export interface RedisFacts {
  readonly version: string
  /** It takes no writes. */
  readonly isReplica: boolean
  readonly policy: string
  readonly maxMemoryBytes: number
  readonly usedMemoryBytes: number
  readonly appends: boolean
  /** `appendfsync`; null if the server does not report it. */
  readonly fsync: string | null
  readonly lastWriteOk: boolean
  readonly replicas: number
  /** Its clock minus this machine's, ms. */
  readonly skewMs: number
}

const OLDEST: readonly [number, number] = [6, 2]
const FULL_SHARE = 0.85
const SKEW_WARN_MS = 1_000
const SKEW_FAIL_MS = 30_000

/** Whether a Redis server is fit for relay. */
export function judgeRedis(facts: RedisFacts, wanted: Durability): Finding[] {
  if (facts.isReplica) return [replica()]
  return [version(facts), eviction(facts), memory(facts), appendOnly(facts, wanted), durability(facts, wanted), clock(facts)] // prettier-ignore
}

function replica(): Finding {
  return failed('Redis role', 'a read-only replica, so nothing can be stored', READ_ONLY.next)
}

function version({ version: text }: RedisFacts): Finding {
  const [major = 0, minor = 0] = text.split('.').map(Number)
  const isNew = major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])
  if (isNew) return ok('Redis version', text)
  return failed('Redis version', `${text} is too old`, 'Use Redis 6.2 or newer, or Valkey')
}

function eviction({ policy }: RedisFacts): Finding {
  if (policy === 'noeviction') return ok('Redis eviction', 'noeviction')
  return failed(
    'Redis eviction',
    `maxmemory-policy is ${policy}: Redis would evict accepted elements`,
    'CONFIG SET maxmemory-policy noeviction, and in redis.conf',
  )
}

function memory({ maxMemoryBytes, usedMemoryBytes }: RedisFacts): Finding {
  const used = `${megabytes(usedMemoryBytes)} used`
  if (maxMemoryBytes === 0) {
    return warning(
      'Redis memory',
      `${used}, no maxmemory`,
      'Set maxmemory below the memory of the machine, so that the intake refuses before Redis is killed',
    )
  }
  const detail = `${used} of ${megabytes(maxMemoryBytes)}`
  if (usedMemoryBytes < maxMemoryBytes * FULL_SHARE) return ok('Redis memory', detail)
  return failed('Redis memory', `${detail}: intake refuses posts`, 'Raise maxmemory')
}

function appendOnly({ appends, lastWriteOk }: RedisFacts, wanted: Durability): Finding {
  if (!appends && wanted === 'replica') {
    return warning(
      'Redis persistence',
      'no append-only file: a master that restarts before another is elected empties its replicas',
      'CONFIG SET appendonly yes, and in redis.conf; or disable automatic restarts of masters',
    )
  }
  if (!appends) {
    return failed(
      'Redis persistence',
      'no append-only file: a restart of Redis loses accepted elements',
      'CONFIG SET appendonly yes, and in redis.conf',
    )
  }
  if (lastWriteOk) return ok('Redis persistence', 'append-only file')
  return failed(
    'Redis persistence',
    'the last write to the file failed',
    'Check whether the disk is full',
  )
}

/** By the api's criteria, for the replicas that are connected now. */
function durability(facts: RedisFacts, wanted: Durability): Finding {
  const server = { ...facts, expectedReplicas: facts.replicas }
  const { level, problem } = levelReached(wanted, [server])
  const detail = `wanted ${wanted}, reached ${level}`
  if (problem === null) return ok('Durability', detail)
  const until = wanted === 'process' ? '' : '; until then intake answers 503'
  return failed('Durability', `${detail}: ${problem}`, `${REMEDIES[wanted]}${until}`)
}

const REMEDIES: Readonly<Record<Durability, string>> = {
  process: 'CONFIG SET appendonly yes, and in redis.conf',
  disk: 'CONFIG SET appendonly yes and appendfsync always, and in redis.conf',
  replica: 'Attach a replica',
}

function clock({ skewMs }: RedisFacts): Finding {
  const detail = `${Math.round(skewMs)} ms from this machine's`
  const remedy = 'Synchronise the clocks (NTP)'
  if (Math.abs(skewMs) > SKEW_FAIL_MS) return failed('Redis clock', detail, remedy)
  if (Math.abs(skewMs) > SKEW_WARN_MS) return warning('Redis clock', detail, remedy)
  return ok('Redis clock', detail)
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e5) / 10} MB`
}
