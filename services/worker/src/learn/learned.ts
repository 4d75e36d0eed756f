import type { WorkspaceLimits } from '@relay/shared/config/workspace.js'
import { isInDoubt, onBodyAccepted, onBodyRefused, readCeiling, type Ceiling } from './ceiling.js'
import { Lessons } from './lessons.js'
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
  readonly store: Pick<LearnedStore, 'read' | 'change'>
  readonly limits: () => WorkspaceLimits
  readonly windowMs: number
  /** Redis' time: all workers reckon with one clock. */
  readonly nowMs: () => number
  /** Share of the limits that other senders leave by the rate-limit headers, 0..1; absent: all. */
  readonly gaugeShare?: () => number
  /** Who waited for a trial may look again. */
  readonly onTrialEnded: () => void
}

/** What MoEngage's answers taught about a workspace: how large bodies may be, how much budget is left. */
export class Learned {
  readonly #o: LearnedOptions
  readonly #ceiling: Lessons<Ceiling>
  readonly #adaptation: Lessons<Adaptation | null>
  /** Who finds out whether MoEngage takes a body of a size that is in doubt. */
  #trial: object | null = null

  constructor(options: LearnedOptions) {
    this.#o = options
    this.#ceiling = new Lessons({
      change: (seen, next) => options.store.change('ceiling', seen, next),
      parse: (text) => readCeiling(text === '' ? null : text, options.limits().maxBodyBytes),
    })
    this.#adaptation = new Lessons<Adaptation | null>({
      change: (seen, next) => options.store.change('adaptation', seen, next),
      parse: (text) => readAdaptation(text === '' ? null : text),
    })
  }

  /** Largest body to build now, bytes. */
  get bodyBytes(): number {
    return Math.min(this.#ceiling.value.bytes, this.#o.limits().maxBodyBytes)
  }

  /** Share of the configured limits to use now, 0..1. */
  get share(): number {
    const { nowMs, windowMs, gaugeShare } = this.#o
    const learned = effectiveShare(this.#adaptation.value, { nowMs: nowMs(), windowMs })
    return Math.min(learned, gaugeShare?.() ?? 1)
  }

  /** Most requests under way at once, all workers together; Infinity: any number. */
  get requestsAtOnce(): number {
    return requestsAtOnceCap(this.share)
  }

  /** Most units of a budget with this limit that one request should take. */
  unitsPerRequest(limit: number): number {
    return requestCostCap(limit, { share: this.share, windowMs: this.#o.windowMs })
  }

  /** Reads what others learnt, and stores what Redis does not have yet. Rejects when it does not answer. */
  async refresh(): Promise<void> {
    const { ceiling, adaptation } = await this.#o.store.read()
    await Promise.all([
      this.#ceiling.adopt(ceiling ?? ''),
      this.#adaptation.adopt(adaptation ?? ''),
    ])
  }

  /**
   * Whether `by` may send a body of this size now. While MoEngage may refuse the size, one request
   * of this worker at a time finds out: what all of them would learn, one learns.
   */
  mayTry(bodyBytes: number, by: object): boolean {
    if (!isInDoubt(this.#ceiling.value, bodyBytes)) return true
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
    const at = { limitBytes: this.#o.limits().maxBodyBytes, nowMs: this.#o.nowMs() }
    await this.#ceiling.learn((ceiling) => onBodyAccepted(ceiling, bodyBytes, at))
  }

  async bodyRefused(bodyBytes: number): Promise<void> {
    const nowMs = this.#o.nowMs()
    await this.#ceiling.learn((ceiling) => onBodyRefused(ceiling, bodyBytes, nowMs))
  }

  /** A 429 to a request sent at `sentAtMs` (Redis' time) with `usedShare` of the limits in the window. */
  async rateRefused(sentAtMs: number, usedShare: number): Promise<void> {
    const refusal = { sentAtMs, nowMs: this.#o.nowMs(), usedShare, windowMs: this.#o.windowMs }
    await this.#adaptation.learn((before) => shrink(before, refusal))
  }
}
