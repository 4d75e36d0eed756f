import { isUtf8 } from 'node:buffer'
import { ADD_TO_ARRAY, REMOVE_FROM_ARRAY } from '@relay/shared/vendor/user-attributes.js'
import { NO_TYPE, scopeOf, USER, type NameTable } from '../census/name-table.js'
import { typeOfCode, type Sighting } from '../census/sighting.js'
import { ByteNames } from '../json/byte-names.js'
import { NameList, NotPlain, PlainCursor } from '../json/plain-cursor.js'
import { RULED_ATTRIBUTES } from '../validate/fields.js'
import {
  ARRAY_ENTRIES_KEPT,
  ATTRIBUTES_PER_EVENT,
  NAME_CHARACTERS,
  NESTING_LEVELS,
  OBJECT_BYTES_DOUBTFUL,
  OBJECT_LEVELS,
  VALUE_CHARACTERS_KEPT,
} from '../validate/limits.js'
import { KNOWN_ACTION_MEMBERS, KNOWN_ELEMENT_MEMBERS } from '../validate/members.js'
import {
  isLikeOperator,
  OPERATOR_BYTES,
  RESERVED_PREFIX,
  RESERVED_USER_PREFIX,
} from '../validate/names.js'
import type { Json } from '../validate/findings.js'
import { STANDARD_VOCABULARY, type Vocabulary } from '../validate/vocabulary.js'
import { parseBody, type ParsedElement, type Wanted, type ParsedBody } from './parse.js'

/** Beyond these limits a rule may apply, so the body is parsed in full. */
const BOUNDS = {
  levels: NESTING_LEVELS,
  nameBytes: NAME_CHARACTERS,
  stringBytes: VALUE_CHARACTERS_KEPT,
  items: ARRAY_ENTRIES_KEPT,
  members: ATTRIBUTES_PER_EVENT,
  objectLevels: OBJECT_LEVELS,
  objectBytes: OBJECT_BYTES_DOUBTFUL,
}

const ROOT_MEMBERS = new ByteNames(['type', 'elements'])
const ELEMENT_MEMBERS = new ByteNames(KNOWN_ELEMENT_MEMBERS)
const ACTION_MEMBERS = new ByteNames(KNOWN_ACTION_MEMBERS)
const ATTRIBUTES = new ByteNames(RULED_ATTRIBUTES)

const attributesOf = new WeakMap<Vocabulary, ByteNames<string>>()

/** Names of attributes that rules of a workspace use. */
function ruledAttributes(names: Vocabulary): ByteNames<string> {
  if (names === STANDARD_VOCABULARY) return ATTRIBUTES
  const before = attributesOf.get(names)
  if (before !== undefined) return before
  const all = new ByteNames([...RULED_ATTRIBUTES, ...names.identifying])
  attributesOf.set(names, all)
  return all
}

export interface Reading {
  readonly endpoint: Wanted
  readonly limits: { readonly maxElements: number }
  readonly names?: Vocabulary | undefined
  /** Names of which the census needs no word; absent: there is no census. */
  readonly known?: NameTable | undefined
}

/** Reads the members that rules use; falls back to a full parse if that is not enough. */
export function readBody(body: Buffer, reading: Reading): ParsedBody {
  const elements = readSparse(body, reading)
  if (elements !== null) return { ok: true, elements }
  return parseBody(body, reading.endpoint, reading.limits.maxElements)
}

/**
 * Reads a body and decodes only the members that rules use. The elements equal those of `parseBody`
 * without the other members. Null if `parseBody` has to read the body, for example because it is
 * invalid.
 */
