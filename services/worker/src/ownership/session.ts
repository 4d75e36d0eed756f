/*
 * The one lease of a worker process, as a state machine.
 *
 *   outside ──join answered──▶ alive ──renewal answered──▶ alive
 *   alive ──lease expired, Redis replied `lost`, or Redis restarted──▶ outside, under a new id
 *   any ──stop──▶ stopped
 *
 * The lease runs from when its renewal was *sent*, on the monotonic clock, so it ends here before it
 * ends in Redis. An abandoned id is never used again: a reply to it is ignored.
 */
import type { Clock } from '@relay/shared/clock.js'
import type { Roster, SessionCall } from '@relay/shared/queue/deployment.js'
import { RedisClock } from '@relay/shared/redis/redis-clock.js'
import { newSessionId, runDigest } from '@relay/shared/queue/session-id.js'

/** The registry of sessions; see lua/session.lua. */
export interface Registry {
  session(call: SessionCall): Promise<Roster>
}

export interface SessionOptions {
  /** Names this process for its whole life; sessions are named after it. No dots. */
  readonly worker: string
  readonly registry: Registry
  readonly leaseMs: number
  /** Part of the lease in which nothing is sent any more: see `lateMarginMs`. */
  readonly marginMs: number
  /** Which run of Redis the client speaks to; '' while that is unknown. */
  readonly runId: () => string
  /**
   * Called before a write to Redis. What it returns waits until the write is as durable as a lease
   * requires; false if it is not.
   */
  readonly beforeWrite: () => () => Promise<boolean>
  readonly clock: Clock
  /** Called with a new session's id before it joins: claims that others could take for free are re-made. */
  readonly beforeJoin: (id: string) => Promise<void>
  /**
   * Called with every roster and the time of its request, monotonic ms; `stepMs` ≠ 0 when Redis' clock
   * stepped by that much.
   */
  readonly onRoster: (roster: Roster, askedAtMs: number, stepMs: number) => void
  /** The session ended. `wasAlive`: its lease was valid, so no other worker can have acted meanwhile. */
  readonly onLost: (wasAlive: boolean) => void
}

/** Part of the lease after which it is renewed. */
const RENEW_AFTER = 0.25
const MAX_RENEW_MS = 3_000
/** Part of the lease kept back, so that it ends here before it ends in Redis even with a slow timer. */
const MARGIN = 0.05
/** How soon after another session's expiry to look, ms. */
const AFTER_EXPIRY_MS = 30
/** Pause before the next try while the run of Redis is unknown, ms. */
const UNKNOWN_RUN_MS = 50

/** Maximum part of the lease in which nothing is sent: the rest must be enough for an attempt. */
const MAX_LATE_MARGIN = 0.4

/**
 * Time before the end of the lease by which attempts end, ms: MoEngage may process an attempt up to
 * `graceMs` after its connection was closed, which should be before another worker takes over. With a lease
 * under 2.5 times the grace, a late arrival can overlap with the next owner's request.
 */
export function lateMarginMs(leaseMs: number, graceMs: number): number {
  return Math.min(graceMs, leaseMs * MAX_LATE_MARGIN)
}

export class Session {
  readonly #options: SessionOptions
  readonly #redisClock: RedisClock
  /** '' while outside and not joining. */
  #id = ''
  /** The id before, to be replaced in the registry. */
  #former = ''
  #joins = 0
  #endsAtMs = -Infinity
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #renewing: { readonly id: string; readonly joins: number; readonly done: Promise<void> } | null =
    null

  constructor(options: SessionOptions) {
    this.#options = options
    this.#redisClock = new RedisClock(options.clock)
  }

  get id(): string {
    return this.#id
  }

