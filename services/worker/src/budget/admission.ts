import type { Clock } from '@relay/shared/clock.js'
import {
  BUDGETS,
  perBudget,
  effectiveLimits,
  REALTIME_HEADROOM,
  type Budget,
  type Cost,
} from '@relay/shared/budget/cost.js'
import type { Ledger } from '@relay/shared/budget/ledger.js'
import type { Workspace } from '@relay/shared/config/workspace.js'
import type { Lane } from '@relay/shared/element.js'
import type { AdaptiveLimits } from '../adaptive/adaptive-limits.js'
import type { Reservations } from './reservations.js'
import type { WorkspaceGate } from './workspace-gate.js'

export interface AdmissionOptions {
  readonly ledger: Ledger
  readonly gate: WorkspaceGate
  readonly learned: AdaptiveLimits
  readonly reservations: Reservations
  readonly clock: Clock
  readonly workspace: () => Workspace
  readonly windowMs: number
  readonly requestTimeoutMs: number
  readonly arrivalGraceMs: number
  readonly backfillFloor: number
  /** Which run of Redis this worker speaks to; '' while that is unknown. */
  readonly runId: () => string
  readonly newId: () => string
  /** Name under which this worker queues for budget. */
  readonly waiter: string
  /** The ledger belongs to another run of Redis: re-enter own reservations. Returns ms to wait. */
  readonly recover: () => Promise<number>
}

export interface Ask {
  readonly lane: Lane
  readonly cost: Cost
  /** Sufficient amount of each budget. */
  readonly need: Cost
  /** When the oldest element was accepted, ms since 1970. */
  readonly oldestMs: number
  /** Queue for the missing budget, so that no newer request is served first. */
  readonly queue: boolean
}

export type Admitted =
  | {
      readonly outcome: 'granted'
      readonly id: string
      /** Monotonic time by which the attempt must have ended. */
      readonly deadlineMs: number
    }
  /** `free` is available now, the sufficient amount after `needMs`, the full cost after `allMs`; ask again after `waitMs`. */
  | {
      readonly outcome: 'short'
      readonly waitMs: number
      readonly needMs: number
      readonly allMs: number
      readonly free: Cost
    }
  /** Not now, for another reason: the gate changed, Redis does not answer, its ledger is recovering. */
  | { readonly outcome: 'later'; readonly waitMs: number }

/** Pause after Redis did not answer, ms. */
export const REDIS_RETRY_DELAY_MS = 250
/** Pause while another request must be answered first, ms. */
const UNDER_WAY_MS = 50
/** Longest pause between two questions while waiting for budget, ms: keeps the place in the queue. */
const ASK_AGAIN_MS = 1_000

/** Reservations to be refunded, at most: each is one command. */
const MAX_UNUSED = 100

/** Places requests in both budgets, under the gate as it is. */
export class Admission {
  readonly #options: AdmissionOptions
  /** Reservations that Redis may have, and under which nothing was or will be sent. */
  readonly #unused = new Set<string>()

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  /** The limits now in force. */
  limits(): Cost {
    return effectiveLimits(this.#options.workspace().limits, this.#options.learned.share)
  }

  perRequest(): Cost {
    const limits = effectiveLimits(this.#options.workspace().limits, 1)
    return perBudget((budget) => this.#options.learned.unitsPerRequest(limits[budget]))
  }

  /** The largest share of a configured limit that is in use, not counting `cost`. 0..1. */
  async usedShare(cost: Cost): Promise<number> {
    const { used } = await this.#options.ledger.use()
    const limits = effectiveLimits(this.#options.workspace().limits, 1)
    const share = (budget: Budget) =>
      limits[budget] === 0 ? 0 : Math.max(0, used[budget] - cost[budget]) / limits[budget]
    return Math.max(...BUDGETS.map(share))
  }

  async ask({ lane, cost, need, oldestMs, queue }: Ask): Promise<Admitted> {
    const o = this.#options
    const runId = o.runId()
    if (runId === '') return { outcome: 'later', waitMs: REDIS_RETRY_DELAY_MS }
    const id = o.newId()
    const openMs = o.requestTimeoutMs + o.arrivalGraceMs
    const issuedAtMs = o.clock.monotonicMs()
    // Before the next reservation, so that none counts beside it; Redis takes them in this order.
    const unused = [...this.#unused]
    this.#unused.clear()
    for (const one of unused) void this.refund(one)
    const grant = await o.ledger
      .reserve({
        ...{ id, lane, cost, need, oldestMs, runId, openMs },
        limits: this.limits(),
        windowMs: o.windowMs,
        gateVersion: o.gate.version,
        waiter: queue ? `${o.waiter}/${lane}` : '',
        backfillFloor: o.backfillFloor,
        realtimeHeadroom: REALTIME_HEADROOM,
        requestsAtOnce: Number.isFinite(o.learned.requestsAtOnce) ? o.learned.requestsAtOnce : 0,
      })
      .catch(() => null)
    if (grant === null) {
      // It may have been granted.
      this.#noteUnused(id)
      return { outcome: 'later', waitMs: REDIS_RETRY_DELAY_MS }
    }
    switch (grant.outcome) {
      case 'granted':
        o.reservations.note(id, cost, lane, openMs + o.windowMs)
        return { outcome: 'granted', id, deadlineMs: issuedAtMs + o.requestTimeoutMs }
      case 'gate':
        o.gate.adopt(grant)
        return { outcome: 'later', waitMs: 0 }
      case 'later':
        return { outcome: 'later', waitMs: UNDER_WAY_MS }
      case 'recover':
        return { outcome: 'later', waitMs: await o.recover().catch(() => REDIS_RETRY_DELAY_MS) }
      case 'wait':
        return {
          outcome: 'short',
          waitMs: Math.min(Math.max(1, grant.waitMs), ASK_AGAIN_MS),
          needMs: grant.waitMs,
          allMs: grant.allMs,
          free: grant.free,
        }
    }
  }

  /** The answer was read: the cost counts for one window more. */
  answered(id: string): Promise<void> {
    return this.#over(id, this.#options.windowMs)
  }

  /** The connection ended without an answer: MoEngage may still process the request within the grace. */
  unanswered(id: string): Promise<void> {
    return this.#over(id, this.#options.arrivalGraceMs + this.#options.windowMs)
  }

  async #over(id: string, countsMs: number): Promise<void> {
    this.#options.reservations.answered(id, countsMs)
    // Without this the cost counts longer than need be, never shorter.
    await this.#options.ledger.answered(id, countsMs).catch(() => undefined)
  }

  /** Nothing of the attempt left this process. */
  async refund(id: string): Promise<void> {
    await this.#options.ledger.refund(id).then(
      () => this.#options.reservations.refunded(id),
      () => this.#noteUnused(id),
    )
  }

  #noteUnused(id: string): void {
    // Past this many, one expires by itself.
    if (this.#unused.size < MAX_UNUSED) this.#unused.add(id)
  }
}
