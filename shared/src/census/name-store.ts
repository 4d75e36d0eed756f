import { workspaceKeys } from '../queue/keys.js'
import type { RedisClient } from '../redis/connect.js'
import { luaText, replyList, replyText, runScript, type Script } from '../redis/script.js'
import { fieldOf, recordOf, textOf, type NameRecord } from './name-record.js'

const MERGE: Script = { name: 'names', text: luaText('names.lua'), keys: 1 }

/** Names of one call: the script blocks Redis for about a millisecond. */
const NAMES_PER_CALL = 500

/** Counts the changes of a census. */
const CHANGES = '@'

/** The census of a workspace in Redis: a hint, shared by all apis. */
export class NameStore {
  readonly #client: RedisClient
  readonly #key: string

  constructor(client: RedisClient, prefix: string, appId: string) {
    this.#client = client
    this.#key = workspaceKeys(prefix, appId).names
  }

  /** Number of changes so far: equal while nothing changed. */
  async changes(): Promise<string> {
    return (await this.#client.hget(this.#key, CHANGES)) ?? '0'
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

  /** Merges records; returns them as they are now, and the number of changes. */
  async merge(records: readonly NameRecord[]) {
    const merged: NameRecord[] = []
    let changes = '0'
    for (let i = 0; i < records.length; i += NAMES_PER_CALL) {
      const some = records.slice(i, i + NAMES_PER_CALL)
      const args = some.flatMap((record) => [fieldOf(record), textOf(record)])
      const [count, ...texts] = replyList(await runScript(this.#client, MERGE, [this.#key], args))
      changes = replyText(count)
      some.forEach((record, at) => {
        merged.push(recordOf(fieldOf(record), replyText(texts[at])) ?? record)
      })
    }
    return { merged, changes }
  }
}
