import type { Sessions } from '@relay/shared/erasure/erasure-store.js'
import { workerOf } from '@relay/shared/queue/session-id.js'

/**
 * Which workers may still send, on this process' monotonic clock. That Redis does not have a session
 * proves nothing: it may have forgotten it, or its clock may have stepped. A worker is over when its
 * lease has ended as reckoned here.
 */
export class Senders {
  readonly #leaseMs: number
  /** When each worker's lease ends at the latest, monotonic ms. */
  readonly #endsAtMs = new Map<string, number>()
  #trustedAtMs: number

  constructor(leaseMs: number, nowMs: number) {
    this.#leaseMs = leaseMs
    // Redis may have restarted just before, without sessions that live on.
    this.#trustedAtMs = nowMs + leaseMs
  }

  /** Redis restarted or failed over: it may have forgotten sessions. */
  distrust(nowMs: number): void {
    this.#trustedAtMs = nowMs + this.#leaseMs
  }

  observe({ sessions, redisNowMs }: Sessions, nowMs: number): void {
    for (const [worker, endsAtMs] of this.#endsAtMs) {
      if (endsAtMs <= nowMs) this.#endsAtMs.delete(worker)
    }
    for (const [session, expiry] of sessions) {
      this.#endsAtMs.set(workerOf(session), nowMs + expiry - redisNowMs)
    }
  }

  /** How many workers may still send although they have not confirmed; null: not known. */
  unconfirmed(confirmed: ReadonlySet<string>, nowMs: number): number | null {
    const left = [...this.#endsAtMs].filter(([w, ms]) => ms > nowMs && !confirmed.has(w))
    return left.length === 0 && nowMs < this.#trustedAtMs ? null : left.length
  }
}
