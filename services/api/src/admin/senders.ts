import type { Sessions } from '@relay/shared/erasure/erasure-store.js'
import { workerOf } from '@relay/shared/queue/session-id.js'

/**
 * Which workers may still send, on this process' monotonic clock. A session that is missing in Redis
 * proves nothing: Redis may have lost it, or its clock may have stepped. A worker is over once its
 * lease has ended on this clock.
 */
export class Senders {
  readonly #leaseMs: number
  /** When each worker's lease ends at the latest, monotonic ms. */
  readonly #endsAtMs = new Map<string, number>()
  #trustedAtMs: number

  constructor(leaseMs: number, nowMs: number) {
    this.#leaseMs = leaseMs
    // Redis may have restarted just before, and lost sessions that are still alive.
    this.#trustedAtMs = nowMs + leaseMs
  }

  /** Redis restarted or failed over: it may have lost sessions. */
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

  /** How many unconfirmed workers may still send; null if unknown. */
  unconfirmed(confirmed: ReadonlySet<string>, nowMs: number): number | null {
    const left = [...this.#endsAtMs].filter(([w, ms]) => ms > nowMs && !confirmed.has(w))
    return left.length === 0 && nowMs < this.#trustedAtMs ? null : left.length
  }
}
