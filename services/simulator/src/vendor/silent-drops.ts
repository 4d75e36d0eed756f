import type { JsonObject, OwnNames } from './elements.js'

/**
 * What MoEngage silently drops or changes after a 200, as its newer pages document it (help, read
 * 2026-11). Written from those pages alone and shares nothing with relay's rules, so that a test can
 * compare the two.
 */

const BOUNDS = { name: 200, text: 512, entries: 50, objects: 100, keys: 100, objectBytes: 25_000, levels: 2, attributes: 100 } // prettier-ignore

const words = (text: string) => new Set(text.split(' '))
const RESERVED =
  /^(?:USER_ATTRIBUTE_.*|MOE_TIME_FORMAT|MOE_TIME_TIMEZONE|MOE_GAID|MOE_ISLAT|INSTALL|UPDATE|status|user_id|source)$/s
const STANDARD = words('u_n u_fn u_ln u_gd u_em u_mb uid u_bd push_preference publisher_name campaign_name u_l_a cr_t geo advertising_identifier') // prettier-ignore
const OF_DEVICE = words('platform push_id model moe_push_opted moe_push_provisional_opted app_version os_version moe_gaid idfv') // prettier-ignore
const MEMBERS: Readonly<Record<string, ReadonlySet<string>>> = {
  customer: words('type customer_id attributes platforms update_existing_only unset_attributes'),
  event: words('type customer_id device_id user_identifiers actions'),
  device: words('type customer_id device_id attributes'),
  action: words('action attributes platform app_version user_time current_time user_timezone_offset moe_os_type'), // prettier-ignore
}
const URL_TEXT = /^\s*(?:https?:\/\/|www\.)/i
const OPERATORS: readonly string[] = ['addValueToArrayField', 'removeValueFromArrayField']
/** The operators in any spelling. */
const LIKE_OPERATOR = /^(?:add|append|remove)values?(?:to|from)arrays?fields?$/i
/** Programs write them for a missing value; no such user can be found again. Not documented. */
// eslint-disable-next-line no-control-regex
const NO_ID = /^(?:undefined|NaN|\[object Object\])$|[\0-\x1f\x7f-\x9f]/

/** An attribute, or a value inside one. */
interface Part {
  /** '' of an entry of an array. */
  readonly name: string
  readonly value: unknown
  readonly of: 'customer' | 'event' | 'device'
  /** Objects around it; null: it is the attribute itself. */
  readonly depth: number | null
  readonly allowed: readonly string[]
}

type Rule = readonly [message: string, applies: (part: Part) => boolean]

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isLong = (value: unknown): value is string =>
  typeof value === 'string' && Array.from(value).length > BOUNDS.text
/** An array of objects is an object, too. */
const hasObject = (value: unknown) => (Array.isArray(value) ? value : [value]).some(isObject)
const keysOf = (value: unknown) => (isObject(value) ? Object.keys(value).length : null)

function isUniform(items: readonly unknown[]): boolean {
  const kinds = new Set(items.map((item) => (isObject(item) ? 'object' : typeof item)))
  const isTaken = (item: unknown) => isObject(item) || ['number', 'string'].includes(typeof item)
  return kinds.size <= 1 && items.every(isTaken)
}

