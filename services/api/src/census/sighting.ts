import { NAME_TYPES, type NameType } from '@relay/shared/census/name-record.js'
import { ADD_TO_ARRAY, REMOVE_FROM_ARRAY } from '@relay/shared/vendor/user-attributes.js'
import { isObject, type Json } from '../validate/findings.js'
import { NO_TYPE, scopeOf, TYPE_CODES, USER, type NameTable } from './name-table.js'

/** A name of an element that the census does not know, or has something to say about. */
export interface Sighting {
  /** Name of the event, and its place in `actions`; null: an attribute of a user. */
  readonly event: { readonly name: string; readonly position: number } | null
  /** Name of the attribute; null: the event itself. */
  readonly attribute: string | null
  /** Null: unknown, as of `null`. */
  readonly type: NameType | null
}

/** Sightings of one element, at most: the census is a hint. Names beyond come with later elements. */
const MAX_SIGHTINGS = 200

export function typeOfCode(code: number): NameType | null {
  return code === NO_TYPE ? null : (NAME_TYPES[code - 1] ?? null)
}

/** What the census wants to know of a parsed element. */
export function sightingsIn(element: Json, table: NameTable): Sighting[] {
  const found: Sighting[] = []
  if (element.type === 'customer' && isObject(element.attributes)) {
    seeAttributes(element.attributes, null, USER, table, found)
  }
  if (element.type !== 'event' || !Array.isArray(element.actions)) return found
  element.actions.forEach((action: unknown, position) => {
    if (!isObject(action) || typeof action.action !== 'string') return
    const event = { name: action.action, position }
    const index = table.findEvent(event.name)
    if (index < 0 || !table.isQuiet(index, NO_TYPE)) add(found, event, null, null)
    if (isObject(action.attributes)) {
      seeAttributes(action.attributes, event, index < 0 ? null : scopeOf(index), table, found)
    }
  })
  return found
}

/** `scope` null: the event is unknown, and so are all its attributes. */
function seeAttributes(
  attributes: Json,
  event: Sighting['event'],
  scope: number | null,
  table: NameTable,
  found: Sighting[],
): void {
  for (const name in attributes) {
    const value = attributes[name]
    if (event === null && (name === ADD_TO_ARRAY || name === REMOVE_FROM_ARRAY)) {
      if (isObject(value)) seeAttributes(value, null, scope, table, found)
      continue
    }
    const type = typeOf(value)
    const index = scope === null ? -1 : table.findText(name, scope)
    const isQuiet = index >= 0 && table.isQuiet(index, type === null ? NO_TYPE : TYPE_CODES[type])
    if (!isQuiet) add(found, event, name, type)
  }
}

function add(
  found: Sighting[],
  event: Sighting['event'],
  attribute: string | null,
  type: NameType | null,
): void {
  if (found.length < MAX_SIGHTINGS) found.push({ event, attribute, type })
}

function typeOf(value: unknown): NameType | null {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'string') return 'text'
  if (typeof value === 'number') return 'number'
  if (typeof value === 'boolean') return 'boolean'
  return isObject(value) ? 'object' : null
}
