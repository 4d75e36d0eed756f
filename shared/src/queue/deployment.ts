import type { RedisClient } from '../redis/connect.js'
import { replyList, replyText, replyTexts, runScript, scoresOf, script } from '../redis/script.js'
import { deploymentKeys } from './keys.js'

const SESSION = script('session', 3)
const MARK = script('mark', 1)
const PRUNE = script('prune', 1)

export type SessionStep = 'join' | 'renew' | 'leave' | 'look'

/** Result of renewing a worker's session. */
export interface Roster {
  readonly state: 'alive' | 'lost' | 'left'
  readonly redisNowMs: number
  /** Session → expiry, Redis ms. */
  readonly sessions: ReadonlyMap<string, number>
  /** Partitions that may hold elements: tag → mark, see lua/mark.lua. */
  readonly active: ReadonlyMap<string, number>
  /** Sessions that were registered when this run of Redis began, and when that was, Redis ms. */
  readonly before: readonly string[]
  readonly runSinceMs: number
}

/** A worker's call of the registry. */
export interface SessionCall {
  readonly id: string
  readonly leaseMs: number
  readonly step: SessionStep
  /** The worker's session before this one, '' for none; a join takes it out. */
  readonly replaces: string
  /** Digest of the run of Redis. */
  readonly run: string
}

/** State shared by all processes of one relay: live workers and active partitions. */
export class Deployment {
  readonly #client: RedisClient
  readonly #keys: ReturnType<typeof deploymentKeys>

  constructor(client: RedisClient, prefix: string) {
    this.#client = client
    this.#keys = deploymentKeys(prefix)
  }

  async session({ id, leaseMs, step, replaces, run }: SessionCall): Promise<Roster> {
    const { sessions, active, run: runKey, wake } = this.#keys
    const keys = [sessions, active, runKey]
    const args = [id, leaseMs, step, wake, replaces, run]
    const reply = replyList(await runScript(this.#client, SESSION, keys, args))
    return {
      state: replyText(reply[0]) as Roster['state'],
      redisNowMs: Number(reply[1]),
      sessions: scoresOf(replyTexts(reply[2])),
      active: scoresOf(replyTexts(reply[3])),
      runSinceMs: Number(replyText(reply[4])),
      before: replyText(reply[5])
        .split(' ')
        .filter((session) => session !== ''),
    }
  }

  /**
   * Notes when a run of Redis began, also while no worker is alive: workers that start later need not wait
   * for what the previous run may have lost.
   */
  async noteRun(run: string, leaseMs: number): Promise<void> {
    await this.session({ id: '', leaseMs, step: 'look', replaces: '', run })
  }

  /** Puts partitions into the active set; must be done before the add that activates them. */
  async mark(tags: readonly string[]): Promise<void> {
    await runScript(this.#client, MARK, [this.#keys.active], tags)
  }

  /** Removes deactivated partitions whose mark is the given one and older than `olderThanMs`. */
  async prune(marks: ReadonlyMap<string, number>, olderThanMs: number): Promise<void> {
    await runScript(this.#client, PRUNE, [this.#keys.active], [olderThanMs, ...[...marks].flat()])
  }

  /** Tags of partitions that may hold elements. */
  active(): Promise<string[]> {
    return this.#client.zrange(this.#keys.active, '0', '-1')
  }
}