/** Of one value, in order: what follows is not looked at once the value is lost. */
const VALUE_RULES = {
  reserved_name: ['a reserved name of user attributes', ({ name, of, depth }) => depth === null && of === 'customer' && RESERVED.test(name)],
  device_attribute: ['not a documented attribute of devices', ({ name, of, depth, allowed }) => depth === null && of === 'device' && !OF_DEVICE.has(name) && !allowed.includes(name)],
  unsupported_name: ['one of $ . % # in a name', ({ name }) => /[$.%#]/.test(name)],
  long_name: ['a name is cut at 200 characters', ({ name }) => name.length > BOUNDS.name],
  null_value: ['null is not stored and clears nothing', ({ value }) => value === null],
  empty_text: ['an empty text clears nothing', ({ value, depth }) => value === '' && depth === null],
  long_url: ['a URL over 512 characters', ({ value }) => isLong(value) && URL_TEXT.test(value)],
  long_text: ['a text is cut at 512 characters', ({ value }) => isLong(value)],
  no_operator: ['array operators are for users, in their exact spelling', ({ name, value, depth }) => depth === null && typeof value === 'object' && LIKE_OPERATOR.test(name.replaceAll(/[\s_-]/g, ''))],
  standard_object: ['a standard attribute cannot be an object', ({ name, value, of, depth, allowed }) => depth === null && hasObject(value) && isStandard(name, of) && !allowed.includes(name)],
  mixed_array: ['an array of neither numbers, texts nor objects alone', ({ value }) => Array.isArray(value) && !isUniform(value)],
  long_array: ['entries beyond 50, of objects beyond 100', ({ value }) => Array.isArray(value) && value.length > (value.every(isObject) ? BOUNDS.objects : BOUNDS.entries)],
  deep_object: ['objects deeper than two levels become text', ({ value, depth }) => isObject(value) && (depth ?? 0) >= BOUNDS.levels],
  empty_object: ['an empty object', ({ value }) => keysOf(value) === 0],
  many_keys: ['an object with over 100 keys', ({ value }) => (keysOf(value) ?? 0) > BOUNDS.keys],
  large_object: ['an object over 25 KB', ({ value }) => isObject(value) && Buffer.byteLength(JSON.stringify(value)) > BOUNDS.objectBytes],
} as const satisfies Record<string, Rule> // prettier-ignore

type ValueReason = keyof typeof VALUE_RULES
const VALUE_REASONS = Object.keys(VALUE_RULES) as ValueReason[]
/** The rest of such a value is kept. */
const PARTLY: readonly string[] = ['long_name', 'long_array']

/** Every reason, with its message. */
export const SILENT_DROPS = {
  ...(Object.fromEntries(VALUE_REASONS.map((reason) => [reason, VALUE_RULES[reason][0]])) as Record<ValueReason, string>), // prettier-ignore
  unknown_member: 'not a documented member',
  many_attributes: 'attributes of an event beyond 100',
  placeholder_id: 'customer_id stands for a missing value',
  blank_action: 'an event without a name',
  unset_entry: 'not an entry of unset_attributes',
  unset_wins: 'unset_attributes clears it',
  operator_on_reserved: 'platforms cannot be added to or removed from',
  set_and_changed: 'the same attribute is set',
}
export type SilentDropReason = keyof typeof SILENT_DROPS

/** `path`: what is lost of the element; '' is all of it. */
export interface SilentDrop {
  readonly reason: SilentDropReason
  readonly path: string
}

/** A device's documented attributes are all of another type than object. */
function isStandard(name: string, of: Part['of']): boolean {
  return of === 'device' || name.startsWith('moe_') || (of === 'customer' && STANDARD.has(name))
}

/** What is lost of an element that `judgeElement` takes. */
export function* silentDrops(element: unknown, names: OwnNames): Generator<SilentDrop> {
  if (!isObject(element)) return
  const { type, customer_id: id, attributes, actions, unset_attributes: unset } = element
  if (typeof id === 'string' && NO_ID.test(id)) {
    yield { reason: 'placeholder_id', path: '' }
    return
  }
  yield* ofMembers(element, String(type), '')
  if (type === 'event') yield* ofActions(actions, names)
  else yield* ofAttributes(attributes, type as Part['of'], 'attributes', names)
  if (type === 'customer') yield* ofUnset(unset, attributes)
}

function* ofMembers(object: JsonObject, kind: string, prefix: string): Generator<SilentDrop> {
  for (const name of Object.keys(object)) {
    if (MEMBERS[kind]?.has(name) === false)
      yield { reason: 'unknown_member', path: `${prefix}${name}` }
  }
}

function* ofActions(actions: unknown, names: OwnNames): Generator<SilentDrop> {
  for (const [i, action] of Array.isArray(actions) ? actions.entries() : []) {
    const path = `actions[${i}]`
    if (!isObject(action)) continue
    if (String(action.action).trim() === '') {
      yield { reason: 'blank_action', path }
      continue
    }
    const name = { name: String(action.action), value: 0, of: 'event', depth: 0, allowed: [] } as const // prettier-ignore
    if (VALUE_RULES.long_name[1](name)) yield { reason: 'long_name', path: `${path}.action` }
    yield* ofMembers(action, 'action', `${path}.`)
    yield* ofAttributes(action.attributes, 'event', `${path}.attributes`, names)
    if ((keysOf(action.attributes) ?? 0) > BOUNDS.attributes) {
      yield { reason: 'many_attributes', path: `${path}.attributes` }
    }
  }
}

function* ofAttributes(attributes: unknown, of: Part['of'], path: string, { allowedNames: allowed }: OwnNames): Generator<SilentDrop> {
  for (const [name, value] of isObject(attributes) ? Object.entries(attributes) : []) {
    const at = `${path}.${name}`
    if (of !== 'customer') yield* ofPart({ name, value, of, depth: null, allowed }, at)
    else if (OPERATORS.includes(name)) yield* ofOperator(value, attributes as JsonObject, at, allowed)
    // The vendor's samples have platforms among attributes, as a list of objects.
    else if (name !== 'platforms') yield* ofPart({ name, value, of, depth: null, allowed }, at)
  }
} // prettier-ignore

function* ofOperator(fields: unknown, attributes: JsonObject, path: string, allowed: readonly string[]): Generator<SilentDrop> {
  for (const [name, value] of isObject(fields) ? Object.entries(fields) : []) {
    const at = `${path}.${name}`
    if (name === 'platforms') yield { reason: 'operator_on_reserved', path: at }
    else if (Object.hasOwn(attributes, name)) yield { reason: 'set_and_changed', path: at }
    else if (!Array.isArray(value)) yield { reason: 'no_operator', path: at }
    else yield* ofPart({ name, value, of: 'customer', depth: null, allowed }, at)
  }
} // prettier-ignore

function* ofPart(part: Part, path: string): Generator<SilentDrop> {
  const { value, depth } = part
  for (const reason of VALUE_REASONS) {
    if (!VALUE_RULES[reason][1](part)) continue
    yield { reason, path }
    if (!PARTLY.includes(reason)) return
  }
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) {
      yield* ofPart({ ...part, name: '', value: item, depth: depth ?? 0 }, `${path}[${i}]`)
    }
  } else if (isObject(value)) {
    for (const [name, inner] of Object.entries(value)) {
      yield* ofPart({ ...part, name, value: inner, depth: (depth ?? 0) + 1 }, `${path}.${name}`)
    }
  }
}

