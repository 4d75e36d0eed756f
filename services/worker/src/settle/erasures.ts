import type { Clock } from '@relay/shared/clock.js'
import { coversChunk, type Erasure } from '@relay/shared/erasure/erasure.js'
import type { ErasureStore } from '@relay/shared/erasure/erasure-store.js'
import type { Item, LoadedChunk, PartitionWindow } from '../fetch/window.js'

export interface ErasuresOptions {
  readonly store: Pick<ErasureStore, 'enforced' | 'confirm'>
  /** This process. */
  readonly worker: string
  readonly clock: Clock
  /** Windows hold elements that are to be erased. */
  readonly onNew: () => void
}

/** Elements that this process is sending or dead-lettering. */
export interface InHand {
  end(): void
}

/** An erasure stays known for this long after Redis dropped it, ms: longer than any read takes. */
const REMEMBERED_MS = 60_000

/**
 * Customers whose data must no longer be sent. This process reads the list from Redis whenever it renews
 * its session, so no message is required. It confirms an erasure once it has read it and holds none of its
 * elements; from then on it drops all that it loads.
 */
export class Erasures {
  readonly #options: ErasuresOptions
  readonly #known = new Map<string, { readonly erasure: Erasure; seenAtMs: number }>()
  /** The same by workspace and customer. */
  #byCustomer = new Map<string, Erasure[]>()
  readonly #inHand = new Set<readonly Item[]>()
  /** Searched chunks, and the number of erasures they were searched for. */
  #looked = new WeakMap<LoadedChunk, number>()
  #count = 0
  #looking: Promise<void> | null = null
  #next: Promise<void> | null = null

  constructor(options: ErasuresOptions) {
    this.#options = options
  }

  /** Reads the list, applies new erasures and confirms the finished ones. Never rejects. */
  look(): Promise<void> {
    if (this.#looking === null) {
      this.#looking = this.#look().finally(() => {
        this.#looking = null
      })
      return this.#looking
    }
    // A read that began earlier may have missed the caller's erasure.
    this.#next ??= this.#looking.then(() => {
      this.#next = null
      return this.look()
    })
    return this.#next
  }

  /** Whether an element is to be erased. */
  covers({ window, chunk, element }: Item): boolean {
    if (this.#known.size === 0) return false
    const own = this.#byCustomer.get(keyOf(window.partition.appId, element.customer))
    return own?.some((erasure) => coversChunk(erasure, window.tag, chunk.id)) ?? false
  }

  /** Marks the customers' loaded elements as done, so that they are not packed or sent. */
  apply(window: PartitionWindow): void {
    if (this.#known.size === 0) return
    for (const chunk of window.chunks) {
      if (this.#looked.get(chunk) === this.#count) continue
      this.#looked.set(chunk, this.#count)
      chunk.markWhere((element, index) => this.covers({ window, chunk, index, element }))
    }
  }

  /** Takes elements in hand: an erasure that covers one of them is confirmed after `end`. */
  take(items: readonly Item[]): InHand {
    const own = [...items]
    this.#inHand.add(own)
    return {
      end: () => {
        this.#inHand.delete(own)
        if (this.#known.size > 0) void this.look()
      },
    }
  }

  async #look(): Promise<void> {
    const { store, worker } = this.#options
    try {
      const erasures = await store.enforced()
      this.#adopt(erasures)
      const items = [...this.#inHand].flat().filter((item) => this.covers(item))
      const clear = erasures.filter(
        (erasure) => erasure.doneAtMs === null && !items.some((item) => isOf(erasure, item)),
      )
      await store.confirm(
        clear.map(({ id }) => id),
        worker,
      )
    } catch {
      // Not confirmed: the next renewal looks again.
    }
  }

  #adopt(erasures: readonly Erasure[]): void {
    const nowMs = this.#options.clock.monotonicMs()
    let isNew = false
    for (const erasure of erasures) {
      isNew ||= !this.#known.has(erasure.id)
      this.#known.set(erasure.id, { erasure, seenAtMs: nowMs })
    }
    for (const [id, { seenAtMs }] of this.#known) {
      if (nowMs - seenAtMs > REMEMBERED_MS) this.#known.delete(id)
    }
    this.#byCustomer = new Map()
    for (const { erasure } of this.#known.values()) {
      const key = keyOf(erasure.appId, Buffer.from(erasure.customer, 'hex').toString('latin1'))
      this.#byCustomer.set(key, [...(this.#byCustomer.get(key) ?? []), erasure])
    }
    if (!isNew) return
    this.#count += 1
    this.#options.onNew()
  }
}

function isOf(erasure: Erasure, { window, chunk, element }: Item): boolean {
  return (
    erasure.appId === window.partition.appId &&
    Buffer.from(erasure.customer, 'hex').toString('latin1') === element.customer &&
    coversChunk(erasure, window.tag, chunk.id)
  )
}

function keyOf(appId: string, customer: string): string {
  return `${appId} ${customer}`
}
