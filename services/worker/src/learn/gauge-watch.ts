import type { Cost } from '@relay/shared/budget/cost.js'
import type { WorkspaceLimits } from '@relay/shared/config/workspace.js'
import { effectiveLimits } from '@relay/shared/budget/cost.js'
import type { RateGauge } from '../classify/rate-gauge.js'
import {
  gaugeShare,
  needsUse,
  NO_GAUGE,
  onReading,
  onUse,
  type VendorGauge,
} from './vendor-gauge.js'

export interface GaugeWatchOptions {
  readonly limits: () => WorkspaceLimits
  readonly windowMs: number
  readonly monotonicMs: () => number
  /** relay's use of its windows over all workers; may reject. */
  readonly used: () => Promise<Cost>
  /** MoEngage advertises another limit than before. `differs`: it equals none of the configured ones. */
  readonly onAdvertised: (limit: number, differs: boolean) => void
}

/** Minimum interval between reads of relay's use from the ledger, ms. */
const ASK_EVERY_MS = 1_000

/** Follows the rate-limit headers of one workspace, as this worker sees them. */
export class GaugeWatch {
  readonly #o: GaugeWatchOptions
  #gauge: VendorGauge = NO_GAUGE
  #advertised: number | null = null
  #askedAtMs = -Infinity

  constructor(options: GaugeWatchOptions) {
    this.#o = options
  }

  /** Share of the configured limits that other senders leave, 0..1. */
  get share(): number {
    return gaugeShare(this.#gauge, this.#o.monotonicMs(), this.#o.windowMs)
  }

  /** Takes an answer's headers in. `accepted`: null unless MoEngage accepted a request of this cost. */
  observe(said: RateGauge | null, accepted: Cost | null): void {
    if (said?.limit != null) this.#compare(said.limit)
    if (accepted === null || said === null) return
    const { limit, remaining, resetMs } = said
    if (limit === null || remaining === null || resetMs === null) return
    const { windowMs } = this.#o
    const nowMs = this.#o.monotonicMs()
    const reading = { nowMs, windowMs, limit, remaining, resetMs, cost: accepted }
    this.#gauge = onReading(this.#gauge, reading)
    if (!needsUse(this.#gauge) || nowMs - this.#askedAtMs < ASK_EVERY_MS) return
    this.#askedAtMs = nowMs
    void this.#ask()
  }

  async #ask(): Promise<void> {
    const used = await this.#o.used().catch(() => null)
    // Without relay's use the headers are ignored, because they do not separate it from other senders'.
    if (used === null) return
    const limits = effectiveLimits(this.#o.limits(), 1)
    const at = { nowMs: this.#o.monotonicMs(), windowMs: this.#o.windowMs, used, limits }
    this.#gauge = onUse(this.#gauge, at)
  }

  #compare(advertised: number): void {
    if (advertised === this.#advertised) return
    this.#advertised = advertised
    this.#o.onAdvertised(advertised, !isConfigured(this.#o.limits(), advertised))
  }
}

/** The unit of the headers is not documented: any of the budgets, or all together, may be meant. */
function isConfigured(limits: WorkspaceLimits, advertised: number): boolean {
  const { usersPerWindow, eventsPerWindow, devicesPerWindow } = limits
  const all = usersPerWindow + eventsPerWindow + (devicesPerWindow ?? 0)
  return [usersPerWindow, eventsPerWindow, devicesPerWindow, all].includes(advertised)
}
