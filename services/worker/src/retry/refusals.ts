import type { Clock } from '@relay/shared/clock.js'
import type { Item, LoadedChunk } from '../fetch/window.js'

/** Time for which an acceptance shows that MoEngage accepts requests, ms. */
const EVIDENCE_MS = 60_000

/**
 * Refusals of one workspace that name no element: the elements of refused requests with the time, and
 * MoEngage's last acceptance. An element is at fault when it is refused alone although another was accepted
 * since its last refusal. While every request is refused, no element is at fault.
 */
interface Refusal {
  readonly atMs: number
  readonly alone: boolean
}

const NEVER: Refusal = { atMs: -Infinity, alone: false }

export class Refusals {
  readonly #clock: Clock
  /** When each element was last refused, monotonic ms, and whether it was alone. */
  readonly #last = new WeakMap<LoadedChunk, Map<number, Refusal>>()
  /** When the newest of the accepted requests was begun, monotonic ms. */
  #acceptedAtMs = -Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A request that was begun at `begunAtMs`, monotonic, was accepted. */
  accepted(begunAtMs: number): void {
    this.#acceptedAtMs = Math.max(this.#acceptedAtMs, begunAtMs)
  }

  /** Every request is refused now, so earlier acceptances no longer count. */
  everythingRefused(): void {
    this.#acceptedAtMs = -Infinity
  }

  /** Whether a lone item is at fault if the request that is begun now is refused. */
  wouldProve(item: Item): boolean {
    const nowMs = this.#clock.monotonicMs()
    const { atMs } = this.#lastOf(item)
    const isRecent = this.#acceptedAtMs > nowMs - EVIDENCE_MS
    return atMs !== -Infinity && this.#acceptedAtMs >= atMs && isRecent
  }

  /** A request with these items was just refused for a reason that names none. */
  refused(items: readonly Item[]): void {
    const nowMs = this.#clock.monotonicMs()
    for (const { chunk, index } of items) {
      const own = this.#last.get(chunk) ?? new Map<number, Refusal>()
      this.#last.set(chunk, own.set(index, { atMs: nowMs, alone: items.length === 1 }))
    }
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
