import type { Clock } from '@relay/shared/clock.js'
import type { Deployment, Roster } from '@relay/shared/queue/deployment.js'
import { RedisClock } from '@relay/shared/redis/redis-clock.js'

export interface SessionOptions {
  /** Names this process for its whole life; sessions are named after it. No dots. */
  readonly worker: string
  readonly deployment: Deployment
  readonly leaseMs: number
  /** Waits until what Redis was told is as durable as a lease has to be; false: it is not. */
  readonly durable: () => Promise<boolean>
  readonly clock: Clock
  /**
   * Every roster heard, and when it was asked for, monotonic; `stepMs` ≠ 0 when Redis' clock
   * jumped by that much.
   */
  readonly onRoster: (roster: Roster, askedAtMs: number, stepMs: number) => void
  /** The lease is gone: everything owned under it belongs to others now. */
  readonly onLost: () => void
}

/** The worker that a session belongs to. */
export function workerOf(session: string): string {
  return session.slice(0, session.lastIndexOf('.'))
}

/** Part of the lease after which it is renewed. */
const RENEW_AFTER = 0.25
const RENEW_MOST_MS = 3_000
/** Part of the lease kept back, so that the own end comes before Redis' even with a slow timer. */
const MARGIN = 0.05
/** How soon after another session's expiry to look, ms. */
const AFTER_EXPIRY_MS = 30

/**
 * The one lease of a worker process. It runs from when its renewal was *sent*, on the monotonic
 * clock, so it ends here before it ends in Redis. Once lost it never comes back: the process joins
 * again under a new name.
 */
export class Session {
  readonly #o: SessionOptions
  readonly #redisClock: RedisClock
  #id = ''
  #joins = 0
  #endsAtMs = -Infinity
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #renewing: Promise<void> | null = null

  constructor(options: SessionOptions) {
    this.#o = options
    this.#redisClock = new RedisClock(options.clock)
  }

  get id(): string {
    return this.#id
  }

  /** Milliseconds for which the lease certainly holds; 0 when it does not. */
  remainingMs(): number {
    return Math.max(0, this.#endsAtMs - this.#o.clock.monotonicMs())
  }

  get alive(): boolean {
    return this.remainingMs() > 0
  }

  /** Joins, and keeps the lease until `leave`. Resolves after the first try, successful or not. */
  start(): Promise<void> {
    this.#id = this.#newId()
    return this.renew()
  }

  /** Renews now: also fetches a fresh roster. Joins calls that overlap. */
  renew(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => (this.#renewing = null))
    return this.#renewing
  }

  /** Renews the lease no more: it runs out, and others take over then. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#renewing
    this.#endsAtMs = -Infinity
  }

  /** Gives the lease up, so that others take over at once. Rejects when Redis does not take it. */
  async leave(): Promise<void> {
    await this.stop()
    await this.#o.deployment.session(this.#id, this.#o.leaseMs, 'leave')
  }

  /** Forgets the lease at once, as after a restart of Redis, and joins anew. */
  async rejoin(): Promise<void> {
    const old = this.#id
    this.#lose()
    this.#redisClock.reset()
    await this.#o.deployment.session(old, this.#o.leaseMs, 'leave').catch(() => undefined)
    await this.renew()
  }

  #isStopped(): boolean {
    return this.#stopped
  }

  #newId(): string {
    this.#joins += 1
    return `${this.#o.worker}.${String(this.#joins)}`
  }

  #lose(): void {
    this.#endsAtMs = -Infinity
    this.#id = this.#newId()
    this.#o.onLost()
  }

  async #renew(): Promise<void> {
    if (this.#stopped) return
    clearTimeout(this.#timer)
    const { clock, leaseMs } = this.#o
    const sentAtMs = clock.monotonicMs()
    // A lease that ran out here is not renewed, even if Redis would still have it: sends were
    // stopped and others may count on that.
    if (this.#endsAtMs !== -Infinity && sentAtMs >= this.#endsAtMs) this.#lose()
    const step = this.#endsAtMs === -Infinity ? 'join' : 'renew'
    const roster = await this.#roster(step)
    if (this.#isStopped()) return
    if (roster?.state === 'lost') {
      this.#lose()
      this.#schedule(0)
      return
    }
    if (roster === null) {
      this.#schedule(Math.min(500, leaseMs / 10))
      return
    }
    this.#endsAtMs = sentAtMs + leaseMs * (1 - MARGIN)
    const stepMs = this.#redisClock.heard(roster.redisNowMs, sentAtMs)
    this.#schedule(this.#nextLookMs(roster))
    this.#o.onRoster(roster, sentAtMs, stepMs)
  }

  /**
   * Null when there is no answer, or when it may be forgotten: a master that has lost its replicas may
   * have been replaced already, and then nobody else knows that this worker goes on.
   */
  async #roster(step: 'join' | 'renew'): Promise<Roster | null> {
    const { deployment, leaseMs, durable } = this.#o
    const roster = await deployment.session(this.#id, leaseMs, step).catch(() => null)
    return roster?.state === 'alive' && !(await durable()) ? null : roster
  }

  /** The next renewal, or sooner when another session is about to expire: its work waits. */
  #nextLookMs({ sessions, redisNowMs }: Roster): number {
    const renewMs = Math.min(this.#o.leaseMs * RENEW_AFTER, RENEW_MOST_MS)
    const expiries = [...sessions].filter(([id]) => id !== this.#id).map(([, expiry]) => expiry)
    const firstMs = Math.min(...expiries) - redisNowMs + AFTER_EXPIRY_MS
    return Math.max(10, Math.min(renewMs, firstMs))
  }

  #schedule(afterMs: number): void {
    this.#timer = setTimeout(() => void this.renew(), afterMs)
  }
}
