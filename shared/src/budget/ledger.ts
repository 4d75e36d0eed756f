import type { Clock } from '../clock.js'
import type { Lane } from '../element.js'
import { workspaceKeys } from '../queue/keys.js'
import type { RedisClient } from '../redis/connect.js'
import {
  luaText,
  replyList,
  replyText,
  runScript,
  script,
  type Reply,
  type Script,
} from '../redis/script.js'
import { BUDGETS, type Cost } from './cost.js'
import { LedgerTime } from './ledger-time.js'

const timed = (name: string, keys: number): Script =>
  script(name, keys, luaText('ledger-clock.lua') + luaText(`${name}.lua`))
const RESERVE = timed('reserve', 6)
const ANSWER = timed('answer', 4)
const RECOVER = timed('recover-ledger', 4)
const READ = script('ledger-read', 4)
const REFUND = -1

export interface Reservation {
  /** Unique per attempt; asking again with it changes nothing. */
  readonly id: string
  readonly lane: Lane
  readonly cost: Cost
  readonly limits: Cost
  readonly windowMs: number
  /** How long the attempt may count at MoEngage if no answer is read, ms. */
  readonly openMs: number
  readonly gateVersion: string
  /** The run of Redis in the caller's view. */
  readonly runId: string
  /** When the oldest element was accepted, ms since 1970: the longest waiting go first. */
  readonly oldestMs: number
  /** Id of the waiter; '' does not queue. */
  readonly waiter: string
  /** Minimum that the caller accepts. */
  readonly need: Cost
  /** Shares of each limit, 0..1: guaranteed to backfill, and always left to realtime. */
  readonly backfillFloor: number
  readonly realtimeHeadroom: number
  /** Maximum requests in flight over all workers; 0: unlimited. */
  readonly requestsAtOnce: number
}

export type Grant =
  | { readonly outcome: 'granted' }
  | { readonly outcome: 'gate'; readonly version: string; readonly record: string }
  | { readonly outcome: 'recover' }
  /** Too many requests are in flight. */
  | { readonly outcome: 'later' }
  /** `free` is available now, the minimum after `waitMs`, the full cost after `allMs`. */
  | {
      readonly outcome: 'wait'
      readonly waitMs: number
      readonly allMs: number
      readonly free: Cost
    }

/** What the ledger counts, of all workers. */
export interface LedgerUse {
  /** Units that count against the limits. */
  readonly used: Cost
  /** Units reserved since the ledger began, less refunds. */
  readonly granted: Cost
  /** Units of requests without an answer. */
  readonly open: Cost
}

/** An own reservation as re-entered after Redis came back. */
export interface OpenReservation {
  readonly id: string
  readonly cost: Cost
  readonly lane: Lane
  readonly expiresInMs: number
}

/** What a worker knows after Redis restarted or failed over. */
export interface Recovery {
  /** The new run of Redis, and how long ago it started, ms. */
  readonly runId: string
  readonly runMs: number
  readonly worker: string
  /** How long after the start of the run a lost reservation can count, ms. */
  readonly countsMs: number
  /** Workers that were alive before or are now: all must re-enter. */
  readonly workers: readonly string[]
  /** Workers that ended lately: an empty Redis has lost their reservations. */
  readonly ended: readonly string[]
  readonly own: readonly OpenReservation[]
}

function amounts(cost: Cost): number[] {
  return BUDGETS.map((budget) => cost[budget])
}

function costOf(reply: readonly Reply[]): Cost {
  const [users = 0, events = 0, devices = 0] = reply.map(Number)
  return { users, events, devices }
}

/** Sliding-window rate limiter with reservations, for one workspace's budgets. See docs/design/adr/0003. */
export class Ledger {
  readonly #client: RedisClient
  readonly #keys: ReturnType<typeof workspaceKeys>
  readonly #time: LedgerTime

  constructor(client: RedisClient, prefix: string, appId: string, clock: Clock) {
    this.#client = client
    this.#keys = workspaceKeys(prefix, appId)
    this.#time = new LedgerTime(clock)
  }

  async reserve(r: Reservation): Promise<Grant> {
    const k = this.#keys
    const reply = replyList(
      await runScript(
        this.#client,
        RESERVE,
        [k.gate, k.ledger, k.ledgerExpiry, k.ledgerCost, k.ledgerWaiters, k.ledgerOpen],
        [
          ...[r.id, r.lane, ...amounts(r.cost), ...amounts(r.limits), r.windowMs, r.openMs],
          ...[r.gateVersion, r.runId, r.oldestMs, r.waiter, ...amounts(r.need)],
          ...[r.backfillFloor, r.realtimeHeadroom, r.requestsAtOnce, this.#time.expectedMs()],
        ],
      ),
    )
    this.#time.observe(Number(reply[1]))
    switch (replyText(reply[0])) {
      case 'granted':
        return { outcome: 'granted' }
      case 'gate':
        return { outcome: 'gate', version: replyText(reply[2]), record: replyText(reply[3]) }
      case 'recover':
      case 'later':
        return { outcome: replyText(reply[0]) as 'recover' | 'later' }
      default:
        return {
          outcome: 'wait',
          waitMs: Number(reply[2]),
          free: costOf(reply.slice(3, 6)),
          allMs: Number(reply[6]),
        }
    }
  }

  /** The answer was read: the cost counts for one window from now. */
  async answered(id: string, windowMs: number): Promise<void> {
    await this.#answer(id, windowMs)
  }

  /** Only for an attempt of which certainly nothing left. */
  async refund(id: string): Promise<void> {
    await this.#answer(id, REFUND)
  }

  async #answer(id: string, windowMs: number): Promise<void> {
    const k = this.#keys
    const nowMs = await runScript(
      this.#client,
      ANSWER,
      [k.ledger, k.ledgerExpiry, k.ledgerCost, k.ledgerOpen],
      [id, windowMs, this.#time.expectedMs()],
    )
    this.#time.observe(Number(nowMs))
  }

  /** Re-enters own reservations after Redis came back; null when the ledger is open, else ms to wait. */
  async recover(r: Recovery): Promise<number | null> {
    const k = this.#keys
    const entries = r.own.flatMap(({ id, cost, lane, expiresInMs }) => [
      id,
      [...amounts(cost), lane].join(','),
      Math.ceil(expiresInMs),
    ])
    const reply = replyList(
      await runScript(
        this.#client,
        RECOVER,
        [k.ledger, k.ledgerExpiry, k.ledgerCost, k.ledgerRecovery],
        [
          ...[r.runId, r.worker, this.#time.expectedMs()],
          ...[Math.ceil(r.countsMs), Math.max(0, Math.floor(r.runMs))],
          ...[r.workers.length, ...r.workers, r.ended.length, ...r.ended, ...entries],
        ],
      ),
    )
    return replyText(reply[0]) === 'open' ? null : Number(reply[1])
  }

  /** Whether nothing is granted yet, since a worker's reservations may be lost. */
  async isRecovering(): Promise<boolean> {
    const [open, recovery] = await Promise.all([
      this.#client.hget(this.#keys.ledger, 'incarnation'),
      this.#client.hget(this.#keys.ledgerRecovery, 'incarnation'),
    ])
    return recovery !== null && recovery !== open
  }

  async use(): Promise<LedgerUse> {
    const k = this.#keys
    const keys = [k.ledger, k.ledgerExpiry, k.ledgerCost, k.ledgerOpen]
    const reply = replyList(await runScript(this.#client, READ, keys, []))
    return {
      used: costOf(reply),
      granted: costOf(reply.slice(3)),
      open: costOf(reply.slice(6)),
    }
  }
}