export function readSparse(
  body: Buffer,
  { endpoint, limits, names = STANDARD_VOCABULARY, known }: Reading,
): readonly ParsedElement[] | null {
  if (!isUtf8(body)) return null
  try {
    const cursor = new PlainCursor(body, BOUNDS)
    cursor.passSpace()
    const looking: Looking = {
      ruled: ruledAttributes(names),
      known,
      seen: SEEN,
      found: [],
    }
    if (endpoint === 'transition') {
      const elements = readRoot(cursor, limits.maxElements, looking)
      cursor.end()
      return elements
    }
    const element = readPlaced(cursor, looking)
    cursor.end()
    // An element of another type is refused by the rules of the expected type.
    return endpoint === 'line' || element.type === endpoint ? [element.read] : null
  } catch (error) {
    if (error instanceof NotPlain) return null
    throw error
  }
}

/** One for all bodies: the reading of one is never interrupted. */
const SEEN = new NameList()

/** What is looked for in a body. */
interface Looking {
  /** Attributes that some rule is about. */
  readonly ruled: ByteNames<string>
  /** Names of which the census needs no word; absent: there is no census. */
  readonly known: NameTable | undefined
  /** Names of the attributes that were read last. */
  readonly seen: NameList
  /** What the census wants to know of the present element. */
  found: Sighting[]
}

/** The elements of a list; null: it is refused. */
function readRoot(
  cursor: PlainCursor,
  maxElements: number,
  looking: Looking,
): ParsedElement[] | null {
  let type: unknown
  let elements: ParsedElement[] = []
  cursor.openObject()
  while (cursor.nextMember()) {
    const name = cursor.nameOf(ROOT_MEMBERS)
    if (name === 'type') type = cursor.value()
    else if (name === 'elements') elements = readElements(cursor, maxElements, looking)
    else throw new NotPlain()
  }
  const isTaken = type === 'transition' && elements.length > 0
  return isTaken ? elements : null
}

function readElements(cursor: PlainCursor, maxElements: number, looking: Looking): ParsedElement[] {
  const elements: ParsedElement[] = []
  cursor.openArray()
  while (cursor.nextItem()) {
    if (elements.length === maxElements) throw new NotPlain()
    elements.push(readPlaced(cursor, looking).read)
  }
  return elements
}

/** An element with its place, and its type. */
function readPlaced(cursor: PlainCursor, looking: Looking) {
  const start = cursor.at
  const before = cursor.whitespace
  const value = readElement(cursor, looking)
  let sightings = NO_SIGHTINGS
  if (looking.found.length > 0) {
    sightings = looking.found
    looking.found = []
  }
  const whitespace = cursor.whitespace - before
  const span = { start, end: cursor.at, whitespace, members: 0, badEscapes: 0 }
  const read: ParsedElement = { value, span, survey: PLAIN, sightings }
  return { read, type: value.type }
}

/** What nearly every element has. */
const NO_SIGHTINGS: readonly Sighting[] = []

/** No name occurs twice and nothing is long. */
const PLAIN = { members: 0, oversized: false }

function readElement(cursor: PlainCursor, looking: Looking): Json {
  const element: Record<string, unknown> = {}
  let isTypeLast = false
  looking.seen.clear()
  cursor.openObject()
  while (cursor.nextMember()) {
    const name = cursor.nameOf(ELEMENT_MEMBERS)
    // The attributes to unset are compared with all attributes.
    if (name === undefined || name === 'unset_attributes') throw new NotPlain()
    if (name === 'attributes') {
      isTypeLast = element.type === undefined
      element.attributes = readAttributes(cursor, looking, element.type === 'device')
    } else if (name === 'actions') element.actions = readActions(cursor, looking)
    else element[name] = cursor.value()
  }
  if (isTypeLast && element.type === 'device') throw new NotPlain()
  if (element.type === 'customer') seeAttributes(cursor, looking, USER, null)
  return element
}

function readActions(cursor: PlainCursor, looking: Looking): unknown {
  if (!cursor.isAtArray) return cursor.value()
  const actions: unknown[] = []
  cursor.openArray()
  while (cursor.nextItem()) {
    const position = actions.length
    const isAction = cursor.isAtObject
    const action = isAction ? readAction(cursor, looking) : cursor.value()
    if (isAction) seeAction(cursor, looking, action as Json, position)
    actions.push(action)
  }
  return actions
}

