import {
  dayOf,
  dayText,
  NAME_LIMITS,
  type NameDoubt,
  type NameRecord,
  type NameScope,
  type NameType,
} from '@relay/shared/census/name-record.js'
import { isStandardAttribute } from '@relay/shared/vendor/user-attributes.js'
import { apart } from '../json/byte-names.js'
import { NAME_CHARACTERS } from '../validate/limits.js'
import { RESERVED_PREFIX } from '../validate/names.js'
import type { RuleName } from '../validate/rules.js'
import { EVENTS, NameTable, NO_TYPE, scopeOf, TYPE_CODES, USER } from './name-table.js'
import type { Sighting } from './sighting.js'

/** Names kept of a workspace, twice what MoEngage takes of a Portfolio; own choice. */
const MAX_PER_SCOPE = 2_048
const MAX_PER_EVENT = 200
const MAX_NAMES = 8_192
/** Bytes of all names, each with its event's: bounds the memory of this process and of Redis. */
const MAX_BYTES = 1_000_000

/** Who posted, when, and whether for a project. */
export interface Posted {
  readonly producer: string
  readonly nowMs: number
  readonly projectCode: string | null
}

export interface NameFinding {
  readonly rule: RuleName
  readonly detail: string
}

/** The names that a workspace was sent. Pure. */
export class WorkspaceNames {
  readonly table = new NameTable()
  readonly #records: NameRecord[] = []
  /** By scope of the table: indexes of its names. */
  readonly #scopes = new Map<number, number[]>()
  /** Names of attributes that are objects, without standard ones. */
  readonly #objects = { user: 0, event: 0 }
  readonly #changed = new Set<number>()
  #bytes = 0

  /** What there is to say of a name; records it. */
  see(sighting: Sighting, posted: Posted): NameFinding | null {
    const { event, attribute, type } = sighting
    const name = attribute ?? event?.name ?? ''
    if (name.length > NAME_CHARACTERS) return null
    const named = namedScope(sighting)
    const scope = this.#scopeNumber(named)
    if (scope === null) return null
    const known = this.table.findText(name, scope)
    if (known >= 0) return this.#seeAgain(known, type, posted)
    const { producer, nowMs } = posted
    const record: NameRecord = {
      ...{ scope: named, name: apart(name), producer, doubt: null },
      firstDay: dayOf(nowMs),
      types: type === null ? [] : [type],
    }
    // Before it is compared with all others: beyond the bounds anything may come, in any number.
    if (!this.#hasRoom(record, scope)) {
      return scope === EVENTS || scope === USER ? beyond(scope, posted) : null
    }
    const index = this.#add({ ...record, doubt: this.#doubtOf(record, scope, posted) }, scope)
    this.#changed.add(index)
    return this.#findingOf(index, type, posted)
  }

  /** Takes a record as all apis know it, unless it was changed here since. */
  adopt(record: NameRecord): void {
    const { scope: named, name } = record
    const scope = this.#scopeNumber(named)
    if (scope === null) return
    const index = this.table.findText(name, scope)
    if (this.#changed.has(index)) return
    if (index >= 0) this.#put(index, record)
    else if (this.#hasRoom(record, scope)) this.#add(record, scope)
  }

  /** The records that were changed since the last call. */
  takeChanged(): NameRecord[] {
    const changed = [...this.#changed].flatMap((index) => this.#records[index] ?? [])
    this.#changed.clear()
    return changed
  }

  /** Records that could not be shared: they are changed still. */
  changedAgain(records: readonly NameRecord[]): void {
    for (const { scope: named, name } of records) {
      const scope = this.#scopeNumber(named)
      if (scope !== null) this.#changed.add(this.table.findText(name, scope))
    }
  }

  #scopeNumber(named: NameScope): number | null {
    if (named.of === 'events') return EVENTS
    if (named.of === 'user') return USER
    const event = this.table.findEvent(named.event)
    return event < 0 ? null : scopeOf(event)
  }

  #seeAgain(index: number, type: NameType | null, posted: Posted): NameFinding | null {
    const record = this.#records[index]
    if (record !== undefined && type !== null && !record.types.includes(type)) {
      this.#put(index, { ...record, types: [...record.types, type] })
      this.#changed.add(index)
    }
    return this.#findingOf(index, type, posted)
  }

  #findingOf(index: number, type: NameType | null, posted: Posted): NameFinding | null {
    const record = this.#records[index]
    if (record === undefined) return null
    const { doubt, types, firstDay, scope } = record
    const [first] = types
    switch (doubt?.why) {
      case 'beyond': {
        const number = this.#scopeNumber(scope)
        const others = this.#scopes.get(number ?? USER) ?? []
        return others.length > limitOf(number, posted) ? beyond(number, posted) : null
      }
      case 'objects': {
        const bound = scope.of === 'user' ? `${NAME_LIMITS.userObjects} user` : `${NAME_LIMITS.eventObjects} event` // prettier-ignore
        return { rule: 'objectsBeyond', detail: `${bound} attributes` }
      }
      case 'lookalike':
        return { rule: 'nameLookalike', detail: doubt.of }
      case undefined:
        if (type === null || first === undefined || type === first) return null
        return { rule: 'nameType', detail: `is ${type} here and was ${first} on ${dayText(firstDay)}` } // prettier-ignore
    }
  }

