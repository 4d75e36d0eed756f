import type { LevelReached } from '@relay/shared/redis/durability-level.js'
import { FREE_MEMORY, type RedisProblem } from '@relay/shared/redis/explain.js'

/** Why the intake answers 503 to every post, or to those that do not fit, and the remedy. */
export interface IntakeProblem {
  readonly reason: 'redis' | 'redis_full' | 'backlog_full' | 'durability'
  readonly meaning: string
  readonly next: string
}

/** `share` of `maxmemory` in use. */
export function redisFull(share: number): IntakeProblem {
  return {
    reason: 'redis_full',
    meaning: `the memory of Redis is full (${Math.floor(share * 100)} % of maxmemory), so the intake answers 503`,
    next: FREE_MEMORY,
  }
}

/** The part of a `DurabilityGuard` that is read here. */
interface Durable {
  readonly isMissing: boolean
  readonly reached: LevelReached
}

/** Redis can be read and not written, or was away until just now. */
export function redisUnwritable(redis: RedisProblem | null): IntakeProblem | null {
  if (redis === null || redis.loopDelayMs !== undefined) return null
  const { problem, next } = redis
  return { reason: 'redis', meaning: `${problem}, so the intake answers 503`, next }
}

export const DRAIN_OR_RAISE =
  'Find out why nothing drains, or raise RELAY_MAX_BACKLOG_BYTES (runbook RelayBacklogNearLimit)'

/** `bytes` of at most `limitBytes` are waiting; `refusedBytes` did not fit, if given. */
export function backlogFull(
  bytes: number,
  limitBytes: number,
  refusedBytes: number | null = null,
): IntakeProblem {
  const use = `${megabytes(bytes)} of ${megabytes(limitBytes)} MB`
  const full =
    refusedBytes === null
      ? `is at its limit (${use})`
      : `has no room for a post of ${megabytes(refusedBytes)} MB (${use})`
  return {
    reason: 'backlog_full',
    meaning: `the backlog ${full}, so the intake answers 503`,
    next: DRAIN_OR_RAISE,
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 1e6 ? 3 : 1)
}

export function durabilityMissing({ isMissing, reached }: Durable): IntakeProblem | null {
  if (!isMissing) return null
  const { problem } = reached
  return {
    reason: 'durability',
    meaning: `the configured durability is not reached (${problem ?? 'unknown'}), so the intake answers 503`,
    next: 'Correct the settings of Redis, or RELAY_DURABILITY (runbook RelayRedisUnsafe)',
  }
}
