import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { Random } from '@relay/shared/random.js'
import { z } from 'zod'
import { type Endpoint, ENDPOINTS } from './vendor/body.js'
import { ROW_NAMES } from './vendor/answers.js'

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
    const id = rule.id ?? `fault-${this.#lastId}`
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

const delayMs = z.number().int().min(0).max(3_600_000)
const headers = z
  .record(z.string(), z.string())
  .refine(areSendable, 'has a name or value that HTTP cannot carry')
  .default({})

function areSendable(given: Readonly<Record<string, string>>): boolean {
  try {
    for (const [name, value] of Object.entries(given)) {
      validateHeaderName(name)
      validateHeaderValue(name, value)
    }
    return true
  } catch {
    return false
  }
}

/**
 * A predicate on an element. `path` names object members and searches arrays:
 * `actions.attributes.sku` matches any action. Without `equals` and `contains` it matches presence.
 */
const predicate = z.strictObject({
  path: z.string().min(1),
  equals: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
  contains: z.string().min(1).optional(),
})
type Predicate = z.output<typeof predicate>

const action = z.discriminatedUnion('kind', [
  /** A row of the vendor's table by name: suspend with `account_suspended`, and so on. */
  z.strictObject({ kind: z.literal('answer'), row: z.enum(ROW_NAMES), headers }),
  z.strictObject({
    kind: z.literal('status'),
    status: z.number().int().min(200).max(599),
    headers,
    body: z.string().default(''),
    /** true: the elements are accepted first, in spite of the answer. */
    processed: z.boolean().default(false),
  }),
  z.strictObject({
    kind: z.literal('rate_limit'),
    /** null: no Retry-After header. */
    retryAfterSeconds: z.number().min(0).nullable().default(null),
  }),
  /** No answer; the connection is cut after `maxMs`. */
  z.strictObject({
    kind: z.literal('hang'),
    maxMs: delayMs.default(600_000),
    processed: z.boolean().default(false),
  }),
  /** The connection is reset: on the first bytes, instead of arriving, or instead of answering. */
  z.strictObject({
    kind: z.literal('reset'),
    at: z.enum(['start', 'arrival', 'answer']).default('arrival'),
  }),
  /** The elements are accepted; the 200 has an invalid body. */
  z.strictObject({
    kind: z.literal('garbage'),
    body: z.string().default('<html><body>It works!</body></html>'),
  }),
  /** The elements are accepted; the answer is sent a few bytes at a time. */
  z.strictObject({
    kind: z.literal('drip'),
    bytes: z.number().int().min(1).default(1),
    everyMs: delayMs.default(200),
  }),
  /** 400 for a request with a matching element (`silent` validation: that element is dropped). */
  z.strictObject({
    kind: z.literal('refuse'),
    type: z.string().default('AttributeError'),
    message: z.string().optional(),
    attribute: z.string().optional(),
  }),
  z.strictObject({ kind: z.literal('body_ceiling'), bytes: z.number().int().min(1) }),
  z.strictObject({
    kind: z.literal('delay'),
    beforeMs: delayMs.default(0),
    afterMs: delayMs.default(0),
  }),
])
export type FaultAction = z.output<typeof action>

const faultSchema = z
  .strictObject({
    id: z.string().min(1).max(64).optional(),
    appId: z.string().min(1).optional(),
    endpoint: z.enum(ENDPOINTS).optional(),
    /** Applies to this number of matching requests. */
    count: z.number().int().min(1).optional(),
    /** Applies for this time from now. */
    durationMs: z.number().int().min(1).optional(),
    probability: z.number().gt(0).max(1).default(1),
    /** Applies to requests with a matching element. */
    when: predicate.optional(),
    action,
  })
  .refine((rule) => rule.action.kind !== 'refuse' || rule.when !== undefined, {
    path: ['when'],
    message: 'refuse needs a predicate',
  })
export type FaultInput = z.input<typeof faultSchema>
export type FaultRule = z.output<typeof faultSchema>

export function matches(element: unknown, { path, equals, contains }: Predicate): boolean {
  return reach(element, path.split('.')).some((found) => {
    if (found === undefined) return false
    if (equals !== undefined && found !== equals) return false
    return contains === undefined || (typeof found === 'string' && found.includes(contains))
  })
}

function reach(value: unknown, path: readonly string[]): unknown[] {
  if (Array.isArray(value)) return value.flatMap((item) => reach(item, path))
  const [name, ...rest] = path
  if (name === undefined) return [value]
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return []
  return reach((value as Readonly<Record<string, unknown>>)[name], rest)
}
