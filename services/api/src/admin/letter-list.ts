import type { DeadLetter } from '@relay/shared/dead-letters/dead-letter.js'
import type { DeadLetterStore, KeptLetter } from '@relay/shared/dead-letters/dead-letter-store.js'
import { invalid } from './answer.js'
import type { ListQuery } from './selection.js'

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
    .map(([name, value]) => `${name}=${String(value)}`)
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
  return `${String(order)}.${appId}`
}

function readCursor(text: string): Position {
  const match = /^(\d{1,16})\.([A-Za-z0-9_-]{1,64})$/.exec(text)
  if (!match) throw invalid('cursor', 'cursor is invalid; use next_cursor of a list')
  return { order: Number(match[1]), appId: match[2] ?? '' }
}
