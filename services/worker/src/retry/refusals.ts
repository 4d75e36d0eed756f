import type { Clock } from '@relay/shared/clock.js'
import type { UnexplainedHold } from '@relay/shared/gate/gate-state.js'
import { customerOf, type Item, type LoadedChunk } from '../fetch/window.js'

/** A lone refusal counts if another request was accepted at most this long before it was begun, ms. */
const AROUND_MS = 1_000
/** Proofs for a fault. A lone refusal is one; after another lone refusal and an acceptance at once, two. */
const PROOFS = 2
/** For this long after an element was accepted that was refused alone before, nothing is proven, ms. */
const FLAPPING_MS = 600_000
/** So many elements that are refused alone for the first time since an acceptance show that everything is refused again. */
const NEW_REFUSED = 1

interface Refusal {
  /** Of the last one, monotonic ms. */
  readonly atMs: number
  readonly alone: boolean
  readonly firstAtMs: number
  /** Refusals that count. */
  readonly proofs: number
  /** Of `proofs`: those from before the last flap are void. */
  readonly flaps: number
}

const NEVER: Refusal = { atMs: -Infinity, alone: false, firstAtMs: Infinity, proofs: 0, flaps: 0 }

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
  #flaps = 0
  /** When MoEngage last accepted a request, monotonic ms. */
  #lastAcceptedMs = -Infinity
  /** Elements refused alone since then that had not been refused before. */
  #newRefused = 0
  /** By this worker or another. */
  #isAnyAccepted = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A request with these items that was begun at `begunAtMs`, monotonic, was just accepted. */
  accepted(items: readonly Item[], begunAtMs: number): void {
    const nowMs = this.#clock.monotonicMs()
    if (items.some((item) => this.#lastOf(item).alone)) {
      this.#flappedAtMs = nowMs
      this.#flaps += 1
    }
    this.#isAnyAccepted = true
    this.#newRefused = 0
    this.#lastAcceptedMs = nowMs
    if (begunAtMs > this.#accepted.begunAtMs) this.#accepted = { begunAtMs, endedAtMs: nowMs }
  }

  /** The workspace is held for such refusals, so earlier acceptances no longer count as proof. */
  held(reason: UnexplainedHold): void {
    this.#accepted = { begunAtMs: -Infinity, endedAtMs: -Infinity }
    if (reason === 'everything_refused') this.#newRefused = NEW_REFUSED
    else this.#isAnyAccepted = true
  }

  /** One element, or those refused before an acceptance, do not show that MoEngage refuses everything. */
  get holdReason(): UnexplainedHold {
    const isEverything = !this.#isAnyAccepted || this.#newRefused >= NEW_REFUSED
    return isEverything ? 'everything_refused' : 'some_refused'
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
    const alone = items.length === 1
    const flaps = this.#flaps
    const isFlapping = atMs - this.#flappedAtMs < FLAPPING_MS
    for (const item of items) {
      const last = this.#lastOf(item)
      const own = this.#last.get(item.chunk) ?? new Map<number, Refusal>()
      const firstAtMs = Math.min(last.firstAtMs, atMs)
      const proofs = isFlapping ? 0 : this.#proofsOf(item) + counts
      this.#last.set(item.chunk, own.set(item.index, { atMs, alone, firstAtMs, proofs, flaps }))
      if (alone && !last.alone && firstAtMs >= this.#lastAcceptedMs) this.#newRefused += 1
    }
  }

  /** Whether an item is at fault. */
  isProven(item: Item): boolean {
    return this.#proofsOf(item) >= PROOFS
  }

  /** When an item was last refused, monotonic ms; -Infinity: never. */
  lastMs(item: Item): number {
    return this.#lastOf(item).atMs
  }

  /** Whether an item was refused by itself, but not proven to be at fault. */
  isSuspect(item: Item): boolean {
    return this.#lastOf(item).alone
  }

  /** Whether every customer's first item of these is a suspect. */
  hasOnlySuspects(items: readonly Item[]): boolean {
    const seen = new Set<string>()
    return items.every((item) => {
      const isFirst = !seen.has(customerOf(item))
      seen.add(customerOf(item))
      return !isFirst || this.isSuspect(item)
    })
  }

  #proofsOf(item: Item): number {
    const { proofs, flaps } = this.#lastOf(item)
    return flaps === this.#flaps ? proofs : 0
  }

  #lastOf({ chunk, index }: Item): Refusal {
    return this.#last.get(chunk)?.get(index) ?? NEVER
  }
}
