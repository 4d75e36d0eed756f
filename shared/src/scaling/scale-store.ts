import { deploymentKeys } from '../queue/keys.js'
import type { RedisClient } from '../redis/connect.js'
import { replyText, runScript, script } from '../redis/script.js'
import { decideScale, FIRST_SCALE, type Load, type Scale } from './workers-wanted.js'

const SCALE = script('scale', 1)

/** How often a new decision is due, ms. */
const DECIDE_EVERY_MS = 5_000

/** The desired number of workers: the first process to read decides it for all. */
export class ScaleStore {
  readonly #client: RedisClient
  readonly #key: string

  constructor(client: RedisClient, prefix: string) {
    this.#client = client
    this.#key = deploymentKeys(prefix).scale
  }

  /**
   * `nowMs` is Redis' time: all processes count with one clock. A Redis that takes no writes keeps the
   * decision it has; null when it has none.
   */
  async decide(load: Load, nowMs: number): Promise<Scale | null> {
    const [version, record] = await this.#client.hmget(this.#key, 'version', 'record')
    const before = readScale(record ?? '')
    const sinceMs = nowMs - before.decidedAtMs
    if (sinceMs >= 0 && sinceMs < DECIDE_EVERY_MS) return before
    const next = JSON.stringify(decideScale(before, load, nowMs))
    try {
      const kept = await runScript(this.#client, SCALE, [this.#key], [version ?? '0', next])
      return readScale(replyText(kept))
    } catch (error) {
      if (!isWriteRefused(error)) throw error
      return record ? before : null
    }
  }
}

/** Redis answers and takes no writes: it is full, a replica, or cannot save. */
function isWriteRefused(error: unknown): boolean {
  return error instanceof Error && /^(OOM|READONLY|MISCONF|NOREPLICAS) /.test(error.message)
}

/** An absent or unreadable record is as if nothing had been decided. */
function readScale(json: string): Scale {
  try {
    const scale = JSON.parse(json) as Partial<Scale>
    const known = Number.isInteger(scale.wanted) && Number.isFinite(scale.perWorker)
    return known ? { ...FIRST_SCALE, ...scale } : FIRST_SCALE
  } catch {
    return FIRST_SCALE
  }
}
