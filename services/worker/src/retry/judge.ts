import type { Clock } from '@relay/shared/clock.js'
import type { UnexplainedHold } from '@relay/shared/gate/gate-state.js'
import type { Batch } from '../batch/body.js'
import type { VendorError } from '../classify/outcome.js'
import type { Item } from '../fetch/window.js'
import type { DeliveryPlan } from './delivery-plan.js'
import type { Refusals } from './refusals.js'

/** A request as judged by its answer later. */
export interface Begun {
  readonly batch: Batch
  /** Monotonic ms. */
  readonly begunAtMs: number
  /** How much a refusal of its one element counts as proof that it is at fault. */
  readonly counts: number
}

export interface Judgement {
  /** The element that is at fault, if it is found. */
  readonly atFault: Item | null
  /** Nothing shows that MoEngage accepts any of the waiting elements: hold the workspace; null: do not. */
  readonly hold: UnexplainedHold | null
  /** Only this element is left: try it again once other flights may have had an answer. */
  readonly waitsForOthers: boolean
}

export const NOTHING_FOUND: Judgement = {
  atFault: null,
  hold: null,
  waitsForOthers: false,
}

/** From this many lone elements refused in a row on, all that waits is taken to be refused. */
const MAX_ALONE = 3

/** Judges the refusals of one flight that name no element. */
export class Judge {
  readonly #plan: DeliveryPlan
  readonly #refusals: Refusals
  readonly #clock: Clock
  /** Lone elements refused since the last acceptance, without those that count as proof. */
  #alone = 0

  constructor(plan: DeliveryPlan, refusals: Refusals, clock: Clock) {
    this.#plan = plan
    this.#refusals = refusals
    this.#clock = clock
  }

  begin(batch: Batch): Begun {
    const [item] = batch.items
    const isAlone = item !== undefined && batch.items.length === 1
    const counts = isAlone ? this.#refusals.wouldCount(item) : 0
    return { batch, begunAtMs: this.#clock.monotonicMs(), counts }
  }

  accepted({ batch, begunAtMs }: Begun): void {
    this.#alone = 0
    this.#refusals.accepted(batch.items, begunAtMs)
  }

  /** `isTrial`: the request was to find out whether anything is accepted again. */
  refused({ batch, counts }: Begun, error: VendorError, isTrial: boolean): Judgement {
    this.#plan.keepWitness()
    const item = this.#plan.refused(error)
    this.#refusals.refused(batch.items, counts)
    if (item === null) return NOTHING_FOUND
    if (this.#refusals.isProven(item)) return { ...NOTHING_FOUND, atFault: item }
    if (counts === 0) this.#alone += 1
    const hasOthers = this.#plan.postpone(item)
    const hold = isTrial || this.#alone >= MAX_ALONE ? this.#refusals.holdReason : null
    if (hold !== null) this.#refusals.held(hold)
    return { atFault: null, hold, waitsForOthers: !hasOthers && hold === null }
  }

  /** Whether every customer's oldest element was refused alone. */
  get hasOnlySuspects(): boolean {
    return this.#refusals.hasOnlySuspects(this.#plan.oldest)
  }

  /** Sets one element apart to try; those that were never refused first, then the longest untried. */
  splitForTrial(): void {
    this.#plan.splitForTrial(
      (item) => this.#refusals.lastMs(item),
      (item) => this.#refusals.isSuspect(item),
    )
  }
}
