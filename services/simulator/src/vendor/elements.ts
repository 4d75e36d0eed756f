import * as vendor from '@relay/shared/vendor/limits.js'
import {
  RESERVED_PREFIX,
  STANDARD_EVENT_ATTRIBUTES,
  STANDARD_USER_ATTRIBUTES,
} from '@relay/shared/vendor/reserved-names.js'
import { IDENTIFIER_ATTRIBUTES } from '@relay/shared/vendor/user-attributes.js'
import { ROWS, type Refusal } from './answers.js'

export type JsonObject = Readonly<Record<string, unknown>>

export type ElementType = 'customer' | 'event' | 'device'
const TYPES: readonly unknown[] = ['customer', 'event', 'device']

/** "Future events are not accepted"; ten minutes for clocks that differ. */
const CLOCK_SKEW_MS = 600_000

/** Numbers above are milliseconds, below seconds since 1970 (the samples have both). */
const EPOCH_MS_FROM = 100_000_000_000

/** ±15 h, seconds. openapi: user_timezone_offset. */
const MAX_OFFSET_S = 54_000

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const missing = (attribute: string, message: string): Refusal => ({
  ...ROWS.missing_attribute,
  message,
  attribute,
})
const notFound = (name: string) => missing(name, `${name} is not found in the payload`)
const wrongType = (name: string, wanted: string) =>
  missing(name, `${name} is expected to be ${wanted}`)
const fault = (type: string, attribute: string, message: string): Refusal => ({
  status: 400,
  type,
  message,
  attribute,
})

/** Names that a workspace defines in addition to the documented ones. */
export interface OwnNames {
  /** Attributes that name a user, in order of preference. */
  readonly identifiers: readonly string[]
  /** Names with the reserved prefix. */
  readonly allowedNames: readonly string[]
}
const NO_NAMES: OwnNames = { identifiers: [], allowedNames: [] }

/** The first fault of an element, in MoEngage's words, or null. `nowMs`: wall clock. */
export function judgeElement(element: unknown, nowMs: number, names = NO_NAMES): Refusal | null {
  if (!isObject(element)) return ROWS.malformed_json
  switch (element.type) {
    case 'customer':
      return judgeCustomer(element, names)
    case 'event':
      return judgeEvent(element, nowMs, names.allowedNames)
    case 'device':
      return judgeDevice(element)
    default:
      return fault('AttributeError', 'type', 'type in elements should be customer/event/device')
  }
}

export function isElementType(type: unknown): type is ElementType {
  return TYPES.includes(type)
}

function judgeCustomerId(id: unknown): Refusal | null {
  if (id === undefined) return notFound('customer_id')
  if (typeof id !== 'string') return wrongType('customer_id', 'string')
  if (id === '') return missing('customer_id', 'customer_id can not be empty Unicode String')
  if (!/^..+$/su.test(id)) {
    return fault('AttributeError', 'customer_id', 'customer_id must have more than one character')
  }
  if (!vendor.BLOCKED_CUSTOMER_IDS.includes(id)) return null
  return fault('AttributeError', 'customer_id', `customer_id can not be '${id}'`)
}

function judgeCustomer(element: JsonObject, names: OwnNames): Refusal | null {
  const { attributes } = element
  if (attributes !== undefined && !isObject(attributes)) return wrongType('attributes', 'dict')
  const identified = element.customer_id === undefined && hasIdentifier(attributes, names)
  const id = identified ? null : judgeCustomerId(element.customer_id)
  const refused = id ?? judgeCustomerFields(element)
  if (refused !== null || attributes === undefined) return refused
  return judgeUserNames(attributes, names.allowedNames) ?? judgeArrayFields(attributes)
}

function judgeCustomerFields(element: JsonObject): Refusal | null {
  const { update_existing_only: existing } = element
  if (existing !== undefined && typeof existing !== 'boolean') {
    return wrongType('update_existing_only', 'boolean')
  }
  const { platforms } = element
  if (platforms !== undefined && !(Array.isArray(platforms) && platforms.every(isObject))) {
    return wrongType('platforms', 'list')
  }
  return null
}

