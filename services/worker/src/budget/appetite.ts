import { BUDGETS, type Budget, type Cost } from '@relay/shared/budget/cost.js'
import type { Clock } from '@relay/shared/clock.js'
import { evenShare } from './sizing.js'

/** What was learnt of one budget from the ledger's answers; monotonic times in ms. */
interface Shortage {
  /** Not to be asked for before. */
  untilMs: number
  /** Waited for since; 0: it is not waited for. */
  sinceMs: number
  /** When it was last denied; for one window after it counts as saturated. */
  lastMs: number
  /** What a full body takes of it, smoothed. */
  perBody: number
}

export interface AppetiteOptions {
  readonly clock: Clock
  readonly windowMs: number
  /** The limits now in force, and the most that one request should take. */
  readonly limits: () => Cost
  readonly perRequest: () => Cost
}

/** After waiting for this share of a window, half a body will do. */
const PATIENCE = 0.05
/** How fast the notion of a full body follows new ones. */
const SMOOTHING = 0.2

/** How much of each budget the next request should take, by what the ledger answered before. */
export class Appetite {
  readonly #o: AppetiteOptions
  readonly #of: Readonly<Record<Budget, Shortage>> = {
    users: neverShort(),
    events: neverShort(),
    devices: neverShort(),
  }

  constructor(options: AppetiteOptions) {
    this.#o = options
  }

  /** What the next request may take: nothing of a short budget, an even share of a saturated one. */
  next(): Cost {
    const limits = this.#o.limits()
    const most = this.#o.perRequest()
    const nowMs = this.#o.clock.monotonicMs()
    return forEach((budget) => {
      const { untilMs, lastMs, perBody } = this.#of[budget]
      if (nowMs < untilMs) return 0
      const saturated = nowMs - lastMs < this.#o.windowMs
      const even = evenShare(limits[budget], saturated ? perBody : 0)
      return Math.min(limits[budget], most[budget], even)
    })
  }

  /** Milliseconds until the first short budget may be asked for again; Infinity: none is short. */
  shortForMs(): number {
    const nowMs = this.#o.clock.monotonicMs()
    const waits = BUDGETS.map((budget) => this.#of[budget].untilMs - nowMs)
    return Math.min(...waits.filter((ms) => ms > 0))
  }

  /** Whether it is too early to be content with less than a whole body's worth of a budget. */
  isPatient(budget: Budget): boolean {
    const { sinceMs } = this.#of[budget]
    return sinceMs === 0 || this.#o.clock.monotonicMs() - sinceMs < this.#o.windowMs * PATIENCE
  }

  /** A request was granted. `full`: its body was, so it tells what a full one takes. */
  granted(cost: Cost, full: boolean): void {
    for (const budget of BUDGETS) {
      const known = this.#of[budget]
      if (cost[budget] > 0) known.sinceMs = 0
      if (!full) continue
      const { perBody } = known
      known.perBody = perBody === 0 ? cost[budget] : perBody + (cost[budget] - perBody) * SMOOTHING
    }
  }

  /** These budgets were denied. */
  denied(budgets: readonly Budget[]): void {
    const nowMs = this.#o.clock.monotonicMs()
    for (const budget of budgets) {
      const known = this.#of[budget]
      known.lastMs = nowMs
      if (known.sinceMs === 0) known.sinceMs = nowMs
    }
  }

  /** Does without these budgets for a while. */
  renounce(budgets: readonly Budget[], forMs: number): void {
    const untilMs = this.#o.clock.monotonicMs() + forMs
    for (const budget of budgets) this.#of[budget].untilMs = untilMs
  }
}

function neverShort(): Shortage {
  return { untilMs: -Infinity, sinceMs: 0, lastMs: -Infinity, perBody: 0 }
}

function forEach(amount: (budget: Budget) => number): Cost {
  return { users: amount('users'), events: amount('events'), devices: amount('devices') }
}