function readAction(cursor: PlainCursor, looking: Looking): Json {
  looking.seen.clear()
  const action: Record<string, unknown> = {}
  cursor.openObject()
  while (cursor.nextMember()) {
    const name = cursor.nameOf(ACTION_MEMBERS)
    if (name === undefined) throw new NotPlain()
    if (name === 'attributes' && !cursor.isAtNull) {
      action.attributes = readAttributes(cursor, looking, false)
    } else if (cursor.isAtNull) throw new NotPlain()
    else action[name] = cursor.value()
  }
  return action
}

/** The attributes that rules use; reserved names are left to `parseBody`. */
function readAttributes(
  cursor: PlainCursor,
  { ruled, known, seen }: Looking,
  isOfDevice: boolean,
): unknown {
  seen.clear()
  if (!cursor.isAtObject) return cursor.value()
  const attributes: Record<string, unknown> = {}
  cursor.openObject()
  while (cursor.nextMember()) {
    const name = cursor.nameOf(ruled)
    if (known !== undefined) cursor.note(seen)
    // Whose values are added or removed is compared with all attributes.
    if (name === ADD_TO_ARRAY || name === REMOVE_FROM_ARRAY) throw new NotPlain()
    if (name !== undefined) attributes[name] = cursor.value()
    else if (isReserved(cursor) || isOperator(cursor)) throw new NotPlain()
    else {
      // Of a device's other attributes, only the names are checked.
      if (isOfDevice) nameOther(cursor.name, attributes)
      cursor.passAttribute()
    }
  }
  return attributes
}

function nameOther(name: string, attributes: Record<string, unknown>): void {
  if (name === '__proto__') throw new NotPlain()
  attributes[name] = true
}

/** An array operator in a wrong spelling; few attributes are objects or arrays. */
function isOperator(cursor: PlainCursor): boolean {
  if (!cursor.isAtObject && !cursor.isAtArray) return false
  return cursor.nameBytes >= OPERATOR_BYTES && isLikeOperator(cursor.name)
}

function isReserved(cursor: PlainCursor): boolean {
  return cursor.nameStartsWith(RESERVED_PREFIX) || cursor.nameStartsWith(RESERVED_USER_PREFIX)
}

/** The event of an action that was just read, and its attributes. */
function seeAction(
  cursor: PlainCursor,
  looking: Looking,
  { action: name }: Json,
  position: number,
): void {
  const { known } = looking
  if (known === undefined || typeof name !== 'string') return
  const index = known.findEvent(name)
  const isQuiet = index >= 0 && known.isQuiet(index, NO_TYPE)
  const scope = index < 0 ? UNKNOWN : scopeOf(index)
  if (isQuiet && known.isQuietShape(looking.seen.shape(scope))) return
  const event = { name, position }
  if (!isQuiet) looking.found.push({ event, attribute: null, type: null })
  seeAttributes(cursor, looking, scope, event)
}

/** Scope of attributes whose event is unknown, as they are themselves. */
const UNKNOWN = -1

/** The attributes that were read last. */
function seeAttributes(
  cursor: PlainCursor,
  { known, seen, found }: Looking,
  scope: number,
  event: Sighting['event'],
): void {
  if (known === undefined) return
  const shape = seen.shape(scope)
  if (known.isQuietShape(shape)) return
  const before = found.length
  for (let i = 0; i < seen.length; i++) {
    const type = seen.type(i)
    const index = scope === UNKNOWN ? -1 : cursor.findSeen(known, seen, i, scope)
    if (index >= 0 && known.isQuiet(index, type)) continue
    found.push({ event, attribute: cursor.seenName(seen, i), type: typeOfCode(type) })
  }
  if (found.length === before) known.addQuietShape(shape)
}
