/** Names of events and attributes that a workspace was sent, as the census keeps them. */

/** Types of values as MoEngage tells them apart; a text with a date is a text here. */
export const NAME_TYPES = ['text', 'number', 'boolean', 'array', 'object'] as const
export type NameType = (typeof NAME_TYPES)[number]

/**
 * Names per workspace; a new one beyond that is silently blocked. help, data-tracking-policies. A
 * Portfolio workspace has 1,024 events and 1,024 user attributes.
 */
export const NAME_LIMITS = {
  events: 512,
  userAttributes: 256,
  ofPortfolio: 1_024,
  eventAttributes: 100,
  /** Attributes of type object: of users, and of events. help, object data type. */
  userObjects: 10,
  eventObjects: 5,
} as const

/** What a name belongs to. */
export type NameScope =
  | { readonly of: 'events' }
  | { readonly of: 'user' }
  | { readonly of: 'event'; readonly event: string }

/** Why a name may be a mistake. */
export type NameDoubt =
  { readonly why: 'beyond' | 'objects' } | { readonly why: 'lookalike'; readonly of: string }

export interface NameRecord {
  readonly scope: NameScope
  readonly name: string
  /** Days since 1970 UTC. */
  readonly firstDay: number
  /** In the order in which they were seen; empty for events. */
  readonly types: readonly NameType[]
  /** Who sent it first. */
  readonly producer: string
  readonly doubt: NameDoubt | null
}

const DAY_MS = 86_400_000

export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS)
}

/** `2026-11-29`. */
export function dayText(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}

/** Cannot be part of a name: texts with NUL are refused. */
const NUL = '\0'

/** The name of a record in Redis. */
export function fieldOf({ scope, name }: Pick<NameRecord, 'scope' | 'name'>): string {
  switch (scope.of) {
    case 'events':
      return `e${name}`
    case 'user':
      return `u${name}`
    case 'event':
      return `a${scope.event}${NUL}${name}`
  }
}

const MARKS = { beyond: '!', objects: '#' } as const

/** Its text in Redis. */
export function textOf({ firstDay, types, producer, doubt }: NameRecord): string {
  const letters = types.map((type) => type.charAt(0)).join('')
  const why = doubt === null ? '' : doubt.why === 'lookalike' ? `~${doubt.of}` : MARKS[doubt.why]
  return [String(firstDay), letters, producer.replaceAll('\t', ' '), why].join('\t')
}

/** A record as Redis has it; null: something else. */
export function recordOf(field: string, text: string): NameRecord | null {
  const rest = field.slice(1)
  const nul = rest.indexOf(NUL)
  const [day = '', letters = '', producer = '', ...why] = text.split('\t')
  const scope = scopeOf(field.charAt(0), rest.slice(0, Math.max(0, nul)))
  if (scope === null || !/^\d+$/.test(day)) return null
  const types = Array.from(letters).flatMap((letter) =>
    NAME_TYPES.filter((t) => t.startsWith(letter)),
  )
  const name = scope.of === 'event' ? rest.slice(nul + 1) : rest
  return { scope, name, firstDay: Number(day), types, producer, doubt: doubtOf(why.join('\t')) }
}

function scopeOf(letter: string, event: string): NameScope | null {
  if (letter === 'e') return { of: 'events' }
  if (letter === 'u') return { of: 'user' }
  return letter === 'a' ? { of: 'event', event } : null
}

function doubtOf(text: string): NameDoubt | null {
  if (text === MARKS.beyond) return { why: 'beyond' }
  if (text === MARKS.objects) return { why: 'objects' }
  return text.startsWith('~') ? { why: 'lookalike', of: text.slice(1) } : null
}
