import type { Clock } from '../clock.js'
import type { RedisClient } from '../redis/connect.js'

/** How Redis is, all masters of a cluster together. */
export interface RedisFacts {
  readonly nowMs: number
  /** Time of one command and its answer, seconds. */
  readonly commandSeconds: number
  readonly usedBytes: number
  /** 0: no limit. */
  readonly limitBytes: number
  readonly connectedClients: number
  /** Every master keeps an append-only file. */
  readonly aofEnabled: boolean
  /** Its last write and its last rewrite succeeded everywhere. */
  readonly aofHealthy: boolean
  readonly aofRewriting: boolean
  /** No master evicts: an evicted key would be a lost element. */
  readonly neverEvicts: boolean
}

export async function readRedisFacts(client: RedisClient, clock: Clock): Promise<RedisFacts> {
  const startedAtMs = clock.monotonicMs()
  const [seconds = 0, microseconds = 0] = (await client.time()).map(Number)
  const commandSeconds = (clock.monotonicMs() - startedAtMs) / 1000
  const nodes = 'nodes' in client ? client.nodes('master') : [client]
  const infos = await Promise.all(nodes.map((node) => node.info()))
  const texts = (field: string) =>
    infos.map((info) => new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '')
  const sum = (field: string) => texts(field).reduce((total, text) => total + Number(text), 0)
  const all = (field: string, value: string) => texts(field).every((text) => text === value)
  return {
    nowMs: seconds * 1000 + Math.floor(microseconds / 1000),
    commandSeconds,
    usedBytes: sum('used_memory'),
    limitBytes: sum('maxmemory'),
    connectedClients: sum('connected_clients'),
    aofEnabled: all('aof_enabled', '1'),
    aofHealthy: all('aof_last_write_status', 'ok') && all('aof_last_bgrewrite_status', 'ok'),
    aofRewriting: !all('aof_rewrite_in_progress', '0'),
    neverEvicts: all('maxmemory_policy', 'noeviction'),
  }
}
