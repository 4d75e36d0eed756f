import type { RedisClient, RedisServer } from '@relay/shared/redis/connect.js'
import type { ServerFacts } from '@relay/shared/durability/level.js'

/** A replica that has not acknowledged for longer does not keep up, s; they do every second. */
const REPLICA_LAG_SECONDS = 2

/** The servers that take writes. */
export function masters(client: RedisClient): RedisServer[] {
  return 'nodes' in client ? client.nodes('master') : [client]
}

/** Asks one server. Rejects when it does not answer. */
export async function readServerFacts(
  server: RedisServer,
  expectedReplicas: number,
): Promise<ServerFacts> {
  const [persistence, replication, fsync] = await Promise.all([
    server.info('persistence'),
    server.info('replication'),
    readFsync(server),
  ])
  const replicas = readReplicas(replication)
  return {
    appends: /^aof_enabled:1/m.test(persistence),
    fsync,
    replicas: replicas.filter(({ keepsUp }) => keepsUp).length,
    expectedReplicas: Math.max(expectedReplicas, replicas.length),
  }
}

async function readFsync(server: RedisServer): Promise<string | null> {
  try {
    const [, value] = await server.config('GET', 'appendfsync')
    return value ?? null
  } catch (error) {
    // Refused is an answer; silence is not.
    if (error instanceof Error && /^(ERR|NOPERM)/.test(error.message)) return null
    throw error
  }
}

function readReplicas(info: string): { readonly keepsUp: boolean }[] {
  return [...info.matchAll(/^slave\d+:(.*)$/gm)].map(([, facts = '']) => {
    const lag = Number(/lag=(\d+)/.exec(facts)?.[1] ?? Infinity)
    return { keepsUp: facts.includes('state=online') && lag <= REPLICA_LAG_SECONDS }
  })
}
