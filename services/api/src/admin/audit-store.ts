import { deploymentKeys } from '@relay/shared/queue/keys.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'

/** Actions that are kept; the oldest go first. */
const MAX_KEPT = 10_000

/** One changing action of an operator. */
export type AuditEntry = Readonly<Record<string, unknown>> & {
  /** ISO 8601, of Redis' clock. */
  readonly at: string
}

/** Stores operators' actions in Redis, independent of the log. */
export class AuditStore {
  readonly #client: RedisClient
  readonly #key: string

  constructor(client: RedisClient, prefix: string) {
    this.#client = client
    this.#key = deploymentKeys(prefix).audit
  }

  async add(what: Readonly<Record<string, unknown>>): Promise<void> {
    const text = JSON.stringify(what)
    await this.#client.xadd(this.#key, 'MAXLEN', '~', MAX_KEPT, '*', 'action', text)
  }

  /** The newest first. */
  async newest(limit: number): Promise<AuditEntry[]> {
    const entries = await this.#client.xrevrange(this.#key, '+', '-', 'COUNT', limit)
    return entries.map(([id, fields]) => ({
      at: new Date(Number.parseInt(id)).toISOString(),
      ...(JSON.parse(fields[1] ?? '{}') as object),
    }))
  }
}
