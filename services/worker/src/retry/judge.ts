import type { Clock } from '@relay/shared/clock.js'
import type { Batch } from '../batch/body.js'
import type { VendorError } from '../classify/outcome.js'
import type { Item } from '../fetch/window.js'
import type { Manifest } from './manifest.js'
import type { Refusals } from './refusals.js'

/** A request as judged by its answer later. */
export interface Begun {
  readonly batch: Batch
  /** Monotonic ms. */
  readonly begunAtMs: number
  /** Whether a refusal of its one element counts as proof that it is at fault. */
  readonly counts: boolean
}

export interface Judgement {
  /** The element that is at fault, if it is found. */
  readonly atFault: Item | null
  /** Nothing shows that MoEngage accepts anything: hold the workspace. */
  readonly everythingRefused: boolean
}

/** From this many lone elements refused in a row on, everything is taken to be refused. */
const MAX_ALONE = 3

/** Judges the refusals of one flight that name no element. */
export class Judge {
  readonly #manifest: Manifest
  readonly #refusals: Refusals
  readonly #clock: Clock
  /** Lone elements refused since the last acceptance, without those that count as proof. */
  #alone = 0

  constructor(manifest: Manifest, refusals: Refusals, clock: Clock) {
    this.#manifest = manifest
    this.#refusals = refusals
    this.#clock = clock
  }

  begin(batch: Batch): Begun {
    const [item] = batch.items
    const isAlone = item !== undefined && batch.items.length === 1
    const counts = isAlone && this.#refusals.wouldCount(item)
    return { batch, begunAtMs: this.#clock.monotonicMs(), counts }
  }

  accepted({ batch, begunAtMs }: Begun): void {
    this.#alone = 0
    this.#refusals.accepted(batch.items, begunAtMs)
  }

  /** `isTrial`: the request was to find out whether anything is accepted again. */
  refused({ batch, counts }: Begun, error: VendorError, isTrial: boolean): Judgement {
    this.#manifest.keepWitness()
    const item = this.#manifest.refused(error)
    this.#refusals.refused(batch.items, counts)
    if (item === null) return { atFault: null, everythingRefused: false }
    if (this.#refusals.isProven(item)) return { atFault: item, everythingRefused: false }
    if (!counts) this.#alone += 1
    const hasOthers = this.#manifest.postpone(item)
    const everythingRefused = isTrial || !hasOthers || this.#alone >= MAX_ALONE
    if (everythingRefused) this.#refusals.everythingRefused()
    return { atFault: null, everythingRefused }
  }

  /** Sets one element apart to try; those that were never refused first, then the longest untried. */
  splitForTrial(): void {
    this.#manifest.splitForTrial(
      (item) => this.#refusals.lastMs(item),
      (item) => this.#refusals.isSuspect(item),
    )
  }
}
