import type { RedisServer } from '@relay/shared/redis/connect.js'
import { readReplicas } from '@relay/shared/redis/replication.js'
import type { ServerFacts } from '@relay/shared/durability/level.js'

/** Asks one server. Rejects when it does not answer. */
export async function readServerFacts(
  server: RedisServer,
  expectedReplicas: number,
): Promise<ServerFacts> {
  const [persistence, replicas, fsync] = await Promise.all([
    server.info('persistence'),
    readReplicas(server),
    readFsync(server),
  ])
  return {
    appends: /^aof_enabled:1/m.test(persistence),
    fsync,
    replicas: replicas.keepUp,
    expectedReplicas: Math.max(expectedReplicas, replicas.known),
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