function hasIdentifier(attributes: JsonObject | undefined, { identifiers }: OwnNames): boolean {
  return [...identifiers, ...IDENTIFIER_ATTRIBUTES].some((name) => {
    const value = attributes?.[name]
    return typeof value === 'number' || (typeof value === 'string' && value !== '')
  })
}

/** "Blank values never identify." help, identity resolution. */
function identifies(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && value.trim() !== '')
}

/** openapi, UserAttributes: '"id", "_id", and "" keywords are blocked' as names of user attributes. */
function judgeUserNames(attributes: JsonObject, allowed: readonly string[]): Refusal | null {
  const blocked = ['', 'id', '_id'].find((name) => Object.hasOwn(attributes, name))
  if (blocked === undefined) return judgePrefix(attributes, STANDARD_USER_ATTRIBUTES, allowed)
  return fault('AttributeError', blocked, `'${blocked}' is a blocked attribute name`)
}

function judgePrefix(
  attributes: JsonObject,
  standard: ReadonlySet<string>,
  allowed: readonly string[],
): Refusal | null {
  const reserved = Object.keys(attributes).find(
    (name) => isReserved(name, allowed) && !standard.has(name),
  )
  if (reserved === undefined) return null
  return fault('AttributeError', reserved, `'${reserved}' uses the reserved prefix moe_`)
}

function isReserved(name: string, allowed: readonly string[]): boolean {
  return name.startsWith(RESERVED_PREFIX) && !allowed.includes(name)
}

function judgeArrayFields(attributes: JsonObject): Refusal | null {
  const operators = ['addValueToArrayField', 'removeValueFromArrayField']
  for (const operator of operators) {
    const value = attributes[operator]
    if (value !== undefined && !isObject(value)) return wrongType(operator, 'dict')
  }
  const [added, removed] = operators.map((operator) => attributes[operator])
  if (!isObject(added) || !isObject(removed)) return null
  const both = Object.keys(added).find((field) => Object.hasOwn(removed, field))
  if (both === undefined) return null
  const message = `Cannot add and remove '${both}' at the same time`
  return fault('ArrayFieldError', 'addValueToArrayField', message)
}

function judgeEvent(
  element: JsonObject,
  nowMs: number,
  allowed: readonly string[],
): Refusal | null {
  const { user_identifiers: identifiers, actions, device_id: deviceId } = element
  if (identifiers !== undefined && !isObject(identifiers)) {
    return wrongType('user_identifiers', 'dict')
  }
  const identified = identifiers !== undefined && Object.keys(identifiers).length > 0
  const id =
    identified && element.customer_id === undefined ? null : judgeCustomerId(element.customer_id)
  if (id !== null) return id
  if (deviceId !== undefined && typeof deviceId !== 'string') {
    return wrongType('device_id', 'string')
  }
  return judgeActions(actions, nowMs, allowed)
}

function judgeActions(actions: unknown, nowMs: number, allowed: readonly string[]): Refusal | null {
  if (actions === undefined) return notFound('actions')
  if (!Array.isArray(actions)) return wrongType('actions', 'list')
  if (actions.length === 0) return missing('actions', 'actions can not be empty Array')
  for (const action of actions) {
    const refused = judgeAction(action, nowMs, allowed)
    if (refused !== null) return refused
  }
  return null
}

function judgeAction(entry: unknown, nowMs: number, allowed: readonly string[]): Refusal | null {
  if (!isObject(entry)) return ROWS.malformed_json
  const { action, attributes } = entry
  if (action === undefined) return notFound('action')
  if (typeof action !== 'string') return { ...ROWS.malformed_json, attribute: 'action' }
  if (action === '') return missing('action', 'action cannot be empty Unicode string')
  if (isReserved(action, allowed)) {
    return fault('AttributeError', 'action', `'${action}' uses the reserved prefix moe_`)
  }
  if (attributes !== undefined && !isObject(attributes)) return wrongType('attributes', 'dict')
  const names =
    attributes === undefined ? null : judgePrefix(attributes, STANDARD_EVENT_ATTRIBUTES, allowed)
  return names ?? judgeActionFields(entry) ?? judgeTimes(entry, nowMs)
}

