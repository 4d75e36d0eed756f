import type { WorkspaceLimits } from '@relay/shared/config/workspace.js'
import { SharedRecord } from './shared-record.js'
import {
  effectiveShare,
  readAdaptation,
  requestCostCap,
  requestsAtOnceCap,
  shrink,
  type Adaptation,
} from '@relay/shared/gate/adaptation.js'
import {
  explains413,
  forgetUnproven,
  isInDoubt,
  onBodyAccepted,
  onBodyRefused,
  readCeiling,
  unknownCeiling,
  type Ceiling,
} from '@relay/shared/gate/ceiling.js'
import type { LearnedStore } from '@relay/shared/gate/gate-store.js'

export interface AdaptiveLimitsOptions {
  readonly store: Pick<LearnedStore, 'read' | 'change'>
  readonly limits: () => WorkspaceLimits
  readonly windowMs: number
  /** Redis' time, so that all workers use one clock. */
  readonly nowMs: () => number
  /** Share of the limits that other senders leave by the rate-limit headers, 0..1; absent: all. */
  readonly gaugeShare?: () => number
  /** Called when a trial has ended, so that waiting requests check again. */
  readonly onTrialEnded: () => void
}

/** MoEngage's limit may have changed since a body was accepted this long ago, ms. */
const RECENT_MS = 60_000

/** Limits of a workspace learned from MoEngage's answers: maximum body size and available budget. */
export class AdaptiveLimits {
  readonly #options: AdaptiveLimitsOptions
  readonly #ceiling: SharedRecord<Ceiling>
  readonly #adaptation: SharedRecord<Adaptation | null>
  /** The request that tests whether MoEngage accepts a body of an uncertain size. */
  #trial: object | null = null
  /** The largest body that MoEngage accepted of late. */
  #largest = { bytes: 0, atMs: -Infinity }

  constructor(options: AdaptiveLimitsOptions) {
    this.#options = options
    this.#ceiling = new SharedRecord({
      change: (seen, next) => options.store.change('ceiling', seen, next),
      parse: (text) => readCeiling(text === '' ? null : text, options.limits().maxBodyBytes),
    })
    this.#adaptation = new SharedRecord<Adaptation | null>({
      change: (seen, next) => options.store.change('adaptation', seen, next),
      parse: (text) => readAdaptation(text === '' ? null : text),
    })
  }

  /** Largest body to build now, bytes. */
  get bodyBytes(): number {
    return Math.min(this.#ceiling.value.bytes, this.#options.limits().maxBodyBytes)
  }

  /** Share of the configured limits to use now, 0..1. */
  get share(): number {
    const { nowMs, windowMs, gaugeShare } = this.#options
    const learned = effectiveShare(this.#adaptation.value, { nowMs: nowMs(), windowMs })
    return Math.min(learned, gaugeShare?.() ?? 1)
  }

  /** Maximum requests in flight over all workers; Infinity: unlimited. */
  get requestsAtOnce(): number {
    return requestsAtOnceCap(this.share)
  }

  /** Maximum units per request of a budget with this limit. */
  unitsPerRequest(limit: number): number {
    return requestCostCap(limit, { share: this.share, windowMs: this.#options.windowMs })
  }

  /** Reads the other workers' limits, and stores pending changes. Rejects when Redis does not answer. */
  async refresh(): Promise<void> {
    const { ceiling, adaptation } = await this.#options.store.read()
    await Promise.all([
      this.#ceiling.adopt(ceiling ?? ''),
      this.#adaptation.adopt(adaptation ?? ''),
    ])
  }

  /**
   * Whether `by` may send a body of this size now. While MoEngage may refuse the size, only one request of
   * this worker at a time tests it.
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
    this.#options.onTrialEnded()
  }

  async bodyAccepted(bodyBytes: number): Promise<void> {
    const nowMs = this.#options.nowMs()
    if (bodyBytes >= this.#recentBytes(nowMs)) this.#largest = { bytes: bodyBytes, atMs: nowMs }
    const at = { limitBytes: this.#options.limits().maxBodyBytes, nowMs }
    await this.#ceiling.apply((ceiling) => onBodyAccepted(ceiling, bodyBytes, at))
  }

  async bodyRefused(bodyBytes: number): Promise<void> {
    const nowMs = this.#options.nowMs()
    await this.#ceiling.apply((ceiling) => onBodyRefused(ceiling, bodyBytes, nowMs))
  }

  /** Whether a 413 to a body of this size is about its size. */
  explains413(bodyBytes: number): boolean {
    return explains413(this.#ceiling.value, bodyBytes, this.#recentBytes(this.#options.nowMs()))
  }

  #recentBytes(nowMs: number): number {
    const { bytes, atMs } = this.#largest
    return nowMs - atMs > RECENT_MS ? 0 : bytes
  }

  /** A 413 that was not about a size: what such answers taught is void. */
  async forgetCeiling(): Promise<void> {
    const { maxBodyBytes } = this.#options.limits()
    await this.#ceiling.apply(() => unknownCeiling(maxBodyBytes))
  }

  /** The workspace is, or was until now, held because everything was refused. */
  async forgetUnproven(): Promise<void> {
    const { maxBodyBytes } = this.#options.limits()
    await this.#ceiling.apply((ceiling) => forgetUnproven(ceiling, maxBodyBytes))
  }

  /** A 429 to a request sent at `sentAtMs` (Redis' time) with `usedShare` of the limits in the window. */
  async rateRefused(sentAtMs: number, usedShare: number): Promise<void> {
    const refusal = {
      sentAtMs,
      nowMs: this.#options.nowMs(),
      usedShare,
      windowMs: this.#options.windowMs,
    }
    await this.#adaptation.apply((before) => shrink(before, refusal))
  }
}
