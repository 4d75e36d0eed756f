import type { Element } from '@relay/shared/element.js'
import { NAME_CHARACTERS } from '@relay/shared/vendor/limits.js'
import {
  ADD_TO_ARRAY,
  CREATE_ONLY_ATTRIBUTES,
  IDENTIFIER_ATTRIBUTES,
  REMOVE_FROM_ARRAY,
} from '@relay/shared/vendor/user-attributes.js'
import { membersAt, nameOf, type MemberSpan } from './json-members.js'

/** A user attribute: its name with escapes resolved, and its own bytes. */
export interface Attribute {
  readonly name: string
  /** Equal for names that a lax reader could take for one. */
  readonly key: string
  /** `"name":value`. */
  readonly text: Buffer
  readonly value: Buffer
}

/** An element in three parts: `head`, what coalescing joins, `tail`. */
interface Frame {
  /** Up to and including the bracket that opens `attributes` or `actions`. */
  readonly head: Buffer
  /** From the bracket that closes it. */
  readonly tail: Buffer
}

export interface UserShape extends Frame {
  readonly kind: 'user'
  readonly attributes: readonly Attribute[]
  /** Its identifiers and their values, in one order: equal for equal ones. */
  readonly identifiers: string
}

export interface EventShape extends Frame {
  readonly kind: 'event'
  /** The entries of `actions`, as they stand there. */
  readonly actions: Buffer
}

/** What coalescing looks at in an element. */
export type Shape = UserShape | EventShape

/** Members whose meaning is documented; with any other an element is left alone. openapi. */
const USER_MEMBERS = new Set([
  'type',
  'customer_id',
  'update_existing_only',
  'platforms',
  'attributes',
])
const EVENT_MEMBERS = new Set(['type', 'customer_id', 'device_id', 'user_identifiers', 'actions'])

/**
 * Attributes that keep their update to themselves: operators change what is there instead of
 * setting it, and what cannot be updated later may take the rest of its update along.
 */
const LONERS = new Set([ADD_TO_ARRAY, REMOVE_FROM_ARRAY, ...CREATE_ONLY_ATTRIBUTES])
const IDENTIFIERS = new Set(IDENTIFIER_ATTRIBUTES)

const known = new WeakMap<Element, Shape | null>()

/**
 * The shape of an element, scanned once; null when it must travel as it is. Devices do: nothing
 * says what MoEngage keeps of a push token that was replaced.
 */
export function shapeOf(element: Element): Shape | null {
  const before = known.get(element)
  if (before !== undefined) return before
  const shape = scan(element)
  known.set(element, shape)
  return shape
}

function scan({ kind, json }: Element): Shape | null {
  switch (kind) {
    case 'user':
      return userShape(json)
    case 'event':
      return eventShape(json)
    case 'device':
      return null
  }
}

function userShape(json: Buffer): UserShape | null {
  const member = joinedMember(json, USER_MEMBERS, 'attributes')
  const object = member === null ? null : membersAt(json, member.value)
  if (member === null || object === null) return null
  const attributes: Attribute[] = []
  const keys = new Set<string>()
  for (const span of object.members) {
    const name = nameOf(json, span)
    const key = name.normalize('NFKC').trim().toLowerCase()
    if (!mayJoin(name) || keys.has(key)) return null
    keys.add(key)
    const value = json.subarray(span.value, span.end)
    attributes.push({ name, key, text: json.subarray(span.start, span.end), value })
  }
  const identifiers = attributes.filter(({ name }) => IDENTIFIERS.has(name))
  return {
    kind: 'user',
    head: json.subarray(0, member.value + 1),
    tail: json.subarray(object.close),
    attributes,
    identifiers: identifiers
      .map(({ text }) => text.toString('latin1'))
      .sort()
      .join(),
  }
}

/** Dots and dollars can be paths or operators behind the API; a name that is cut is two at once. */
function mayJoin(name: string): boolean {
  const { length } = name
  return length > 0 && length <= NAME_CHARACTERS && !/[.$]/.test(name) && !LONERS.has(name)
}

function eventShape(json: Buffer): EventShape | null {
  const member = joinedMember(json, EVENT_MEMBERS, 'actions')
  if (member === null || json[member.value] !== 0x5b) return null
  const actions = json.subarray(member.value + 1, member.end - 1)
  if (actions.length === 0) return null
  return {
    kind: 'event',
    head: json.subarray(0, member.value + 1),
    tail: json.subarray(member.end - 1),
    actions,
  }
}

/** The member of the root object that has this name, if the others are known and stand once. */
function joinedMember(
  json: Buffer,
  allowed: ReadonlySet<string>,
  wanted: string,
): MemberSpan | null {
  const root = membersAt(json, 0)
  if (root?.close !== json.length - 1) return null
  const names = new Set<string>()
  let found: MemberSpan | null = null
  for (const span of root.members) {
    const name = nameOf(json, span)
    if (!allowed.has(name) || names.has(name)) return null
    names.add(name)
    if (name === wanted) found = span
  }
  return found
}
