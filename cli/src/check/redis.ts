import type { Clock } from '@relay/shared/clock.js'
import type { Config } from '@relay/shared/config/environment.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import { CUT, explainRedisError } from '@relay/shared/redis/explain.js'
import { failed, type Finding } from './finding.js'
import { judgeRedis, type RedisFacts } from './redis-judgement.js'

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
    const timer = setTimeout(() => {
      reject(new Error('timed out'))
    }, CONNECT_MS)
    const end = (error?: Error) => {
      clearTimeout(timer)
      if (error === undefined) resolve()
      else reject(error)
    }
    client.once('ready', () => {
      end()
    })
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
