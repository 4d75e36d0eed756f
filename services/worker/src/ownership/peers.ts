import type { Clock } from '@relay/shared/clock.js'
import type { Roster } from '@relay/shared/queue/deployment.js'
import { joinedIn, workerOf } from '@relay/shared/queue/session-id.js'

export interface PeersOptions {
  readonly clock: Clock
  readonly leaseMs: number
  /** Which run of Redis this worker speaks to. */
  readonly runId: () => string
}

/** Sessions that ended are remembered for this long, ms: their requests count for a window and more. */
const REMEMBERED_MS = 10 * 60_000

/**
 * Sessions that may still send, on this worker's monotonic clock. The absence of a session from the
 * registry proves nothing: Redis may have lost it, or its clock may have stepped. A session has ended once
 * its lease has ended on this clock.
 */
export class Peers {
  readonly #options: PeersOptions
  /** Latest moment at which a session's lease may end, monotonic ms. */
  readonly #endsAtMs = new Map<string, number>()
  #present: ReadonlySet<string> = new Set()
  /** When the roster of `#present` was requested, monotonic ms. */
  #askedAtMs = -Infinity
  #distrustedAtMs: number

  constructor(options: PeersOptions) {
    this.#options = options
    // Before the first roster there may have been sessions that Redis forgot.
    this.#distrustedAtMs = options.clock.monotonicMs()
  }

  /** Sessions of the last roster. */
  get present(): ReadonlySet<string> {
    return this.#present
  }

  observe({ sessions, redisNowMs }: Roster, askedAtMs: number): void {
    const nowMs = this.#options.clock.monotonicMs()
    const { leaseMs } = this.#options
    for (const id of this.#present) {
      // Gone before its time: forgotten, or replaced by its worker. It may have renewed its lease just before.
      const left = (this.#endsAtMs.get(id) ?? 0) - nowMs
      if (!sessions.has(id) && left > 0) this.#endsAtMs.set(id, nowMs + leaseMs)
    }
    for (const [id, expiry] of sessions) {
      this.#endsAtMs.set(id, nowMs + Math.max(0, expiry - redisNowMs))
    }
    for (const [id, endsAtMs] of this.#endsAtMs) {
      if (endsAtMs + REMEMBERED_MS < nowMs) this.#endsAtMs.delete(id)
    }
    this.#present = new Set(sessions.keys())
    this.#askedAtMs = askedAtMs
  }

  /** Workers that have left, and whose lease ended within the last `withinMs`. */
  endedWithin(withinMs: number): string[] {
    const sinceMs = this.#options.clock.monotonicMs() - withinMs
    const present = new Set([...this.#present].map(workerOf))
    const ended = [...this.#endsAtMs].filter(([, endsAtMs]) => endsAtMs > sinceMs)
    return [...new Set(ended.map(([id]) => workerOf(id)))].filter((name) => !present.has(name))
  }

  /** Redis restarted or failed over, or its clock stepped: its last moments may be forgotten. */
  distrust(): void {
    this.#distrustedAtMs = this.#options.clock.monotonicMs()
  }

  /** Whether the owner of a claim that was first seen at `seenAtMs` (monotonic) may still send. */
  mayAct(session: string, seenAtMs: number): boolean {
    if (this.#present.has(session) || this.isUnjudged(session, seenAtMs)) return true
    return this.#options.clock.monotonicMs() < this.#overAtMs(session)
  }

  /**
   * Whether a session may have joined after the roster was requested: only a later roster can show it.
   */
  isUnjudged(session: string, seenAtMs: number): boolean {
    return !this.#present.has(session) && seenAtMs > this.#askedAtMs
  }

  /**
   * Milliseconds until the first of these sessions is over, or Redis is trusted; Infinity: neither is
   * about to be.
   */
  nextEndMs(sessions: Iterable<string>): number {
    const nowMs = this.#options.clock.monotonicMs()
    const absent = [...sessions].filter((session) => !this.#present.has(session))
    const ends = [...absent.map((session) => this.#overAtMs(session)), this.#trustedAtMs]
    return Math.min(Infinity, ...ends.map((ms) => ms - nowMs).filter((ms) => ms > 0))
  }

  /**
   * Whether every claim that counts stands in Redis. After a restart that may have forgotten some, each
   * worker re-makes its claims before it joins again; until all have joined, or a lease has passed,
   * a partition without an owner may have one.
   */
  get trusted(): boolean {
    const { clock, runId } = this.#options
    const nowMs = clock.monotonicMs()
    if (nowMs >= this.#trustedAtMs) return true
    const isBack = (id: string) => joinedIn(id, runId())
    const back = new Set([...this.#present].filter(isBack).map(workerOf))
    return [...this.#endsAtMs].every(
      ([id, endsAtMs]) => endsAtMs <= nowMs || isBack(id) || back.has(workerOf(id)),
    )
  }

  get #trustedAtMs(): number {
    return this.#distrustedAtMs + this.#options.leaseMs
  }

  #overAtMs(session: string): number {
    return Math.max(this.#endsAtMs.get(session) ?? -Infinity, this.#trustedAtMs)
  }
}