function judgeActionFields(entry: JsonObject): Refusal | null {
  for (const name of ['platform', 'app_version', 'moe_os_type']) {
    const value = entry[name]
    if (value !== undefined && typeof value !== 'string') {
      return fault('TypeError', name, 'expected string')
    }
  }
  const offset = entry.user_timezone_offset
  if (offset === undefined) return null
  if (typeof offset !== 'number') return wrongType('user_timezone_offset', 'number')
  if (Math.abs(offset) <= MAX_OFFSET_S) return null
  return fault('ValueError', 'user_timezone_offset', 'user_timezone_offset is out of range')
}

function judgeTimes(entry: JsonObject, nowMs: number): Refusal | null {
  for (const name of ['user_time', 'current_time']) {
    const value = entry[name]
    if (value === undefined) continue
    const atMs = toEpochMs(value)
    if (atMs === null) return fault('ValueError', name, `${name} is not a valid time`)
    const aheadMs = name === 'user_time' ? localAheadMs(entry) : 0
    if (atMs > nowMs + CLOCK_SKEW_MS + aheadMs) {
      return fault('ValueError', name, `${name} is in the future`)
    }
  }
  return null
}

/** `user_time` is local time: ahead of UTC by its offset, or by a profile's, which is not known here. */
function localAheadMs({ user_timezone_offset: offset }: JsonObject): number {
  return (typeof offset === 'number' ? Math.max(0, offset) : MAX_OFFSET_S) * 1000
}

function toEpochMs(value: unknown): number | null {
  if (typeof value === 'string') {
    const text = value.trim()
    const parsed = /^\d+(\.\d+)?$/.test(text) ? fromNumber(Number(text)) : fromIso(text)
    return Number.isNaN(parsed) ? null : parsed
  }
  return typeof value === 'number' && value >= 0 ? fromNumber(value) : null
}

/** JavaScript's parser requires minutes in a zone; ISO 8601 does not (`+02`). */
const fromIso = (text: string) => Date.parse(text.replace(/(T.*[+-]\d\d)$/, '$1:00'))

const fromNumber = (value: number) => (value >= EPOCH_MS_FROM ? value : value * 1000)

function judgeDevice(element: JsonObject): Refusal | null {
  const id = judgeCustomerId(element.customer_id)
  if (id !== null) return id
  const { device_id: deviceId, attributes } = element
  if (deviceId === undefined) return notFound('device_id')
  if (typeof deviceId !== 'string') return wrongType('device_id', 'string')
  if (deviceId === '') return missing('device_id', 'device_id can not be empty Unicode String')
  if (attributes === undefined) return notFound('attributes')
  if (!isObject(attributes)) return wrongType('attributes', 'dict')
  for (const name of ['platform', 'push_id']) {
    const value = attributes[name]
    if (value === undefined) return notFound(name)
    if (typeof value !== 'string') return wrongType(name, 'string')
  }
  return null
}

/**
 * The customer of an element: `customer_id`, else the first of the workspace's own identifiers, else
 * all in canonical form, else "". Also works on invalid elements.
 */
export function customerOf(element: unknown, { identifiers } = NO_NAMES): string {
  if (!isObject(element)) return ''
  if (typeof element.customer_id === 'string') return element.customer_id
  const source = element.type === 'event' ? element.user_identifiers : element.attributes
  if (!isObject(source)) return ''
  const isPresent = (name: string) => identifies(source[name])
  const preferred = identifiers.find(isPresent)
  const names = element.type === 'event' ? Object.keys(source).sort() : IDENTIFIER_ATTRIBUTES
  const given = preferred === undefined ? names.filter(isPresent) : [preferred]
  return given.map((name) => `${name}=${String(source[name])}`).join('&')
}

/** Budget units of an element: entries of `actions` for an event, else 1. */
export function costOf(element: unknown): { type: ElementType | null; units: number } {
  if (!isObject(element) || !isElementType(element.type)) return { type: null, units: 0 }
  if (element.type !== 'event') return { type: element.type, units: 1 }
  return { type: 'event', units: Array.isArray(element.actions) ? element.actions.length : 0 }
}
