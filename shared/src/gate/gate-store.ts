import { deploymentKeys, workspaceKeys } from '../queue/keys.js'
import type { RedisClient } from '../redis/connect.js'
import { luaText, replyList, replyText, runScript, type Script } from '../redis/script.js'

const GATE: Script = { name: 'gate', text: luaText('gate.lua'), keys: 1 }

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
