import type { Element } from '@relay/shared/element.js'
import { AttributeNames, type AttributeName } from './attribute-name.js'
import { walkMembers, writtenName, type MemberSpan } from './json-members.js'

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
function isNested(first: number | undefined): boolean {
  return first === 0x5b || first === 0x7b
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
