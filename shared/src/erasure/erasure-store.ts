import { deploymentKeys } from '../queue/keys.js'
import type { RedisClient } from '../redis/connect.js'
import { runTexts, script } from '../redis/script.js'
import { parseErasure, type Erasure } from './erasure.js'

const WAVE = script('replay-wave', 3)
const BAR = script('bar-replays', 2)

/** How an erasure is getting on. */
export interface ErasureProgress {
  /** Worker processes that can send nothing of the customer any more. */
  readonly confirmed: ReadonlySet<string>
  /** Elements as posted that were erased from the queues. */
  readonly queued: number
  readonly deadLetters: number
  readonly isDone: boolean
}

/** A wave of a replay: dead letters that are put back into their queues together. */
export interface Wave {
  /** Redis refuses to store them after this, Redis ms. */
  readonly storeUntilMs: number
  readonly enforced: readonly Erasure[]
  /** Whether an erasure of this customer is about to begin. `customer`: hex. */
  readonly isBarred: (appId: string, customer: string) => boolean
}

/** Maximum time of a wave, ms: longer than the maximum time of a post in the store. */
const WAVE_MS = 2_000
/** A bar expires after this unless it is renewed or lifted, ms. */
const BAR_MS = 10_000
/** Retention of the outcome of an erasure, s. */
const KEPT_S = 86_400
/** Erasures that may be enforced at a time: every worker reads all of them at every renewal. */
export const MAX_ERASURES = 1_000

/**
 * Enforced erasures, in the slot of the sessions. All commands can be repeated, and none reverts a later
 * one: a record changes once, to done, and a confirmation is never withdrawn.
 */
export class ErasureStore {
  readonly #client: RedisClient
  readonly #keys: ReturnType<typeof deploymentKeys>

  constructor(client: RedisClient, prefix: string) {
    this.#client = client
    this.#keys = deploymentKeys(prefix)
  }

  /** Erasures that workers enforce: those that are pending, and for a while those that are done. */
  async enforced(): Promise<Erasure[]> {
    const records = await this.#client.hgetall(this.#keys.erasures)
    return Object.values(records).flatMap((json) => parseErasure(json) ?? [])
  }

  /** Opens a wave of a replay: see lua/replay-wave.lua. */
  async openWave(wave: string): Promise<Wave> {
    const { waves, erasures, bars } = this.#keys
    const keys = [waves, erasures, bars]
    const reply = await runTexts(this.#client, WAVE, keys, [wave, WAVE_MS])
    const [storeUntilMs, count, ...texts] = reply
    const barred = texts.slice(0, Number(count)).map((bar) => bar.split(' ').slice(0, 2).join(' '))
    return {
      storeUntilMs: Number(storeUntilMs),
      enforced: texts.slice(Number(count)).flatMap((json) => parseErasure(json) ?? []),
      isBarred: (appId, customer) => barred.includes(`${appId} ${customer}`),
    }
  }

  /** Ends a wave: it stores nothing after this. */
  async closeWave(wave: string): Promise<void> {
    await this.#client.zrem(this.#keys.waves, wave)
  }

  /** Bars the customer from waves that open from now on; returns those that opened before. */
  bar(erasure: Pick<Erasure, 'id' | 'appId' | 'customer'>): Promise<string[]> {
    const { bars, waves } = this.#keys
    return runTexts(this.#client, BAR, [bars, waves], [barOf(erasure), BAR_MS])
  }

  async liftBar(erasure: Pick<Erasure, 'id' | 'appId' | 'customer'>): Promise<void> {
    await this.#client.zrem(this.#keys.bars, barOf(erasure))
  }

  /** False: too many are enforced. */
  async begin(erasure: Erasure): Promise<boolean> {
    const key = this.#keys.erasures
    if ((await this.#client.hlen(key)) >= MAX_ERASURES) return false
    await this.#client.hset(key, erasure.id, JSON.stringify(erasure))
    return true
  }

  /** Has workers look at once. Only faster: they look at every renewal. */
  async announce({ appId, customer }: Erasure): Promise<void> {
    await this.#client.publish(this.#keys.wake, `forget ${appId} ${customer}`)
  }

  /** This worker process can send nothing of these any more. */
  async confirm(ids: readonly string[], worker: string): Promise<void> {
    await Promise.all(
      ids.map((id) => {
        const key = this.#keys.erasure(id)
        return this.#client.multi().hset(key, `worker:${worker}`, '1').expire(key, KEPT_S).exec()
      }),
    )
  }

  async count(id: string, queued: number, deadLetters: number): Promise<void> {
    const key = this.#keys.erasure(id)
    await this.#client
      .multi()
      .hincrby(key, 'queued', queued)
      .hincrby(key, 'dead_letters', deadLetters)
      .expire(key, KEPT_S)
      .exec()
  }

  async progress(id: string): Promise<ErasureProgress | null> {
    const fields = await this.#client.hgetall(this.#keys.erasure(id))
    if (Object.keys(fields).length === 0) return null
    const workers = Object.keys(fields).filter((field) => field.startsWith('worker:'))
    return {
      confirmed: new Set(workers.map((field) => field.slice('worker:'.length))),
      queued: Number(fields.queued ?? 0),
      deadLetters: Number(fields.dead_letters ?? 0),
      isDone: fields.done !== undefined,
    }
  }

  async finish(erasure: Erasure, redisNowMs: number): Promise<void> {
    const record = JSON.stringify({ ...erasure, doneAtMs: redisNowMs } satisfies Erasure)
    const { erasures, erasure: keyOf } = this.#keys
    await this.#client
      .multi()
      .hset(keyOf(erasure.id), 'done', String(redisNowMs))
      .expire(keyOf(erasure.id), KEPT_S)
      .hset(erasures, erasure.id, record)
      .exec()
  }

  /** Workers need not enforce it any more. */
  async drop(id: string): Promise<void> {
    await this.#client.hdel(this.#keys.erasures, id)
  }
}

function barOf({ id, appId, customer }: Pick<Erasure, 'id' | 'appId' | 'customer'>): string {
  return `${appId} ${customer} ${id}`
}
