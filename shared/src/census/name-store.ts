import { workspaceKeys } from '../queue/keys.js'
import type { RedisClient } from '../redis/connect.js'
import { replyList, replyText, runScript, script } from '../redis/script.js'
import { fieldOf, recordOf, textOf, type NameRecord } from './name-record.js'

const MERGE = script('names', 1)
const RESET = script('names-reset', 1)

/** Names of one call: the script blocks Redis for about a millisecond. */
const NAMES_PER_CALL = 500

/** Fields that count the changes and resets of a census. */
const CHANGES = '@'
const RESETS = '@resets'

/** Both are equal while nothing changed. */
export interface NamesVersion {
  readonly changes: number
  readonly resets: number
}

/** The census of a workspace in Redis: a hint, shared by all apis. */
export class NameStore {
  readonly #client: RedisClient
  readonly #key: string

  constructor(client: RedisClient, prefix: string, appId: string) {
    this.#client = client
    this.#key = workspaceKeys(prefix, appId).names
  }

  async version(): Promise<NamesVersion> {
    const [changes, resets] = await this.#client.hmget(this.#key, CHANGES, RESETS)
    return { changes: Number(changes ?? 0), resets: Number(resets ?? 0) }
  }

  async read(): Promise<NameRecord[]> {
    const records: NameRecord[] = []
    let cursor = '0'
    do {
      const [next, found] = await this.#client.hscan(this.#key, cursor, 'COUNT', NAMES_PER_CALL)
      for (let i = 0; i + 1 < found.length; i += 2) {
        const record = recordOf(found[i] ?? '', found[i + 1] ?? '')
        if (record !== null) records.push(record)
      }
      cursor = next
    } while (cursor !== '0')
    return records
  }

  /** Empties the census; every api begins again when it reads the version next. */
  async reset(): Promise<void> {
    await runScript(this.#client, RESET, [this.#key], [])
  }

  /**
   * Merges records; returns them as they are now, and the number of changes. Null: the census was reset
   * since `resets` was read, and the rest was not merged.
   */
  async merge(records: readonly NameRecord[], resets: number) {
    const merged: NameRecord[] = []
    let changes = 0
    for (let i = 0; i < records.length; i += NAMES_PER_CALL) {
      const some = records.slice(i, i + NAMES_PER_CALL)
      const args = some.flatMap((record) => [fieldOf(record), textOf(record)])
      const call = runScript(this.#client, MERGE, [this.#key], [resets, ...args])
      const [count, ...texts] = replyList(await call)
      if (count === undefined) return null
      changes = Number(replyText(count))
      some.forEach((record, at) =>
        merged.push(recordOf(fieldOf(record), replyText(texts[at])) ?? record),
      )
    }
    return { merged, changes }
  }
}
