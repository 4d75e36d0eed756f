/**
 * MoEngage's per-customer policy (its Fair Usage Policy): MoEngage silently blocks a customer that exceeds a limit in
 * any of its windows. Therefore relay holds such a customer back; no other customer waits.
 *
 * Counting every customer exactly would cost more than sending. A worker keeps a sketch, which never
 * undercounts; a customer with `suspectUnits` in it is counted exactly in Redis from then on. The units
 * that all sketches of a window may have let pass are added to every exact count: docs/design/adr/0010.
 */
import type { Clock } from '@relay/shared/clock.js'
import type { CustomerLimit } from '@relay/shared/config/customer-limits.js'
import {
  ASKED_AGAIN_MS,
  type CustomerCounts,
  type CustomerUnits,
} from '@relay/shared/policy/customer-counts.js'
import type { Batch } from '../batch/body.js'

export interface CustomerPolicyOptions {
  readonly counts: Pick<CustomerCounts, 'announce' | 'reserve' | 'settle' | 'again'>
  /** Shortest window first; empty: nothing is limited. */
  readonly limits: () => readonly CustomerLimit[]
  readonly clock: Clock
  /** Run of Redis; another one may have forgotten the newest counts. '' while unknown. */
  readonly runId: () => string
  /** Live workers: each has a sketch. */
  readonly workers: () => number
  readonly openMs: number
  readonly newId: () => string
  /** A customer is held back: once while it is a suspect, however often. */
  readonly onHeld: (customer: string, waitMs: number) => void
}

export type CustomerAdmission =
  | { readonly outcome: 'admitted' }
  /** These customers must wait: send the others without them. */
  | { readonly outcome: 'held'; readonly customers: ReadonlySet<string> }

interface Allowance {
  readonly units: number
  readonly untilMs: number
}

interface Reserved {
  readonly customers: readonly CustomerUnits[]
  readonly untilMs: number
  readonly atMs: number
}

/** Divisor of the smallest limit that makes a suspect; each sketch costs that much of the limit. */
const SUSPECT_PART = 50
/** Workers up to which that part holds; with more of them each sees less. */
const WORKERS = 8
const SKETCH_MS = 3 * 3_600_000
/** Validity of a sketch's announcement, which is renewed at half of it, ms. */
const ANNOUNCED_MS = 600_000
/** Redis may lose the writes of this last period when it restarts or fails over, ms. */
const REMEMBERED_MS = 120_000
const MIN_HOLD_MS = 250
/** Maximum customers remembered as reported. */
const MAX_REPORTED = 10_000
/** Less than this part of the smallest limit is not worth sending: it would trickle. */
const WORTHWHILE_PART = 16

export class CustomerPolicy {
  readonly #options: CustomerPolicyOptions
  #sketch: UnitSketch | null = null
  #sketchId = ''
  #suspectUnits = 1
  #sketchUntilMs = -Infinity
  #announcedUntilMs = -Infinity
  #runId: string | null = null
  readonly #suspects = new Set<string>()
  readonly #reported = new Set<string>()
  readonly #allowances = new Map<string, Allowance>()
  /** Exactly counted units, by attempt. */
  readonly #reserved = new Map<string, Reserved>()

  constructor(options: CustomerPolicyOptions) {
    this.#options = options
  }

