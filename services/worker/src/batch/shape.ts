import type { Element } from '@relay/shared/element.js'
import { endOfString, endOfValue } from '@relay/shared/json/spans.js'
import { NAME_CHARACTERS } from '@relay/shared/vendor/limits.js'
import {
  ADD_TO_ARRAY,
  CREATE_ONLY_ATTRIBUTES,
  IDENTIFIER_ATTRIBUTES,
  isStandardAttribute,
  REMOVE_FROM_ARRAY,
} from '@relay/shared/vendor/user-attributes.js'

/** A user attribute, and where it stands. */
export interface Attribute extends MemberSpan {
  readonly json: Buffer
  readonly name: AttributeName
}

/** An element in three parts: `head`, the joined member, `tail`. */
interface Frame {
  /** Up to and including the bracket that opens `attributes` or `actions`. */
  readonly head: Buffer
  /** From the bracket that closes it. */
  readonly tail: Buffer
}

export interface UserShape extends Frame {
  readonly kind: 'user'
  /** By the name's key, in their order. */
  readonly attributes: ReadonlyMap<string, Attribute>
  /** Its identifiers and their values, in one order: equal for equal ones. */
  readonly identifiers: string
}

export interface EventShape extends Frame {
  readonly kind: 'event'
  /** The entries of `actions`, as they stand there. */
  readonly actions: Buffer
}

/** The parts of an element that coalescing reads. */
export type Shape = UserShape | EventShape

/** Documented members; an element with any other member is not coalesced. Source: openapi. */
const USER_MEMBERS = ['type', 'customer_id', 'update_existing_only', 'platforms', 'attributes']
const EVENT_MEMBERS = ['type', 'customer_id', 'device_id', 'user_identifiers', 'actions']

/** The shapes of a workspace's elements. */
export class Shapes {
  readonly #names: AttributeNames
  readonly #known = new WeakMap<Element, Shape | null>()

  /** `identifiers`: the workspace's own, beside the standard ones. */
  constructor(identifiers: readonly string[]) {
    this.#names = new AttributeNames(identifiers)
  }

  /**
   * The shape of an element, scanned once; null when it must be sent unchanged. Devices are sent unchanged,
   * because it is not documented what MoEngage keeps of a replaced push token.
   */
  of(element: Element): Shape | null {
    const before = this.#known.get(element)
    if (before !== undefined) return before
    const shape = this.#scan(element)
    this.#known.set(element, shape)
    return shape
  }

  #scan({ kind, json }: Element): Shape | null {
    switch (kind) {
      case 'user':
        return userShape(json, this.#names)
      case 'event':
        return eventShape(json)
      case 'device':
        return null
    }
  }
}

function userShape(json: Buffer, names: AttributeNames): UserShape | null {
  const member = joinedMember(json, USER_MEMBERS, 'attributes')
  if (member === null) return null
  const attributes = new Map<string, Attribute>()
  const identifiers: string[] = []
  const close = walkMembers(json, member.value, (start, value, end) => {
    const name = names.of(writtenName(json, start, value))
    if (!name.joins || attributes.has(name.key)) return false
    // How MoEngage compares an identifier that is a list or an object is not documented.
    if (name.identifies && isNested(json[value])) return false
    attributes.set(name.key, { json, start, value, end, name })
    if (name.identifies) identifiers.push(json.toString('latin1', start, end))
    return true
  })
  if (close < 0) return null
  return {
    kind: 'user',
    head: json.subarray(0, member.value + 1),
    tail: json.subarray(close),
    attributes,
    identifiers: identifiers.sort().join(),
  }
}

/** Whether a value that begins with this byte is a list or an object. */
export function isNested(first: number | undefined): boolean {
  return first === OPEN_BRACKET || first === OPEN_BRACE
}