  /** Milliseconds for which the lease certainly holds; 0 when it does not. */
  remainingMs(): number {
    return Math.max(0, this.#endsAtMs - this.#options.clock.monotonicMs())
  }

  /** Milliseconds for which requests may be open; the rest of the lease is kept for late arrivals. */
  sendableMs(): number {
    return Math.max(0, this.remainingMs() - this.#options.marginMs)
  }

  get alive(): boolean {
    return this.remainingMs() > 0
  }

  /** Joins, and keeps the lease until `stop`. Resolves after the first try, successful or not. */
  start(): Promise<void> {
    return this.renew()
  }

  /** Renews now and fetches a fresh roster. Calls that overlap share one renewal. */
  renew(): Promise<void> {
    const id = this.#id
    const joins = this.#joins
    // One that began before the session was lost joins no more: it would leave this worker outside.
    if (this.#renewing?.id === id && this.#renewing.joins === joins) return this.#renewing.done
    const renewal = { id, joins, done: this.#renew() }
    this.#renewing = renewal
    return renewal.done.finally(() => {
      if (this.#renewing === renewal) this.#renewing = null
    })
  }

  /** Renews the lease no more: it runs out, and others take over then. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#renewing?.done
    this.#endsAtMs = -Infinity
  }

  /** Gives the lease up, so that others take over at once. Rejects when Redis does not take it. */
  async leave(): Promise<void> {
    await this.stop()
    if (this.#id !== '') await this.#options.registry.session(this.#call(this.#id, 'leave'))
  }

  /** Ends the session at once, as after a restart of Redis, and joins under a new id. */
  async rejoin(): Promise<void> {
    if (this.#stopped) return
    this.#lose()
    this.#redisClock.reset()
    await this.renew()
  }

  #isStopped(): boolean {
    return this.#stopped
  }

  #lose(): void {
    const wasAlive = this.alive
    this.#endsAtMs = -Infinity
    if (this.#id !== '') this.#former = this.#id
    this.#id = ''
    this.#options.onLost(wasAlive)
  }

  async #renew(): Promise<void> {
    if (this.#stopped) return
    clearTimeout(this.#timer)
    const { clock, leaseMs, runId } = this.#options
    // A lease that ran out here is not renewed, even if Redis would still have it: sends were
    // stopped, and others may count on that.
    if (this.#endsAtMs !== -Infinity && !this.alive) this.#lose()
    if (runId() === '') {
      this.#schedule(UNKNOWN_RUN_MS)
      return
    }
    if (this.#id === '') {
      await this.#join()
      return
    }
    const sentAtMs = clock.monotonicMs()
    const step = this.#endsAtMs === -Infinity ? 'join' : 'renew'
    const id = this.#id
    const roster = await this.#roster(id, step)
    if (this.#isStopped() || id !== this.#id) return
    if (roster?.state === 'lost') {
      this.#lose()
      this.#schedule(0)
      return
    }
    if (roster === null) {
      this.#schedule(Math.min(500, leaseMs / 10))
      return
    }
    this.#former = ''
    this.#endsAtMs = sentAtMs + leaseMs * (1 - MARGIN)
    const stepMs = this.#redisClock.heard(roster.redisNowMs, sentAtMs)
    this.#schedule(this.#nextLookMs(roster))
    this.#options.onRoster(roster, sentAtMs, stepMs)
  }

  async #join(): Promise<void> {
    this.#joins += 1
    const id = newSessionId(this.#options.worker, this.#joins, this.#options.runId())
    this.#id = id
    await this.#options.beforeJoin(id)
    if (id === this.#id) await this.renew()
  }

  /**
   * Null without a reply, or when Redis may lose the renewal: a master that has lost its replicas may
   * already have been replaced, and then the other workers do not see this lease.
   */
  async #roster(id: string, step: 'join' | 'renew'): Promise<Roster | null> {
    const { registry, beforeWrite } = this.#options
    const durable = beforeWrite()
    const roster = await registry.session(this.#call(id, step)).catch(() => null)
    return roster?.state === 'alive' && !(await durable()) ? null : roster
  }

  #call(id: string, step: SessionCall['step']): SessionCall {
    const { leaseMs, runId } = this.#options
    return { id, leaseMs, step, replaces: this.#former, run: runDigest(runId()) }
  }

  /** The next renewal, or sooner when another session is about to expire: its partitions wait. */
  #nextLookMs({ sessions, redisNowMs }: Roster): number {
    const renewMs = Math.min(this.#options.leaseMs * RENEW_AFTER, MAX_RENEW_MS)
    const expiries = [...sessions].filter(([id]) => id !== this.#id).map(([, expiry]) => expiry)
    const firstMs = Math.min(...expiries) - redisNowMs + AFTER_EXPIRY_MS
    return Math.max(10, Math.min(renewMs, firstMs))
  }

  #schedule(afterMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.renew(), afterMs)
  }
}
