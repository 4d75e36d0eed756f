import { effectiveLimits, type Cost } from '@relay/shared/budget/cost.js'
import type { WorkspaceLimits } from '@relay/shared/config/workspace.js'
import type { LedgerUse } from '@relay/shared/budget/ledger.js'
import type { RateGauge } from '../classify/rate-gauge.js'
import type { Outcome } from '../classify/outcome.js'
import {
  gaugeShare,
  isBelieved,
  needsUse,
  NO_GAUGE,
  onReading,
  onRefusal,
  onUse,
  type VendorGauge,
} from './vendor-gauge.js'

export interface GaugeWatchOptions {
  readonly limits: () => WorkspaceLimits
  readonly windowMs: number
  readonly monotonicMs: () => number
  /** relay's use over all workers; may reject. */
  readonly use: () => Promise<LedgerUse>
  /** MoEngage advertises another limit than before. `differs`: it equals none of the configured ones. */
  readonly onAdvertised: (limit: number, differs: boolean) => void
}

/** Minimum interval between reads of relay's use from the ledger, ms; and near the end of a window's budget. */
const ASK_EVERY_MS = 1_000
const ASK_OFTEN_MS = 250
/** Share of the advertised limit below which it is asked often. */
const NEAR_END = 0.1

/** Follows the rate-limit headers of one workspace, as this worker sees them. */
export class GaugeWatch {
  readonly #options: GaugeWatchOptions
  #gauge: VendorGauge = NO_GAUGE
  #advertised: number | null = null
  #askedAtMs = -Infinity

  constructor(options: GaugeWatchOptions) {
    this.#options = options
  }

  /** Share of the configured limits that other senders leave, 0..1. */
  get share(): number {
    return gaugeShare(this.#gauge, this.#options.monotonicMs(), this.#options.windowMs)
  }

  /** Takes an answer's headers in. `accepted`: null unless MoEngage accepted a request of this cost. */
  observe(said: RateGauge | null, accepted: Cost | null): void {
    if (said?.limit != null) this.#compare(said.limit)
    if (accepted === null || said === null) return
    const { limit, remaining, resetMs } = said
    if (limit === null || remaining === null || resetMs === null) return
    const nowMs = this.#options.monotonicMs()
    this.#gauge = onReading(this.#gauge, { nowMs, limit, remaining, resetMs, cost: accepted })
    const everyMs = remaining < limit * NEAR_END ? ASK_OFTEN_MS : ASK_EVERY_MS
    if (!needsUse(this.#gauge) || nowMs - this.#askedAtMs < everyMs) return
    this.#askedAtMs = nowMs
    void this.#ask()
  }

  /** An outcome without a reset that is not believed: a 429 is then retried as without headers. */
  credible(outcome: Outcome): Outcome {
    const isBad =
      outcome.outcome === 'rate_limited' && !isBelieved(this.#gauge, this.#options.monotonicMs())
    return isBad ? { ...outcome, resetMs: null } : outcome
  }

  /** A 429. Whether it only confirms what the headers said, so that nothing else is learnt from it. */
  expectedRefusal(): boolean {
    const next = onRefusal(this.#gauge, this.#options.monotonicMs(), this.#options.windowMs)
    if (next !== null) this.#gauge = next
    return next !== null
  }

  async #ask(): Promise<void> {
    const use = await this.#options.use().catch(() => null)
    // Without relay's use the headers are ignored, because they do not separate it from other senders'.
    if (use === null) return
    const limits = effectiveLimits(this.#options.limits(), 1)
    const at = { nowMs: this.#options.monotonicMs(), windowMs: this.#options.windowMs, use, limits }
    this.#gauge = onUse(this.#gauge, at)
  }

  #compare(advertised: number): void {
    if (advertised === this.#advertised) return
    this.#advertised = advertised
    this.#options.onAdvertised(advertised, !isConfigured(this.#options.limits(), advertised))
  }
}

/** The unit of the headers is not documented: any of the budgets, or all together, may be meant. */
function isConfigured(limits: WorkspaceLimits, advertised: number): boolean {
  const { usersPerWindow, eventsPerWindow, devicesPerWindow } = limits
  const all = usersPerWindow + eventsPerWindow + (devicesPerWindow ?? 0)
  return [usersPerWindow, eventsPerWindow, devicesPerWindow, all].includes(advertised)
}
