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
  /** Whether a refusal proves that its one element is at fault. */
  readonly proves: boolean
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
  /** Lone elements refused since the last acceptance. */
  #alone = 0

  constructor(manifest: Manifest, refusals: Refusals, clock: Clock) {
    this.#manifest = manifest
    this.#refusals = refusals
    this.#clock = clock
  }

  begin(batch: Batch): Begun {
    const [item] = batch.items
    const isAlone = item !== undefined && batch.items.length === 1
    const proves = isAlone && this.#refusals.wouldProve(item)
    return { batch, begunAtMs: this.#clock.monotonicMs(), proves }
  }

  accepted({ begunAtMs }: Begun): void {
    this.#alone = 0
    this.#refusals.accepted(begunAtMs)
  }

  /** `isTrial`: the request was to find out whether anything is accepted again. */
  refused({ batch, proves }: Begun, error: VendorError, isTrial: boolean): Judgement {
    const item = this.#manifest.refused(error)
    this.#refusals.refused(batch.items)
    if (item === null) return { atFault: null, everythingRefused: false }
    if (proves) return { atFault: item, everythingRefused: false }
    this.#alone += 1
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
