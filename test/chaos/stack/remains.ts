import { Redis } from 'ioredis'
import type { DeadLetter } from '../oracle/model.js'
import { APP_ID } from './settings.js'
import { CLOCK_KEY } from './stepping-redis.js'

const JOB_KEY = /\}:\d+(-\d+)?$/
const MARK = /"seq":(\d+)/
const CUSTOMER = /"customer_id":"([^"]+)"/

/** An answer's cost counts this much longer than a window, ms. */
const LEDGER_MARGIN_MS = 3

/** What relay keeps in Redis, looked at from outside. */
export class Remains {
  readonly #redis: Redis
  readonly #prefix: string

  constructor(port: number, prefix: string) {
    this.#redis = new Redis({ host: '127.0.0.1', port, maxRetriesPerRequest: 3 })
    this.#redis.on('error', () => undefined)
    this.#prefix = prefix
  }

  close(): void {
    this.#redis.disconnect()
  }

  async deadLetters(): Promise<readonly DeadLetter[]> {
    const letters = await this.#redis.hvals(`${this.#prefix}:{${APP_ID}}:dead:letters`)
    return letters.map((text) => {
      const { element } = JSON.parse(text) as { element: string }
      return {
        customer: CUSTOMER.exec(element)?.[1] ?? '',
        seq: Number(MARK.exec(element)?.[1] ?? -1),
      }
    })
  }

  /** Chunks that wait in any partition. */
  async waiting(): Promise<number> {
    const lists = (await this.#keys()).filter((key) => key.endsWith('}:wait'))
    const lengths = await Promise.all(lists.map((key) => this.#redis.llen(key)))
    return lengths.reduce((sum, length) => sum + length, 0)
  }

  /** Removes every session from the registry, as a Redis does that lost its last writes. */
  async forgetSessions(): Promise<void> {
    await this.#redis.del(`${this.#prefix}:{deployment}:sessions`)
  }

  /** Sessions whose lease is valid by the stepped clock. */
  async liveSessions(): Promise<number> {
    const nowMs = (await this.redisNowMs()) + Number(await this.#redis.get(CLOCK_KEY)) * 1000
    return this.#redis.zcount(`${this.#prefix}:{deployment}:sessions`, nowMs, '+inf')
  }

  /** ms since 1970, as the host says it. */
  async redisNowMs(): Promise<number> {
    const [seconds] = await this.#redis.time()
    return Number(seconds) * 1000
  }

  async stepClock(byMs: number): Promise<void> {
    await this.#redis.incrby(CLOCK_KEY, Math.round(byMs / 1000))
  }

  /**
   * What should not be there once all is delivered and every worker has left, in words. A claim of a
   * lost session stays where its partition is empty and nothing comes: `claims` tells whether to mind.
   * No reservation counts longer than `countsMs`.
   */
  async leaks(countsMs: number, claims: boolean): Promise<readonly string[]> {
    const keys = await this.#keys()
    const base = `${this.#prefix}:{${APP_ID}}:ledger`
    const [sessions, late, clock] = await Promise.all([
      this.#redis.zrange(`${this.#prefix}:{deployment}:sessions`, '0', '-1'),
      this.#redis.zrange(`${base}:expiry`, '-1', '-1', 'WITHSCORES'),
      // The ledger's own: it does not follow every step of Redis' clock, nor all the way back.
      this.#redis.hget(base, 'clock'),
    ])
    const leftMs = Number(late[1] ?? 0) - Number(clock) - LEDGER_MARGIN_MS
    return [
      ...sessions.map((id) => `session ${id} was not given up`),
      ...(leftMs > countsMs ? [`a reservation counts for ${leftMs.toFixed(0)} ms more`] : []),
      ...keys.filter((key) => JOB_KEY.test(key)).map((key) => `job ${key} remains`),
      ...(await this.#ledgerSums(base)),
      ...(await this.#controls(keys, claims)),
    ]
  }

  /** The ledger's sums are those of its entries. */
  async #ledgerSums(base: string): Promise<string[]> {
    const [ledger, costs] = await Promise.all([
      this.#redis.hgetall(base),
      this.#redis.hvals(`${base}:cost`),
    ])
    return ['users', 'events'].flatMap((budget, i) => {
      const sum = costs.reduce((total, text) => total + Number(text.split(',')[i] ?? 0), 0)
      const kept = Number(ledger[budget] ?? 0)
      return kept === sum ? [] : [`ledger says ${kept} ${budget}, entries ${sum}`]
    })
  }

  /** No worker owns a partition, and nothing is counted as pending. */
  async #controls(keys: readonly string[], claims: boolean): Promise<string[]> {
    const controls = keys.filter((key) => key.endsWith('}:relay'))
    const found = await Promise.all(controls.map((key) => this.#redis.hgetall(key)))
    return controls.flatMap((key, i) =>
      Object.entries(found[i] ?? {})
        .filter(([field, value]) =>
          field === 'owner'
            ? claims && value !== ''
            : ['bytes', 'user', 'event', 'device'].includes(field) && value !== '0',
        )
        .map(([field, value]) => `${key} has ${field} ${value}`),
    )
  }

  async #keys(): Promise<string[]> {
    return this.#redis.keys(`${this.#prefix}:*`)
  }
}
