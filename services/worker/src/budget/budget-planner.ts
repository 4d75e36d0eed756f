import { BUDGETS, perBudget, type Budget, type Cost } from '@relay/shared/budget/cost.js'
import type { Clock } from '@relay/shared/clock.js'
import type { Batch } from '../batch/body.js'

/** State of one budget by the ledger's answers; monotonic times in ms. */
interface Shortage {
  /** Do not request it before this time. */
  untilMs: number
  /** When it was last denied; for one window after it counts as saturated. */
  lastMs: number
  /** Units of it that fill a body, smoothed. */
  perBody: number
}

export interface BudgetPlannerOptions {
  readonly clock: Clock
  readonly windowMs: number
  /** The current limits, and the maximum cost of one request. */
  readonly limits: () => Cost
  readonly perRequest: () => Cost
}

/** A remainder below this share of a body is left unused rather than paid for with smaller bodies. */
const NEGLIGIBLE = 0.1
/** Weight of a new observation in the smoothed size of a full body. */
const SMOOTHING = 0.2

/** Plans how much of each budget the next request takes, from earlier answers of the ledger. */
export class BudgetPlanner {
  readonly #options: BudgetPlannerOptions
  readonly #of: Readonly<Record<Budget, Shortage>> = perBudget(neverShort)

  constructor(options: BudgetPlannerOptions) {
    this.#options = options
  }

  /** Cost of the next request at most: as `most`, and nothing of a short budget. */
  next(): Cost {
    const most = this.most()
    const nowMs = this.#options.clock.monotonicMs()
    return perBudget((budget) => (nowMs < this.#of[budget].untilMs ? 0 : most[budget]))
  }

  /** Cost of any request at most: an even share of a saturated budget. */
  most(): Cost {
    const limits = this.#options.limits()
    const perRequest = this.#options.perRequest()
    const nowMs = this.#options.clock.monotonicMs()
    return perBudget((budget) => {
      const { lastMs, perBody } = this.#of[budget]
      const saturated = nowMs - lastMs < this.#options.windowMs
      const even = evenShare(limits[budget], saturated ? perBody : 0)
      return Math.min(limits[budget], perRequest[budget], even)
    })
  }

  /** Whether some budget is short at present. */
  isShort(): boolean {
    return Number.isFinite(this.shortForMs())
  }

  /** Whether some budget was denied within the last window. */
  isSaturated(): boolean {
    const nowMs = this.#options.clock.monotonicMs()
    return BUDGETS.some((budget) => nowMs - this.#of[budget].lastMs < this.#options.windowMs)
  }

  /**
   * Milliseconds until the first budget that was short at `sinceMs` (monotonic), or has become short
   * since, may be requested again: 0 if that time has passed; Infinity if none was short.
   */
  shortForMs(sinceMs = this.#options.clock.monotonicMs()): number {
    const nowMs = this.#options.clock.monotonicMs()
    const ends = BUDGETS.map((budget) => this.#of[budget].untilMs).filter((ms) => ms > sinceMs)
    return Math.max(0, Math.min(...ends) - nowMs)
  }

  /** Updates the size of a body full of one budget's elements after a grant. */
  granted({ cost, budgetBytes }: Batch, bodyBytes: number): void {
    for (const budget of BUDGETS) {
      if (cost[budget] === 0) continue
      const known = this.#of[budget]
      const { perBody } = known
      const fits = (bodyBytes * cost[budget]) / budgetBytes[budget]
      known.perBody = perBody === 0 ? fits : perBody + (fits - perBody) * SMOOTHING
    }
  }

  /** These budgets were denied. */
  denied(budgets: readonly Budget[]): void {
    const nowMs = this.#options.clock.monotonicMs()
    for (const budget of budgets) this.#of[budget].lastMs = nowMs
  }

  /** Does without these budgets for a while. */
  renounce(budgets: readonly Budget[], forMs: number): void {
    const untilMs = this.#options.clock.monotonicMs() + forMs
    for (const budget of budgets) this.#of[budget].untilMs = untilMs
  }
}

function neverShort(): Shortage {
  return { untilMs: -Infinity, lastMs: -Infinity, perBody: 0 }
}

/**
 * Share of a saturated budget for one request, so that equal requests use the whole limit: full bodies
 * would leave a remainder in every window that is too small for another body. `perBody`: units of a full
 * body.
 */
export function evenShare(limit: number, perBody: number): number {
  if (perBody <= 0) return limit
  const bodies = limit / perBody
  const whole = Math.floor(bodies)
  const negligible = whole > 0 && bodies - whole < NEGLIGIBLE
  return Math.ceil(limit / (negligible ? bodies : Math.ceil(bodies)))
}
