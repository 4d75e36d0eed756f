import { isUtf8 } from 'node:buffer'
import { ADD_TO_ARRAY, REMOVE_FROM_ARRAY } from '@relay/shared/vendor/user-attributes.js'
import { ByteNames } from '../json/byte-names.js'
import { NotPlain, PlainCursor } from '../json/plain-cursor.js'
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
import { RESERVED_PREFIX, RESERVED_USER_PREFIX } from '../validate/names.js'
import type { Json } from '../validate/subject.js'
import { STANDARD_VOCABULARY, type Vocabulary } from '../validate/vocabulary.js'
import type { ParsedElement, Wanted } from './parse.js'

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

/**
 * Reads a body and decodes only the members that rules use. The elements equal those of `parseBody`
 * without the other members. Null if `parseBody` has to read the body, for example because it is
 * invalid.
 */
export function readSparse(
  body: Buffer,
  endpoint: Wanted,
  maxElements: number,
  names: Vocabulary = STANDARD_VOCABULARY,
): readonly ParsedElement[] | null {
  if (!isUtf8(body)) return null
  try {
    const cursor = new PlainCursor(body, BOUNDS)
    cursor.passSpace()
    const ruled = ruledAttributes(names)
    if (endpoint === 'transition') {
      const elements = readRoot(cursor, maxElements, ruled)
      cursor.end()
      return elements
    }
    const element = readPlaced(cursor, ruled)
    cursor.end()
    // An element of another type is refused by the rules of the expected type.
    return endpoint === 'line' || element.type === endpoint ? [element.read] : null
  } catch (error) {
    if (error instanceof NotPlain) return null
    throw error
  }
}

/** The elements of a list; null: it is refused. */
function readRoot(
  cursor: PlainCursor,
  maxElements: number,
  ruled: ByteNames<string>,
): ParsedElement[] | null {
  let type: unknown
  let elements: ParsedElement[] = []
  cursor.openObject()
  while (cursor.nextMember()) {
    const name = cursor.nameOf(ROOT_MEMBERS)
    if (name === 'type') type = cursor.value()
    else if (name === 'elements') elements = readElements(cursor, maxElements, ruled)
    else cursor.pass()
  }
  const isTaken = type === 'transition' && elements.length > 0
  return isTaken ? elements : null
}

function readElements(
  cursor: PlainCursor,
  maxElements: number,
  ruled: ByteNames<string>,
): ParsedElement[] {
  const elements: ParsedElement[] = []
  cursor.openArray()
  while (cursor.nextItem()) {
    if (elements.length === maxElements) throw new NotPlain()
    elements.push(readPlaced(cursor, ruled).read)
  }
  return elements
}

/** An element with its position and type. */
function readPlaced(cursor: PlainCursor, ruled: ByteNames<string>) {
  const start = cursor.at
  const before = cursor.whitespace
  const value = readElement(cursor, ruled)
  const whitespace = cursor.whitespace - before
  const span = { start, end: cursor.at, whitespace, members: 0, badEscapes: 0 }
  const read: ParsedElement = { value, span, survey: PLAIN }
  return { read, type: value.type }
}

/** No name occurs twice and nothing is long. */
const PLAIN = { members: 0, oversized: false }

function readElement(cursor: PlainCursor, ruled: ByteNames<string>): Json {
  const element: Record<string, unknown> = {}
  let isTypeLast = false
  cursor.openObject()
  while (cursor.nextMember()) {
    const name = cursor.nameOf(ELEMENT_MEMBERS)
    // The attributes to unset are compared with all attributes.
    if (name === undefined || name === 'unset_attributes') throw new NotPlain()
    if (name === 'attributes') {
      isTypeLast = element.type === undefined
      element.attributes = readAttributes(cursor, ruled, element.type === 'device')
    } else if (name === 'actions') element.actions = readActions(cursor, ruled)
    else element[name] = cursor.value()
  }
  if (isTypeLast && element.type === 'device') throw new NotPlain()
  return element
}

function readActions(cursor: PlainCursor, ruled: ByteNames<string>): unknown {
  if (!cursor.isAtArray) return cursor.value()
  const actions: unknown[] = []
  cursor.openArray()
  while (cursor.nextItem()) {
    actions.push(cursor.isAtObject ? readAction(cursor, ruled) : cursor.value())
  }
  return actions
}

function readAction(cursor: PlainCursor, ruled: ByteNames<string>): Json {
  const action: Record<string, unknown> = {}
  cursor.openObject()
  while (cursor.nextMember()) {
    const name = cursor.nameOf(ACTION_MEMBERS)
    if (name === undefined) throw new NotPlain()
    if (name === 'attributes' && !cursor.isAtNull) {
      action.attributes = readAttributes(cursor, ruled, false)
    } else if (cursor.isAtNull) throw new NotPlain()
    else action[name] = cursor.value()
  }
  return action
}

/** The attributes that rules use; reserved names are left to `parseBody`. */
function readAttributes(
  cursor: PlainCursor,
  ruled: ByteNames<string>,
  isOfDevice: boolean,
): unknown {
  if (!cursor.isAtObject) return cursor.value()
  const attributes: Record<string, unknown> = {}
  cursor.openObject()
  while (cursor.nextMember()) {
    const name = cursor.nameOf(ruled)
    // Attributes whose values are added or removed are compared with all attributes.
    if (name === ADD_TO_ARRAY || name === REMOVE_FROM_ARRAY) throw new NotPlain()
    if (name !== undefined) attributes[name] = cursor.value()
    else if (isReserved(cursor)) throw new NotPlain()
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

function isReserved(cursor: PlainCursor): boolean {
  return cursor.nameStartsWith(RESERVED_PREFIX) || cursor.nameStartsWith(RESERVED_USER_PREFIX)
}
