import type { Clock } from '@relay/shared/clock.js'
import type { DeadLetterSink } from '@relay/shared/dead-letters/dead-letter.js'
import type { Erasures } from './erasures.js'
import type { Item, PartitionWindow } from '../fetch/window.js'
import { expiredLetterOf } from './dead-letter.js'
import type { Settler } from './settler.js'

export interface MaxAgeOptions {
  /** Maximum age at which an element is sent, ms; null: unlimited. */
  readonly maxAgeMs: number | null
  readonly clock: Clock
  /** Redis' time, ms since 1970. */
  readonly redisNowMs: () => number
  readonly deadLetters: DeadLetterSink
  readonly settler: Pick<Settler, 'settle'>
  readonly erasures: Pick<Erasures, 'covers' | 'take'>
  readonly onExpired: (item: Item) => void
}

/** Takes elements that are too old out of their partitions, to the dead letters. Off by default. */
export class MaxAge {
  readonly #options: MaxAgeOptions

  constructor(options: MaxAgeOptions) {
    this.#options = options
  }

  /** Those of the items that are too old and not settled yet. */
  expired(items: readonly Item[]): Item[] {
    const before = this.#acceptedBefore()
    if (before === -Infinity) return []
    return items.filter(
      ({ window, chunk, index, element }) =>
        element.provenance.acceptedAtMs < before && !chunk.isDone(index) && !window.lost,
    )
  }

  /**
   * Expired items of a window. Stops at the first chunk without any: later chunks were accepted later.
   * Where clocks of apis differ, an item is found once its chunk is the first.
   */
  expiredIn(window: PartitionWindow): Item[] {
    if (this.#acceptedBefore() === -Infinity) return []
    const found: Item[] = []
    for (const chunk of window.chunks) {
      const items = chunk.elements.map((element, index) => ({ window, chunk, index, element }))
      const own = this.expired(items)
      if (own.length === 0) break
      found.push(...own)
    }
    return found
  }

  /** Dead letters first, then out of the queue. Rejects when Redis does not answer: ask again. */
  async deadLetter(items: readonly Item[], attempts: number): Promise<void> {
    const { clock, deadLetters, settler, erasures, onExpired, maxAgeMs } = this.#options
    const facts = { attempts, deadAtMs: clock.nowMs(), maxAgeMs: maxAgeMs ?? 0 }
    const expired = items.filter((item) => !erasures.covers(item))
    const inHand = erasures.take(expired)
    let settled: ReadonlySet<Item>
    try {
      if (expired.length > 0) {
        await deadLetters.add(expired.map((item) => expiredLetterOf(item, facts)))
      }
      settled = new Set(await settler.settle(items, { areBuried: true }))
    } finally {
      inHand.end()
    }
    for (const item of expired) if (settled.has(item)) onExpired(item)
  }

  /** By the clock that is behind: a step of one of them makes nothing old. */
  #acceptedBefore(): number {
    const { maxAgeMs, clock, redisNowMs } = this.#options
    return maxAgeMs === null ? -Infinity : Math.min(clock.nowMs(), redisNowMs()) - maxAgeMs
  }
}