function eventShape(json: Buffer): EventShape | null {
  const member = joinedMember(json, EVENT_MEMBERS, 'actions')
  if (member === null || json[member.value] !== OPEN_BRACKET) return null
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
function joinedMember(json: Buffer, allowed: readonly string[], wanted: string): MemberSpan | null {
  const names: string[] = []
  let found: MemberSpan | null = null
  const close = walkMembers(json, 0, (start, value, end) => {
    // One with escapes is not known by its name, and so left alone.
    const name = writtenName(json, start, value)
    if (!allowed.includes(name) || names.includes(name)) return false
    names.push(name)
    if (name === wanted) found = { start, value, end }
    return true
  })
  return close === json.length - 1 ? found : null
}

/** A member of an object in compact JSON: offsets in bytes, ends exclusive. */
interface MemberSpan {
  /** Of the opening quote of its name. */
  readonly start: number
  /** Of the first byte of its value. */
  readonly value: number
  readonly end: number
}

/** Takes a member; false: no more of them are wanted. */
type TakeMember = (start: number, value: number, end: number) => boolean

const QUOTE = 0x22
const COLON = 0x3a
const COMMA = 0x2c
const OPEN_BRACE = 0x7b
const OPEN_BRACKET = 0x5b
const CLOSE_BRACE = 0x7d

/**
 * Walks the members of the object that opens at `open`, in one pass over its bytes; returns the position
 * of its closing brace. `json` is valid and has no whitespace between the members, as queued by the
 * intake; otherwise, or when `take` refuses a member, it returns -1. It uses a callback and no list,
 * because this is the hot path.
 */
export function walkMembers(json: Buffer, open: number, take: TakeMember): number {
  if (json[open] !== OPEN_BRACE) return -1
  let at = open + 1
  if (json[at] === CLOSE_BRACE) return at
  for (;;) {
    if (json[at] !== QUOTE) return -1
    const colon = endOfString(json, at)
    if (json[colon] !== COLON) return -1
    const end = endOfValue(json, colon + 1)
    if (!take(at, colon + 1, end)) return -1
    if (json[end] === CLOSE_BRACE) return end
    if (json[end] !== COMMA) return -1
    at = end + 1
  }
}

/** The name of a member as it stands there, without the quotes; escapes are not resolved. */
export function writtenName(json: Buffer, start: number, value: number): string {
  return json.toString('utf8', start + 1, value - 2)
}

/** Properties of a user attribute's name that coalescing needs. */
interface AttributeName {
  /** With escapes resolved: `"a"` and `"\u0061"` are one name. */
  readonly name: string
  /** Equal for names that a lax reader could take for one. */
  readonly key: string
  /** Whether an update with it may be joined with another at all. */
  readonly joins: boolean
  /** Whether its value can name a user, to any reader. */
  readonly identifies: boolean
  /** Whether it has a special meaning at MoEngage. */
  readonly standard: boolean
}

/**
 * Attributes whose update is never joined: operators modify the present value instead of setting it, and
 * an attribute that cannot be updated later may make MoEngage reject the rest of its update.
 */
const LONERS = new Set([ADD_TO_ARRAY, REMOVE_FROM_ARRAY, ...CREATE_ONLY_ATTRIBUTES])
/** MoEngage allows a workspace 256 attributes; names are forgotten beyond this many. */
const MAX_KNOWN = 10_000

/** The user attributes of a workspace. */
export class AttributeNames {
  readonly #known = new Map<string, AttributeName>()
  readonly #identifiers: ReadonlySet<string>

  /** `identifiers`: the workspace's own, beside the standard ones. */
  constructor(identifiers: readonly string[]) {
    this.#identifiers = new Set([...identifiers, ...IDENTIFIER_ATTRIBUTES].map(keyOf))
  }

  /** The name that stands so, without its quotes, in JSON. Names recur, so each is looked at once. */
  of(written: string): AttributeName {
    const before = this.#known.get(written)
    if (before !== undefined) return before
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    const name = written.includes('\\') ? (JSON.parse(`"${written}"`) as string) : written
    const key = keyOf(name)
    const facts = {
      name,
      key,
      joins: mayJoin(name),
      identifies: this.#identifiers.has(key),
      standard: isStandardAttribute(name),
    }
    this.#known.set(written, facts)
    return facts
  }
}

function keyOf(name: string): string {
  return name.normalize('NFKC').trim().toLowerCase()
}

/** Dots and dollars can be paths or operators behind the API; a name that is cut is two at once. */
function mayJoin(name: string): boolean {
  const { length } = name
  return length > 0 && length <= NAME_CHARACTERS && !/[.$]/.test(name) && !LONERS.has(name)
}
