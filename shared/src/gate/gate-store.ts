import { deploymentKeys, workspaceKeys } from '../queue/keys.js'
import type { RedisClient } from '../redis/connect.js'
import { replyList, replyText, runScript, script } from '../redis/script.js'

const GATE = script('gate', 1)
const LEARNED = script('learned', 1)

/** A workspace's gate as stored: all workers share it. `record` is '' when none was written yet. */
export interface StoredGate {
  /** Increases with every change; the budget ledger grants only to callers with the current version. */
  readonly version: string
  readonly record: string
}

/** Reads and changes the gate of one workspace. */
export class GateStore {
  readonly #client: RedisClient
  readonly #key: string
  readonly #wake: string
  readonly #appId: string

  constructor(client: RedisClient, prefix: string, appId: string) {
    this.#client = client
    this.#key = workspaceKeys(prefix, appId).gate
    this.#wake = deploymentKeys(prefix).wake
    this.#appId = appId
  }

  async read(): Promise<StoredGate> {
    const [version, record] = await this.#client.hmget(this.#key, 'version', 'record')
    return { version: version ?? '0', record: record ?? '' }
  }

  /** Writes `record` if the gate is still at `version`; returns the gate as it is now. */
  async change(version: string, record: string): Promise<StoredGate & { changed: boolean }> {
    const reply = replyList(
      await runScript(this.#client, GATE, [this.#key], [version, record, this.#wake, this.#appId]),
    )
    return {
      changed: reply[0] === 1,
      version: replyText(reply[1]),
      record: replyText(reply[2]),
    }
  }
}

/** Learned limits of a workspace, as JSON; null before the first. */
interface LearnedRecords {
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
    const reply = replyList(await runScript(this.#client, LEARNED, [this.#key], args))
    return { changed: reply[0] === 1, record: replyText(reply[1]) }
  }
}
