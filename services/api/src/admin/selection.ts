import { z } from 'zod'
import type { DeadLetterStore, KeptLetter } from '@relay/shared/dead-letters/dead-letter-store.js'
import {
  DEAD_LETTER_REASONS,
  type DeadLetterFilter,
  type DeadLetter,
} from '@relay/shared/dead-letters/dead-letter.js'
import { customerKey } from '@relay/shared/identity.js'
import { parseRequestId } from '@relay/shared/request-id.js'
import { invalid } from './answer.js'
import { identityOfCustomerId } from '../accept/identity.js'

/** Letters named one by one, or those of some workspaces that match. */
export type Selection =
  | { readonly by: 'ids'; readonly ids: readonly string[] }
  | {
      readonly by: 'filter'
      /** null: all workspaces. */
      readonly appId: string | null
      readonly filter: DeadLetterFilter
    }

interface ListQuery {
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
  .refine((n) => n >= 1 && n <= MAX_LIMIT, `must be from 1 to ${MAX_LIMIT}`)
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
    .max(MAX_IDS, `has more than ${MAX_IDS}`)
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

/** The last letter of a page: workspace and order number, which is unique only within a workspace. */
interface Position {
  readonly order: number
  readonly appId: string
}

/** A page of dead letters of the given workspaces, newest first, as JSON text. */
export async function listLetters(
  letters: DeadLetterStore,
  appIds: readonly string[],
  { filter, limit, cursor }: ListQuery,
): Promise<string> {
  const from = cursor === null ? null : readCursor(cursor)
  const pages = await Promise.all(
    appIds.map((appId) =>
      letters.page(appId, { filter, first: 'newest', after: startOf(appId, from), limit }),
    ),
  )
  const found = pages.flatMap((page) => page.letters)
  found.sort((a, b) => compare(positionOf(a), positionOf(b)))
  // Beyond the position up to which a workspace was read, younger letters may be missing.
  const reached = pages.flatMap(({ next }, i) =>
    next === null ? [] : [{ order: next, appId: appIds[i] ?? '' }],
  )
  const nearest = reached.sort(compare)[0]
  const sure = found.filter((kept) => !nearest || compare(positionOf(kept), nearest) <= 0)
  const shown = sure.slice(0, limit)
  const last = shown.at(-1)
  const more = sure.length > limit || nearest !== undefined
  const position = sure.length > limit && last ? positionOf(last) : nearest
  const next = more && position ? `"${writeCursor(position)}"` : 'null'
  const texts = shown.map(({ letter }) => letterJson(letter)).join(',')
  return `{"dead_letters":[${texts}],"next_cursor":${next}}`
}

/** A letter as the operator API shows it, with the element's text unchanged. */
export function letterJson(letter: DeadLetter): string {
  const { status, type, message, attribute, requestId = null } = letter.answer
  const facts = JSON.stringify({
    id: letter.id,
    app_id: letter.appId,
    lane: letter.lane,
    kind: letter.kind,
    reason: letter.reason,
    customer: customerOf(letter.element),
    answer: { status, type, message, attribute, request_id: requestId },
    attempts: letter.attempts,
    request_id: letter.requestId,
    ...(letter.projectCode === undefined ? {} : { project_code: letter.projectCode }),
    accepted_at: new Date(letter.acceptedAtMs).toISOString(),
    dead_at: new Date(letter.deadAtMs).toISOString(),
  })
  return `${facts.slice(0, -1)},"element":${letter.element}}`
}

/** The customer as the element names it; null if it names none. */
function customerOf(element: string): string | null {
  let parsed: unknown
  try {
    parsed = JSON.parse(element)
  } catch {
    return null
  }
  const { customer_id: id, user_identifiers: names } = (parsed ?? {}) as Record<string, unknown>
  if (typeof id === 'string' && id !== '') return id
  if (typeof names !== 'object' || names === null) return null
  return Object.entries(names)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ')
}

function positionOf({ order, letter }: KeptLetter): Position {
  return { order, appId: letter.appId }
}

/** Newest first; of equal order numbers by workspace. */
function compare(a: Position, b: Position): number {
  if (a.order !== b.order) return b.order - a.order
  return a.appId < b.appId ? -1 : a.appId > b.appId ? 1 : 0
}

function startOf(appId: string, from: Position | null): number | null {
  if (from === null) return null
  return appId > from.appId ? from.order + 1 : from.order
}

function writeCursor({ order, appId }: Position): string {
  return `${order}.${appId}`
}

function readCursor(text: string): Position {
  const match = /^(\d{1,16})\.([A-Za-z0-9_-]{1,64})$/.exec(text)
  if (!match) throw invalid('cursor', 'cursor is invalid; use next_cursor of a list')
  return { order: Number(match[1]), appId: match[2] ?? '' }
}
