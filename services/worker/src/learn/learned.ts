import type { WorkspaceLimits } from '@relay/shared/config/workspace.js'
import {
  isInDoubt,
  onBodyAccepted,
  onBodyRefused,
  readCeiling,
  unknownCeiling,
  type Ceiling,
} from './ceiling.js'
import {
  effectiveShare,
  readAdaptation,
  requestCostCap,
  requestsAtOnceCap,
  shrink,
  type Adaptation,
} from '@relay/shared/gate/adaptation.js'
import type { LearnedStore } from '@relay/shared/gate/learned-store.js'

export interface LearnedOptions {
  readonly store: LearnedStore
  readonly limits: () => WorkspaceLimits
  readonly windowMs: number
  /** Redis' time: all workers reckon with one clock. */
  readonly nowMs: () => number
  /** Who waited for a trial may look again. */
  readonly onTrialEnded: () => void
}

/** What MoEngage's answers taught about a workspace: how large bodies may be, how much budget is left. */
export class Learned {
  readonly #o: LearnedOptions
  #ceiling: Ceiling
  #adaptation: Adaptation | null = null
  /** Who finds out whether MoEngage takes a body of a size that is in doubt. */
  #trial: object | null = null

  constructor(options: LearnedOptions) {
    this.#o = options
    this.#ceiling = unknownCeiling(options.limits().maxBodyBytes)
  }

  /** Largest body to build now, bytes. */
  get bodyBytes(): number {
    return Math.min(this.#ceiling.bytes, this.#o.limits().maxBodyBytes)
  }

  /** Share of the configured limits to use now, 0..1. */
  get share(): number {
    return effectiveShare(this.#adaptation, { nowMs: this.#o.nowMs(), windowMs: this.#o.windowMs })
  }

  /** Most requests under way at once, all workers together; Infinity: any number. */
  get requestsAtOnce(): number {
    return requestsAtOnceCap(this.share)
  }

  /** Most units of a budget with this limit that one request should take. */
  unitsPerRequest(limit: number): number {
    return requestCostCap(limit, { share: this.share, windowMs: this.#o.windowMs })
  }

  async refresh(): Promise<void> {
    const { ceiling, adaptation } = await this.#o.store.read()
    this.#ceiling = readCeiling(ceiling, this.#o.limits().maxBodyBytes)
    this.#adaptation = readAdaptation(adaptation)
  }

  /**
   * Whether `by` may send a body of this size now. While MoEngage may refuse the size, one request
   * of this worker at a time finds out: what all of them would learn, one learns.
   */
  mayTry(bodyBytes: number, by: object): boolean {
    if (!isInDoubt(this.#ceiling, bodyBytes)) return true
    this.#trial ??= by
    return this.#trial === by
  }

  /** `by` has its answer, or sends nothing after all. */
  endTrial(by: object): void {
    if (this.#trial !== by) return
    this.#trial = null
    this.#o.onTrialEnded()
  }

  async bodyAccepted(bodyBytes: number): Promise<void> {
    const limitBytes = this.#o.limits().maxBodyBytes
    await this.#setCeiling(
      onBodyAccepted(this.#ceiling, bodyBytes, { limitBytes, nowMs: this.#o.nowMs() }),
    )
  }

  async bodyRefused(bodyBytes: number): Promise<void> {
    // Another worker may have been refused a smaller one: the last writer must not undo that.
    await this.refresh().catch(() => undefined)
    await this.#setCeiling(onBodyRefused(this.#ceiling, bodyBytes, this.#o.nowMs()))
  }

  /** A 429 to a request sent at `sentAtMs` (Redis' time) with `usedShare` of the limits in the window. */
  async rateRefused(sentAtMs: number, usedShare: number): Promise<void> {
    const { windowMs, store } = this.#o
    const nowMs = this.#o.nowMs()
    const next = shrink(this.#adaptation, { sentAtMs, nowMs, usedShare, windowMs })
    if (next === this.#adaptation) return
    this.#adaptation = next
    await store.write('adaptation', JSON.stringify(next))
  }

  async #setCeiling(next: Ceiling): Promise<void> {
    if (next === this.#ceiling) return
    this.#ceiling = next
    await this.#o.store.write('ceiling', JSON.stringify(next))
  }
}
