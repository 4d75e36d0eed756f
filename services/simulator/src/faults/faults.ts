import type { Random } from '@relay/shared/random.js'
import type { Endpoint } from '../vendor/body.js'
import { faultSchema, matches, type FaultAction, type FaultInput, type FaultRule } from './rule.js'

export interface ActiveFault {
  readonly id: string
  readonly rule: FaultRule
  /** Time after which it no longer applies; null if none. */
  readonly untilMs: number | null
  /** Requests to which it may still apply; null for any number. */
  left: number | null
  applied: number
}

export interface FaultSubject {
  readonly appId: string
  readonly endpoint: Endpoint
  /** Values of the elements; empty if there are none or they cannot be read. */
  readonly elements: readonly unknown[]
}

export interface AppliedFault {
  readonly id: string
  readonly action: FaultAction
  readonly rule: FaultRule
}

/** The scripted faults, in the order they were added. */
export class Faults {
  readonly #random: Random
  #active: ActiveFault[] = []
  #lastId = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** Adds a rule (or replaces the one with its id); throws `ZodError` for an invalid rule. */
  add(input: FaultInput, nowMs: number): ActiveFault {
    const rule = faultSchema.parse(input)
    this.#lastId += 1
    const id = rule.id ?? `fault-${String(this.#lastId)}`
    const untilMs = rule.durationMs === undefined ? null : nowMs + rule.durationMs
    const fault: ActiveFault = { id, rule, untilMs, left: rule.count ?? null, applied: 0 }
    this.#active = [...this.#active.filter((f) => f.id !== id), fault]
    return fault
  }

  list(nowMs: number): readonly ActiveFault[] {
    this.#active = this.#active.filter(
      (f) => f.left !== 0 && (f.untilMs === null || f.untilMs > nowMs),
    )
    return this.#active
  }

  remove(id: string): boolean {
    const before = this.#active.length
    this.#active = this.#active.filter((f) => f.id !== id)
    return this.#active.length < before
  }

  clear(): void {
    this.#active = []
  }

  /** The first rule with such an action that applies to the request; decrements its count. */
  take(
    wanted: (action: FaultAction) => boolean,
    subject: FaultSubject,
    nowMs: number,
  ): AppliedFault | null {
    if (this.#active.length === 0) return null
    const fault = this.list(nowMs).find(
      ({ rule }) => wanted(rule.action) && this.#applies(rule, subject),
    )
    if (fault === undefined) return null
    fault.applied += 1
    if (fault.left !== null) fault.left -= 1
    return { id: fault.id, action: fault.rule.action, rule: fault.rule }
  }

  #applies(rule: FaultRule, { appId, endpoint, elements }: FaultSubject): boolean {
    if (rule.appId !== undefined && rule.appId !== appId) return false
    if (rule.endpoint !== undefined && rule.endpoint !== endpoint) return false
    const { when } = rule
    if (when !== undefined && !elements.some((element) => matches(element, when))) return false
    return rule.probability >= 1 || this.#random.next() < rule.probability
  }
}
