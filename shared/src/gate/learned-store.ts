import { deploymentKeys, workspaceKeys } from '../queue/keys.js'
import type { RedisClient } from '../redis/connect.js'
import { luaText, replyList, replyText, runScript, type Script } from '../redis/script.js'

const CHANGE: Script = { name: 'learned', text: luaText('learned.lua'), keys: 1 }

/** Learned limits of a workspace, as JSON; null before the first. */
export interface LearnedRecords {
  readonly ceiling: string | null
  readonly adaptation: string | null
}

/** Stores learned limits in Redis, for all workers and across restarts. */
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

  /** Changes a record that is still `seen` ('' for none); returns whether, and its text now. */
  async change(field: keyof LearnedRecords, seen: string, next: string) {
    const args = [field, seen, next, this.#wake, this.#appId]
    const reply = replyList(await runScript(this.#client, CHANGE, [this.#key], args))
    return { changed: reply[0] === 1, record: replyText(reply[1]) }
  }
}
