import { z } from 'zod'
import {
  DEAD_LETTER_REASONS,
  type DeadLetterFilter,
  type DeadLetter,
} from '@relay/shared/dead-letters/dead-letter.js'
import { customerKey } from '@relay/shared/identity.js'
import { parseRequestId } from '@relay/shared/request-id.js'
import { identityOfCustomerId } from '../identity/identity.js'
import { invalid } from './answer.js'
import type { DeadLetterStore } from '@relay/shared/dead-letters/dead-letter-store.js'

/** Letters named one by one, or those of some workspaces that match. */
export type Selection =
  | { readonly by: 'ids'; readonly ids: readonly string[] }
  | {
      readonly by: 'filter'
      /** null: all workspaces. */
      readonly appId: string | null
      readonly filter: DeadLetterFilter
    }

export interface ListQuery {
  readonly appId: string | null
  readonly filter: DeadLetterFilter
  readonly limit: number
  readonly cursor: string | null
}

const LIMIT = 100
const MAX_LIMIT = 1_000
const MAX_IDS = 10_000

/** ISO 8601, epoch seconds or milliseconds; digits alone are seconds below the year 5138. */
const time = z.union([z.string(), z.number()]).transform((given, context): number => {
  const text = String(given)
  const atMs = /^\d+(\.\d+)?$/.test(text)
    ? Number(text) * (Number(text) < 1e11 ? 1000 : 1)
    : Date.parse(text)
  if (Number.isNaN(atMs)) {
    context.addIssue('is not a valid time; use ISO 8601 or epoch seconds')
    return z.NEVER
  }
  return Math.floor(atMs)
})

const filterFields = {
  app_id: z.string().min(1, 'is empty').optional(),
  reason: z
    .enum(DEAD_LETTER_REASONS, `must be one of ${DEAD_LETTER_REASONS.join(', ')}`)
    .optional(),
  customer_id: z.string().min(1, 'is empty').optional(),
  request_id: z
    .string()
    .refine((text) => parseRequestId(text) !== null, 'is not a request id')
    .optional(),
  since: time.optional(),
}

const limit = z
  .string()
  .regex(/^\d{1,6}$/, 'is not a whole number')
  .transform(Number)
  .refine((n) => n >= 1 && n <= MAX_LIMIT, `must be from 1 to ${String(MAX_LIMIT)}`)
  .default(LIMIT)

const auditSchema = z.strictObject({ limit })

const querySchema = z.strictObject({
  ...filterFields,
  limit,
  cursor: z.string().optional(),
})

const selectionSchema = z.strictObject({
  ...filterFields,
  ids: z
    .array(z.string().min(1))
    .min(1, 'is empty')
    .max(MAX_IDS, `has more than ${String(MAX_IDS)}`)
    .optional(),
})

type FilterFields = z.infer<typeof selectionSchema>

/** The list's query; throws a refusal that names the field. */
export function parseListQuery(query: unknown): ListQuery {
  const fields = parse(querySchema, query)
  return {
    appId: fields.app_id ?? null,
    filter: filterOf(fields),
    limit: fields.limit,
    cursor: fields.cursor ?? null,
  }
}

/** The query of the audit; throws a refusal that names the field. */
export function parseAuditQuery(query: unknown): { limit: number } {
  return parse(auditSchema, query)
}

/** The body of replay and purge; throws a refusal that names the field. */
export function parseSelection(body: unknown): Selection {
  const fields = parse(selectionSchema, body)
  const { ids, ...rest } = fields
  const named = Object.values(rest).some((value) => value !== undefined)
  if (ids !== undefined) {
    if (named) throw invalid('ids', 'ids cannot be combined with filter fields')
    return { by: 'ids', ids }
  }
  if (!named) {
    throw invalid('ids', 'The body selects nothing: use ids or filter fields such as app_id')
  }
  return { by: 'filter', appId: fields.app_id ?? null, filter: filterOf(fields) }
}

function filterOf({ reason, customer_id, request_id, since }: FilterFields): DeadLetterFilter {
  const customer =
    customer_id === undefined
      ? null
      : Buffer.from(customerKey(identityOfCustomerId(customer_id)), 'latin1').toString('hex')
  return {
    reason: reason ?? null,
    customer,
    requestId: request_id ?? null,
    sinceMs: since ?? null,
  }
}

function parse<S extends z.ZodType>(schema: S, input: unknown): z.infer<S> {
  const parsed = schema.safeParse(input ?? {})
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  if (issue?.code === 'unrecognized_keys') {
    const field = issue.keys[0] ?? ''
    throw invalid(field, `unknown field ${field}`)
  }
  const field = issue?.path[0] === undefined ? 'body' : String(issue.path[0])
  const problem = issue?.message ?? 'is not valid'
  throw invalid(
    field,
    `${field} ${problem.startsWith('Invalid') ? `is not valid: ${problem}` : problem}`,
  )
}

/** Letters per step. */
const STEP = 500

/**
 * The selected letters of each workspace in the order they died, in steps. Letters that die after
 * the start are left out; otherwise letters that return at once would keep it running permanently.
 */
export async function* selected(
  letters: DeadLetterStore,
  appIds: readonly string[],
  selection: Selection,
): AsyncGenerator<readonly DeadLetter[]> {
  if (selection.by === 'ids') {
    const all = await letters.get(selection.ids)
    for (let at = 0; at < all.length; at += STEP) yield all.slice(at, at + STEP)
    return
  }
  const bounds = await Promise.all(appIds.map((appId) => letters.newestOrder(appId)))
  for (const [i, appId] of appIds.entries()) {
    const upTo = bounds[i] ?? 0
    let after: number | null = null
    do {
      const page = await letters.page(appId, {
        ...{ filter: selection.filter, first: 'oldest', after, upTo, limit: STEP },
      })
      if (page.letters.length > 0) yield page.letters.map(({ letter }) => letter)
      after = page.next
    } while (after !== null)
  }
}
