import { isUtf8 } from 'node:buffer'
import { ByteNames } from '../json/byte-names.js'
import { NotPlain, PlainCursor } from '../json/plain-cursor.js'
import { RULED_ATTRIBUTES } from '../validate/fields.js'
import {
  ARRAY_ENTRIES_KEPT,
  ATTRIBUTES_PER_EVENT,
  NAME_CHARACTERS,
  NESTING_LEVELS,
  VALUE_CHARACTERS_KEPT,
} from '../validate/limits.js'
import { RESERVED_PREFIX } from '../validate/names.js'
import type { Json } from '../validate/subject.js'
import type { Endpoint, ParsedElement } from './parse.js'

/** Beyond these validation has something to say, or looks at everything. */
const BOUNDS = {
  levels: NESTING_LEVELS,
  nameBytes: NAME_CHARACTERS,
  stringBytes: VALUE_CHARACTERS_KEPT,
  items: ARRAY_ENTRIES_KEPT,
  members: ATTRIBUTES_PER_EVENT,
}

const ROOT_MEMBERS = new ByteNames(['type', 'elements'])
const ELEMENT_MEMBERS = new ByteNames([
  'type',
  'customer_id',
  'device_id',
  'user_identifiers',
  'update_existing_only',
  'platforms',
  'attributes',
  'actions',
])
const ACTION_MEMBERS = new ByteNames([
  'action',
  'platform',
  'app_version',
  'moe_os_type',
  'current_time',
  'user_time',
  'user_timezone_offset',
  'attributes',
])
const ATTRIBUTES = new ByteNames(RULED_ATTRIBUTES)

/**
 * Reads a body without making values of what no rule looks at, which is most of it: the elements are
 * what `parseBody` gives, less those members. Null: there is something in it that `parseBody` has to
 * see, such as whatever is wrong with it.
 */
export function readSparse(
  body: Buffer,
  endpoint: Endpoint,
  maxElements: number,
): readonly ParsedElement[] | null {
  if (!isUtf8(body)) return null
  try {
    const cursor = new PlainCursor(body, BOUNDS)
    cursor.passSpace()
    const elements =
      endpoint === 'transition' ? readRoot(cursor, maxElements) : [readPlaced(cursor)]
    cursor.end()
    return elements
  } catch (error) {
    if (error instanceof NotPlain) return null
    throw error
  }
}

/** The elements of a list; null: it is refused. */
function readRoot(cursor: PlainCursor, maxElements: number): ParsedElement[] | null {
  let type: unknown
  let elements: ParsedElement[] = []
  cursor.openObject()
  while (cursor.nextMember()) {
    const name = cursor.nameOf(ROOT_MEMBERS)
    if (name === 'type') type = cursor.value()
    else if (name === 'elements') elements = readElements(cursor, maxElements)
    else cursor.pass()
  }
  const isTaken = type === 'transition' && elements.length > 0
  return isTaken ? elements : null
}

function readElements(cursor: PlainCursor, max: number): ParsedElement[] {
  const elements: ParsedElement[] = []
  cursor.openArray()
  while (cursor.nextItem()) {
    if (elements.length === max) throw new NotPlain()
    elements.push(readPlaced(cursor))
  }
  return elements
}

/** An element with its place. */
function readPlaced(cursor: PlainCursor): ParsedElement {
  const start = cursor.at
  const before = cursor.whitespace
  const value = readElement(cursor)
  const whitespace = cursor.whitespace - before
  return {
    value,
    span: { start, end: cursor.at, whitespace, members: 0, badEscapes: 0 },
    survey: PLAIN,
  }
}

/** No name stands twice and nothing is long. */
const PLAIN = { members: 0, oversized: false }

function readElement(cursor: PlainCursor): Json {
  const element: Record<string, unknown> = {}
  cursor.openObject()
  while (cursor.nextMember()) {
    const name = cursor.nameOf(ELEMENT_MEMBERS)
    if (name === undefined) cursor.pass()
    else if (name === 'attributes') element.attributes = readAttributes(cursor)
    else if (name === 'actions') element.actions = readActions(cursor)
    else element[name] = cursor.value()
  }
  return element
}

function readActions(cursor: PlainCursor): unknown {
  if (!cursor.isAtArray) return cursor.value()
  const actions: unknown[] = []
  cursor.openArray()
  while (cursor.nextItem()) actions.push(cursor.isAtObject ? readAction(cursor) : cursor.value())
  return actions
}

function readAction(cursor: PlainCursor): Json {
  const action: Record<string, unknown> = {}
  cursor.openObject()
  while (cursor.nextMember()) {
    const name = cursor.nameOf(ACTION_MEMBERS)
    if (name === undefined) cursor.pass()
    else if (name === 'attributes') action.attributes = readAttributes(cursor)
    else action[name] = cursor.value()
  }
  return action
}

/** Those that a rule is about, in users, devices or events; names that are reserved are left to `parseBody`. */
function readAttributes(cursor: PlainCursor): unknown {
  if (!cursor.isAtObject) return cursor.value()
  const attributes: Record<string, unknown> = {}
  cursor.openObject()
  while (cursor.nextMember()) {
    const name = cursor.nameOf(ATTRIBUTES)
    if (name !== undefined) attributes[name] = cursor.value()
    else if (cursor.nameStartsWith(RESERVED_PREFIX)) throw new NotPlain()
    else cursor.pass()
  }
  return attributes
}
