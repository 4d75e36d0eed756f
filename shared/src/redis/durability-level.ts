import type { Durability } from '../config/settings.js'
import { majority } from './replication.js'

/** Facts reported by one Redis server (or master of a cluster). */
export interface ServerFacts {
  /** It appends every write to a file. */
  readonly appends: boolean
  /** `appendfsync`; null if the server does not report it (managed ones often forbid CONFIG). */
  readonly fsync: string | null
  /** Replicas that are online and acknowledged within the last two seconds. */
  readonly replicas: number
  /** Maximum number of replicas seen since this process started. */
  readonly expectedReplicas: number
}

/** Current durability of a 200. `none`: a crash of Redis loses accepted elements. */
export type Level = Durability | 'none'

export interface LevelReached {
  readonly level: Level
  /** Why the wanted level is not reached, in words; null: it is. */
  readonly problem: string | null
}

/** The level that all servers reach, and the problem that prevents the configured one. Pure. */
export function levelReached(wanted: Durability, servers: readonly ServerFacts[]): LevelReached {
  if (servers.length === 0)
    return { level: 'none', problem: 'Redis durability has not been read yet' }
  const problem =
    servers.map((server) => missing(wanted, server)).find((words) => words !== null) ?? null
  if (problem === null) return { level: wanted, problem }
  return { level: servers.every(({ appends }) => appends) ? 'process' : 'none', problem }
}

function missing(wanted: Durability, server: ServerFacts): string | null {
  switch (wanted) {
    case 'process':
      return server.appends ? null : 'process needs the setting "appendonly yes" of Redis'
    case 'disk':
      if (server.appends && server.fsync === 'always') return null
      return 'disk needs the settings "appendonly yes" and "appendfsync always" of Redis'
    case 'replica': {
      const needed = majority(server.expectedReplicas)
      if (server.replicas >= needed) return null
      return `replica needs ${needed} replicas that keep up, and there are ${server.replicas}`
    }
  }
}

/** Of all masters together, what a crash or a full memory depends on. */
export interface SafetyFacts {
  /** Every master keeps an append-only file. */
  readonly aofEnabled: boolean
  /** Its last write and its last rewrite succeeded everywhere. */
  readonly aofHealthy: boolean
  /** No master evicts: an evicted key would be a lost element. */
  readonly neverEvicts: boolean
}

/** How Redis could lose accepted elements, and the remedy; null: not by its settings. Pure. */
export function lossRisk(facts: SafetyFacts): { meaning: string; next: string } | null {
  const risks = [
    {
      is: !facts.neverEvicts,
      why: 'it may evict keys',
      next: 'CONFIG SET maxmemory-policy noeviction',
    },
    {
      is: !facts.aofEnabled,
      why: 'it keeps no append-only file',
      next: 'CONFIG SET appendonly yes',
    },
    {
      is: facts.aofEnabled && !facts.aofHealthy,
      why: 'the last write or rewrite of its append-only file failed',
      next: 'Make room on its disk',
    },
  ].filter(({ is }) => is)
  if (risks.length === 0) return null
  const all = (of: 'why' | 'next') => risks.map((risk) => risk[of]).join('; ')
  return {
    meaning: `Redis could lose accepted elements: ${all('why')}`,
    next: `${all('next')} (runbook RelayRedisUnsafe)`,
  }
}
