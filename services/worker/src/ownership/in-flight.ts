import type { Clock } from '@relay/shared/clock.js'

interface Partition {
  isOpen: boolean
  /** Until then an attempt without an answer may still be processed, monotonic ms. */
  lateUntilMs: number
}

/** The partitions of one delivery. */
export interface Open {
  /** An attempt ended without an answer: it may still be processed, for the grace from now. */
  mayArriveLate(): void
  /** Nothing is sent any more. */
  end(): void
}

/**
 * Partitions of this process with a request in flight, or with one that may still arrive. Windows,
 * claims, sessions and services may change meanwhile. A partition is free for the next request only when
 * the last one has ended and the grace of its late arrival is over, regardless of its owner then.
 * Within a flight, `Late` orders elements by customer.
 */
export class InFlight {
  readonly #clock: Clock
  readonly #graceMs: number
  readonly #partitions = new Map<string, Partition>()
  readonly #waiting = new Set<() => void>()

  /** `graceMs`: how long MoEngage may still process an attempt after its connection was closed. */
  constructor(clock: Clock, graceMs: number) {
    this.#clock = clock
    this.#graceMs = graceMs
  }

  /** Takes these partitions for one delivery; null when one of them is not free. */
  begin(tags: Iterable<string>): Open | null {
    const all = [...new Set(tags)]
    if (all.some((tag) => this.freeInMs(tag) > 0)) return null
    const partitions = all.map((tag) => {
      const partition: Partition = { isOpen: true, lateUntilMs: -Infinity }
      this.#partitions.set(tag, partition)
      return partition
    })
    return {
      mayArriveLate: () => {
        const untilMs = this.#clock.monotonicMs() + this.#graceMs
        for (const partition of partitions) partition.lateUntilMs = untilMs
      },
      end: () => {
        for (const partition of partitions) partition.isOpen = false
        for (const tag of all) this.freeInMs(tag)
        for (const look of [...this.#waiting]) look()
      },
    }
  }

  /** Milliseconds until a partition is free: 0 if it is free, Infinity while a delivery uses it. */
  freeInMs(tag: string): number {
    const partition = this.#partitions.get(tag)
    if (partition === undefined) return 0
    if (partition.isOpen) return Infinity
    const leftMs = this.lateMs(tag)
    if (leftMs === 0) this.#partitions.delete(tag)
    return leftMs
  }

  isFree(tag: string): boolean {
    return this.freeInMs(tag) === 0
  }

  /** How long MoEngage may still process an attempt that ended without an answer, ms. */
  lateMs(tag: string): number {
    const untilMs = this.#partitions.get(tag)?.lateUntilMs ?? -Infinity
    return Math.max(0, untilMs - this.#clock.monotonicMs())
  }

  /** Calls back once, as soon as the partition is free. */
  whenFree(tag: string, then: () => void): void {
    const leftMs = this.freeInMs(tag)
    if (leftMs === 0) {
      then()
    } else if (Number.isFinite(leftMs)) {
      setTimeout(() => this.whenFree(tag, then), Math.ceil(leftMs))
    } else {
      const look = (): void => {
        this.#waiting.delete(look)
        this.whenFree(tag, then)
      }
      this.#waiting.add(look)
    }
  }
}