  #doubtOf(record: NameRecord, scope: number, posted: Posted): NameDoubt | null {
    if (isStandard(record)) return null
    const others = this.#scopes.get(scope) ?? []
    for (const index of others) {
      const known = this.#records[index]?.name ?? ''
      if (isLookalike(known, record.name)) return { why: 'lookalike', of: known }
    }
    if (others.length >= limitOf(scope, posted)) return { why: 'beyond' }
    const { userObjects, eventObjects } = NAME_LIMITS
    if (record.types[0] !== 'object') return null
    const isMore =
      scope === USER ? this.#objects.user >= userObjects : this.#objects.event >= eventObjects
    return isMore ? { why: 'objects' } : null
  }

  #hasRoom(record: NameRecord, scope: number): boolean {
    const max = scope === EVENTS || scope === USER ? MAX_PER_SCOPE : MAX_PER_EVENT
    if ((this.#scopes.get(scope)?.length ?? 0) >= max) return false
    return this.#records.length < MAX_NAMES && this.#bytes + bytesOf(record) <= MAX_BYTES
  }

  #add(record: NameRecord, scope: number): number {
    this.#bytes += bytesOf(record)
    const index = this.table.add(record.name, scope)
    if (!isStandard(record)) {
      const own = this.#scopes.get(scope)
      if (own === undefined) this.#scopes.set(scope, [index])
      else own.push(index)
    }
    this.#put(index, record)
    return index
  }

  #put(index: number, record: NameRecord): void {
    const had = this.#records[index]?.types.includes('object') ?? false
    if (!had && record.types.includes('object') && !isStandard(record)) {
      this.#objects[record.scope.of === 'user' ? 'user' : 'event'] += 1
    }
    this.#records[index] = record
    const [first] = record.types
    const known = first === undefined ? [NO_TYPE] : [NO_TYPE, TYPE_CODES[first]]
    this.table.setQuiet(index, record.doubt === null ? known : [])
  }
}

/** Names that MoEngage takes. A post for a project is to a Portfolio workspace. */
function limitOf(scope: number | null, { projectCode }: Posted): number {
  const { events, userAttributes, eventAttributes, ofPortfolio } = NAME_LIMITS
  if (scope !== EVENTS && scope !== USER) return eventAttributes
  if (projectCode !== null) return ofPortfolio
  return scope === EVENTS ? events : userAttributes
}

function beyond(scope: number | null, posted: Posted): NameFinding {
  const limit = limitOf(scope, posted)
  const detail =
    scope === EVENTS || scope === USER
      ? `the workspace has more than ${limit} ${scope === EVENTS ? 'events' : 'user attributes'}`
      : `this event name has more than ${limit} attribute names in this workspace`
  return { rule: 'namesBeyond', detail }
}

function bytesOf({ scope, name }: NameRecord): number {
  return Buffer.byteLength(name) + (scope.of === 'event' ? scope.event.length : 0)
}

/** Standard attributes have documented types, and do not count. */
function isStandard({ scope, name }: Pick<NameRecord, 'scope' | 'name'>): boolean {
  return scope.of === 'user' ? isStandardAttribute(name) : name.startsWith(RESERVED_PREFIX)
}

function namedScope({ event, attribute }: Sighting): NameScope {
  if (event === null) return { of: 'user' }
  return attribute === null ? { of: 'events' } : { of: 'event', event: event.name }
}

/** Shorter names often differ by one letter (`u_fn`, `u_ln`). Own choice, characters. */
const SHORTEST = 5

const DIGIT = /^\d?$/

/**
 * Whether one letter makes one name of the other: added, dropped, replaced, or swapped with the next. Names
 * that differ in a digit are a series (`item_1`, `item_2`), not a typing error.
 */
export function isLookalike(a: string, b: string): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a]
  if (short.length < SHORTEST || long.length - short.length > 1 || short === long) return false
  let at = 0
  while (at < short.length && short[at] === long[at]) at += 1
  const added = long.length > short.length
  if (DIGIT.test(long[at] ?? '') || (!added && DIGIT.test(short[at] ?? ''))) return false
  if (added) return short.slice(at) === long.slice(at + 1)
  if (short.slice(at + 1) === long.slice(at + 1)) return true
  const isSwapped = short[at] === long[at + 1] && short[at + 1] === long[at]
  return isSwapped && short.slice(at + 2) === long.slice(at + 2)
}
