import type { Clock } from '@relay/shared/clock.js'
import type { Item, LoadedChunk } from '../fetch/window.js'

/** A lone refusal counts if another request was accepted at most this long before it was begun, ms. */
const AROUND_MS = 1_000
/** Proofs for a fault. A lone refusal is one; after another lone refusal and an acceptance at once, two. */
const PROOFS = 2
/** For this long after an element was accepted that was refused alone before, nothing is proven, ms. */
const FLAPPING_MS = 600_000

interface Refusal {
  /** Of the last one, monotonic ms. */
  readonly atMs: number
  readonly alone: boolean
  /** Refusals that count. */
  readonly proofs: number
}

const NEVER: Refusal = { atMs: -Infinity, alone: false, proofs: 0 }

/**
 * Refusals of one workspace that name no element. MoEngage may refuse anything for a while. Therefore an
 * element is at fault only in one of two cases: within a second it is refused alone, another one is
 * accepted, and it is refused alone again; or twice it is refused alone within a second of an acceptance.
 * An element that was refused alone and is accepted later shows that MoEngage's answers do not depend on
 * the element: for a while nothing is proven.
 */
export class Refusals {
  readonly #clock: Clock
  readonly #last = new WeakMap<LoadedChunk, Map<number, Refusal>>()
  /** The newest of the accepted requests, monotonic ms. */
  #accepted = { begunAtMs: -Infinity, endedAtMs: -Infinity }
  #flappedAtMs = -Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A request with these items that was begun at `begunAtMs`, monotonic, was just accepted. */
  accepted(items: readonly Item[], begunAtMs: number): void {
    const nowMs = this.#clock.monotonicMs()
    if (items.some((item) => this.#lastOf(item).alone)) this.#flappedAtMs = nowMs
    if (begunAtMs > this.#accepted.begunAtMs) this.#accepted = { begunAtMs, endedAtMs: nowMs }
  }

  /** Every request is refused now, so earlier acceptances no longer count. */
  everythingRefused(): void {
    this.#accepted = { begunAtMs: -Infinity, endedAtMs: -Infinity }
  }

  /** How much the refusal of a lone item counts if its request is begun now: 0 to `PROOFS`. */
  wouldCount(item: Item): number {
    const { begunAtMs, endedAtMs } = this.#accepted
    const { atMs, alone } = this.#lastOf(item)
    const sinceMs = this.#clock.monotonicMs() - AROUND_MS
    if (atMs === -Infinity || begunAtMs < atMs || endedAtMs < sinceMs) return 0
    return alone && atMs >= sinceMs ? PROOFS : 1
  }

  /** A request with these items was just refused for a reason that names none. */
  refused(items: readonly Item[], counts: number): void {
    const atMs = this.#clock.monotonicMs()
    for (const item of items) {
      const own = this.#last.get(item.chunk) ?? new Map<number, Refusal>()
      const proofs = this.#lastOf(item).proofs + counts
      this.#last.set(item.chunk, own.set(item.index, { atMs, alone: items.length === 1, proofs }))
    }
  }

  /** Whether an item is at fault. */
  isProven(item: Item): boolean {
    const isFlapping = this.#clock.monotonicMs() - this.#flappedAtMs < FLAPPING_MS
    return this.#lastOf(item).proofs >= PROOFS && !isFlapping
  }

  /** When an item was last refused, monotonic ms; -Infinity: never. */
  lastMs(item: Item): number {
    return this.#lastOf(item).atMs
  }

  /** Whether an item was refused by itself, but not proven to be at fault. */
  isSuspect(item: Item): boolean {
    return this.#lastOf(item).alone
  }

  #lastOf({ chunk, index }: Item): Refusal {
    return this.#last.get(chunk)?.get(index) ?? NEVER
  }
}