const COVERS: Readonly<Record<string, (own: string, wanted: string) => boolean>> = {
  equals: (own, wanted) => own === wanted,
  prefix: (own, wanted) => own.startsWith(wanted),
  suffix: (own, wanted) => own.endsWith(wanted),
  contains: (own, wanted) => own.includes(wanted),
}

/** `unset_attributes` beats `attributes` of the same element. */
function* ofUnset(unset: unknown, attributes: unknown): Generator<SilentDrop> {
  if (unset === undefined) return
  const entries: readonly unknown[] = Array.isArray(unset) ? unset : []
  if (entries.length === 0) yield { reason: 'unset_entry', path: 'unset_attributes' }
  for (const [i, entry] of entries.entries()) {
    const { type, attr, case_sensitive: sensitive = true } = isObject(entry) ? entry : {}
    const covers = COVERS[String(type)]
    const folded = (text: string) => (sensitive === false ? text.toLowerCase() : text)
    const isId = type === 'equals' && folded(String(attr)) === 'customer_id'
    if (covers === undefined || typeof attr !== 'string' || attr.trim() === '' || typeof sensitive !== 'boolean' || isId) {
      yield { reason: 'unset_entry', path: `unset_attributes[${i}]` }
      continue
    }
    for (const name of isObject(attributes) ? Object.keys(attributes) : []) {
      const isCleared = !OPERATORS.includes(name) && covers(folded(name), folded(attr))
      if (isCleared) yield { reason: 'unset_wins', path: `attributes.${name}` }
    }
  }
} // prettier-ignore