  /** Customers that are held back at present, with the units that may be sent of each. */
  allowances(): ReadonlyMap<string, number> | undefined {
    if (this.#allowances.size === 0) return undefined
    const nowMs = this.#options.clock.monotonicMs()
    const held = new Map<string, number>()
    for (const [customer, { units, untilMs }] of this.#allowances) {
      if (untilMs <= nowMs) this.#allowances.delete(customer)
      else held.set(customer, units)
    }
    return held
  }

  /** Counts an attempt before it is sent. Rejects when Redis does not answer: then it must not be sent. */
  async admit(attemptId: string, batch: Batch): Promise<CustomerAdmission> {
    const limits = this.#options.limits()
    if (limits.length === 0) return ADMITTED
    await this.#prepare(limits)
    const suspects = this.#suspectsIn(batch)
    if (suspects.length === 0) return ADMITTED
    const counted = await this.#options.counts.reserve(limits, suspects)
    if (counted.outcome === 'granted') {
      const atMs = this.#options.clock.monotonicMs()
      this.#expire(atMs)
      this.#reserved.set(attemptId, { customers: suspects, untilMs: counted.untilMs, atMs })
      return ADMITTED
    }
    const least = (limits[0]?.units ?? 0) / WORTHWHILE_PART
    const held = new Set<string>()
    for (const { customer, freeUnits, waitMs } of counted.refused) {
      held.add(customer)
      this.#hold(customer, freeUnits < least ? 0 : freeUnits, waitMs)
    }
    return { outcome: 'held', customers: held }
  }

  /** The attempt's answer was read: it arrived before now. Without this it counts longer, never shorter. */
  async answered(attemptId: string): Promise<void> {
    const reserved = this.#reserved.get(attemptId)
    if (reserved === undefined) return
    const { customers, untilMs } = reserved
    await this.#options.counts
      .settle('answer', this.#options.limits(), customers, untilMs)
      .catch(() => undefined)
  }

  /** Nothing of the attempt left this process. */
  async refund(attemptId: string): Promise<void> {
    const reserved = this.#reserved.get(attemptId)
    if (reserved === undefined) return
    this.#reserved.delete(attemptId)
    const { customers, untilMs } = reserved
    await this.#options.counts
      .settle('refund', this.#options.limits(), customers, untilMs)
      .catch(() => undefined)
  }

  async #prepare(limits: readonly CustomerLimit[]): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs()
    if (this.#sketch === null || this.#sketch.isFull || nowMs >= this.#sketchUntilMs) {
      this.#renew(limits, nowMs)
    }
    const runId = this.#options.runId()
    if (this.#runId !== runId) await this.#recover(limits, runId)
    if (nowMs < this.#announcedUntilMs - ANNOUNCED_MS / 2) return
    const sketch = { id: this.#sketchId, unseenUnits: this.#suspectUnits - 1 }
    const longestMs = Math.max(...limits.map(({ windowMs }) => windowMs))
    // Before the first unit passes unseen: dead workers' sketches must be known to all others.
    await this.#options.counts.announce(sketch, ANNOUNCED_MS + this.#options.openMs, longestMs)
    this.#announcedUntilMs = nowMs + ANNOUNCED_MS
  }

  #renew(limits: readonly CustomerLimit[], nowMs: number): void {
    const smallest = Math.min(...limits.map(({ units }) => units))
    const parts = SUSPECT_PART * Math.max(1, Math.ceil(this.#options.workers() / WORKERS))
    this.#suspectUnits = Math.max(1, Math.floor(smallest / parts))
    this.#sketch = new UnitSketch(this.#suspectUnits)
    this.#sketchId = this.#options.newId()
    this.#sketchUntilMs = nowMs + SKETCH_MS
    this.#announcedUntilMs = -Infinity
    this.#suspects.clear()
    this.#reported.clear()
  }

  /** Re-registers recent reservations in a new run of Redis. They may count twice, but never too little. */
  async #recover(limits: readonly CustomerLimit[], runId: string): Promise<void> {
    if (this.#runId !== null) {
      this.#expire(this.#options.clock.monotonicMs())
      const lately = [...this.#reserved.values()].flatMap(({ customers }) => customers)
      if (lately.length > 0) await this.#options.counts.again(limits, lately)
      this.#announcedUntilMs = -Infinity
    }
    this.#runId = runId
  }

  /** Adds the attempt to the sketch; returns those of its customers that are counted exactly. */
  #suspectsIn({ runs }: Batch): CustomerUnits[] {
    let found = false
    for (const { items, cost } of runs) {
      if (this.#isSuspect(items[0].element.customer, cost)) found = true
    }
    return found ? this.#countsOf(runs) : []
  }

  /** All that the attempt carries of suspects, also before they became so. */
  #countsOf(runs: Batch['runs']): CustomerUnits[] {
    const counts = new Map<string, CustomerUnits>()
    for (const { items, cost } of runs) {
      const { customer } = items[0].element
      if (!this.#suspects.has(customer)) continue
      const before = counts.get(customer)
      const units = (before?.units ?? 0) + cost
      const single = before === undefined && items.length === 1
      counts.set(customer, { customer, units, single })
    }
    return [...counts.values()]
  }

  #isSuspect(customer: string, units: number): boolean {
    // Hashing a key costs as much as the rest: most workspaces have no suspect.
    if (this.#suspects.size > 0 && this.#suspects.has(customer)) return true
    if ((this.#sketch?.add(customer, units) ?? 0) < this.#suspectUnits) return false
    this.#suspects.add(customer)
    return true
  }

  #hold(customer: string, units: number, waitMs: number): void {
    const holdMs = Math.min(Math.max(waitMs, MIN_HOLD_MS), ASKED_AGAIN_MS)
    const untilMs = this.#options.clock.monotonicMs() + holdMs
    this.#allowances.set(customer, { units, untilMs })
    if (this.#reported.has(customer)) return
    if (this.#reported.size >= MAX_REPORTED) this.#reported.clear()
    this.#reported.add(customer)
    this.#options.onHeld(customer, waitMs)
  }

  #expire(nowMs: number): void {
    for (const [id, { atMs }] of this.#reserved) {
      if (atMs > nowMs - REMEMBERED_MS) return
      this.#reserved.delete(id)
    }
  }
}

const ADMITTED: CustomerAdmission = { outcome: 'admitted' }

/** Bytes of a customer's key; each pair is the index in a row. See identity.ts. */
const ROWS = 4
/** Counters of a row, at first and at most. Most workspaces never need the most: 512 KB. */
const MIN_WIDTH = 1_024
const MAX_WIDTH = 65_536
const GROWTH = 4
const MAX_COUNT = 0xffff
/**
 * Units per counter, as a share of `suspectUnits`: from the first a row grows, so that counters hold few
 * units of others; at the second a sketch is replaced, so that collisions stay below a quarter.
 */
const GROWS_FROM = 1 / 32
const FULL_FROM = 1 / 8

/**
 * An upper bound of each customer's sent units since its start: a count-min sketch of at most 512 KB for
 * any number of customers. A customer's key is already a hash, so its bytes are the indexes.
 */
export class UnitSketch {
  #width = MIN_WIDTH
  #cells = new Uint16Array(ROWS * MIN_WIDTH)
  readonly #suspectUnits: number
  #units = 0

  /** `suspectUnits`: units from which a customer is a suspect. */
  constructor(suspectUnits: number) {
    this.#suspectUnits = suspectUnits
  }

  /** Whether it is so full that most customers would soon appear as suspects. */
  get isFull(): boolean {
    return this.#units >= MAX_WIDTH * FULL_FROM * this.#suspectUnits
  }

  /** Adds units of a customer; returns an upper bound of its total. */
  add(customer: string, units: number): number {
    this.#units += units
    const isDense = this.#units >= this.#width * GROWS_FROM * this.#suspectUnits
    if (isDense && this.#width < MAX_WIDTH) this.#grow()
    let least = MAX_COUNT
    for (let row = 0; row < ROWS; row += 1) {
      const index = customer.charCodeAt(row * 2) | (customer.charCodeAt(row * 2 + 1) << 8)
      const cell = row * this.#width + (index & (this.#width - 1))
      const count = Math.min(MAX_COUNT, (this.#cells[cell] ?? 0) + units)
      this.#cells[cell] = count
      if (count < least) least = count
    }
    return least
  }

  /** Every new counter begins with the one that counted its customers so far: none counts too few. */
  #grow(): void {
    const before = this.#cells
    const width = this.#width
    this.#width *= GROWTH
    this.#cells = new Uint16Array(ROWS * this.#width)
    for (let at = 0; at < this.#cells.length; at += width) {
      const row = Math.floor(at / this.#width)
      this.#cells.set(before.subarray(row * width, (row + 1) * width), at)
    }
  }
}
