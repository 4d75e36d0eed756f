import { validateHeaderName, validateHeaderValue } from 'node:http'
import { z } from 'zod'
import { ROW_NAMES } from '../vendor/answers.js'
import { ENDPOINTS } from '../vendor/body.js'

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
export type Predicate = z.output<typeof predicate>

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

export const faultSchema = z
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
