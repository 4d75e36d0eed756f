import type { RedisClient } from '../redis/connect.js'
import { luaText, replyList, replyText, runScript, type Script } from '../redis/script.js'
import { deploymentKeys } from './keys.js'

const SESSION: Script = { name: 'session', text: luaText('session.lua'), keys: 2 }
const MARK: Script = { name: 'mark', text: luaText('mark.lua'), keys: 1 }
const CLEAN: Script = { name: 'clean', text: luaText('clean.lua'), keys: 1 }

export type SessionStep = 'join' | 'renew' | 'leave'

/** What a worker learns whenever it keeps its session alive. */
export interface Roster {
  readonly state: 'alive' | 'lost' | 'left'
  readonly redisNowMs: number
  /** Session → expiry, Redis ms. */
  readonly sessions: ReadonlyMap<string, number>
  /** Tags of partitions that may hold data. */
  readonly dirty: readonly string[]
}

/** What all processes of one relay share: who is alive, and where data waits. */
export class Deployment {
  readonly #client: RedisClient
  readonly #keys: ReturnType<typeof deploymentKeys>

  constructor(client: RedisClient, prefix: string) {
    this.#client = client
    this.#keys = deploymentKeys(prefix)
  }

  async session(id: string, leaseMs: number, step: SessionStep): Promise<Roster> {
    const { sessions: key, dirty, wake } = this.#keys
    const reply = replyList(
      await runScript(this.#client, SESSION, [key, dirty], [id, leaseMs, step, wake]),
    )
    const scored = replyList(reply[2]).map(replyText)
    const sessions = new Map<string, number>()
    for (let i = 0; i + 1 < scored.length; i += 2) {
      sessions.set(scored[i] ?? '', Number(scored[i + 1]))
    }
    return {
      state: replyText(reply[0]) as Roster['state'],
      redisNowMs: Number(reply[1]),
      sessions,
      dirty: replyList(reply[3]).map(replyText),
    }
  }

  /** Says that partitions are about to get data; must be done before the add. Returns Redis time, ms. */
  async mark(tags: readonly string[]): Promise<number> {
    return Number(await runScript(this.#client, MARK, [this.#keys.dirty], tags))
  }

  /** Strikes partitions found empty, unless they were marked within `olderThanMs`. */
  async clean(tags: readonly string[], olderThanMs: number): Promise<void> {
    await runScript(this.#client, CLEAN, [this.#keys.dirty], [olderThanMs, ...tags])
  }

  /** Tags of partitions that may hold data. */
  dirty(): Promise<string[]> {
    return this.#client.zrange(this.#keys.dirty, '0', '-1')
  }
}
