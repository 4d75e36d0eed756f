import { deploymentKeys, workspaceKeys } from '../queue/keys.js'
import type { RedisClient } from '../redis/connect.js'

/** What answers taught about a workspace, as JSON; null: nothing yet. */
export interface LearnedRecords {
  readonly ceiling: string | null
  readonly adaptation: string | null
}

/** Keeps in Redis what answers taught, for all workers and across restarts. The last writer wins. */
export class LearnedStore {
  readonly #client: RedisClient
  readonly #key: string
  readonly #wake: string
  readonly #appId: string

  constructor(client: RedisClient, prefix: string, appId: string) {
    this.#client = client
    this.#key = workspaceKeys(prefix, appId).learned
    this.#wake = deploymentKeys(prefix).wake
    this.#appId = appId
  }

  async read(): Promise<LearnedRecords> {
    const [ceiling, adaptation] = await this.#client.hmget(this.#key, 'ceiling', 'adaptation')
    return { ceiling: ceiling ?? null, adaptation: adaptation ?? null }
  }

  async write(field: keyof LearnedRecords, record: string): Promise<void> {
    await this.#client.hset(this.#key, field, record)
    await this.#client.publish(this.#wake, `learned ${this.#appId}`)
  }
}
