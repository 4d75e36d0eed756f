import { BLOCKED_CUSTOMER_IDS } from '@relay/shared/vendor/limits.js'
import { checkEvent } from './event.js'
import { DEVICE_ATTRIBUTE_TYPES } from './fields.js'
import { isObject, type Json, type Reporter } from './findings.js'
import { hasIdentifiers, PLACEHOLDERS } from './identifiers.js'
import { lintLengths, surveyOf, unsendableTexts, type Survey, checkValues } from './values.js'
import { CUSTOMER_ID_CHARACTERS } from './limits.js'
import { hasNullMember, lintElementMembers } from './members.js'
import {
  KIND_OF_TYPE,
  type ElementType,
  DEVICE_PLATFORMS,
  RESERVED_PREFIX,
  STANDARD_DEVICE_ATTRIBUTES,
} from './names.js'
import { checkUser } from './user.js'

/** What validation passes on about a valid element. */
export interface CheckedElement {
  readonly type: ElementType
  readonly element: Json
  /** A key occurs twice in an object, or a null counts as absent: its text must be normalised. */
  readonly isIrregular: boolean
}

export interface ReadElement {
  readonly value: unknown
  /** Facts of the text that the parsed value does not show. */
  readonly span: {
    readonly start: number
    readonly end: number
    readonly members: number
    readonly badEscapes: number
  }
  /** The result of a walk over the whole element; undefined before that walk. */
  readonly survey?: Survey
}

const BLOCKED = new Set(BLOCKED_CUSTOMER_IDS)
const NOT_A_CUSTOMER: ReadonlySet<unknown> = new Set([...BLOCKED, ...PLACEHOLDERS])

/**
 * Checks one element against every rule; null if at least one refuses it. `expected` is the type of a
 * single-element endpoint, or null if any type is allowed.
 */
export function checkElement(
  { value, span, survey: taken }: ReadElement,
  expected: ElementType | null,
  reporter: Reporter,
): CheckedElement | null {
  const { index, findings } = reporter
  if (!isObject(value)) {
    findings.add('notAnObject', index, '')
    return null
  }
  const before = findings.problemCount
  const type = checkType(value.type, expected, reporter)
  if (span.badEscapes > 0) {
    for (const path of unsendableTexts(value, '')) findings.add('unsendableText', index, path)
  }
  const survey = taken ?? surveyOf(value)
  if (type === null) return null
  checkCustomerId(value, type, reporter)
  switch (type) {
    case 'customer':
      checkUser(value, reporter)
      break
    case 'event':
      checkEvent(value, reporter)
      break
    case 'device':
      checkDevice(value, reporter)
      break
  }
  lintElementMembers(value, type, reporter)
  if (survey.oversized) lintLengths(value, reporter)
  if (findings.problemCount > before) return null
  const isIrregular = survey.members !== span.members || hasNullMember(value, reporter)
  return { type, element: value, isIrregular }
}

function checkType(type: unknown, expected: ElementType | null, reporter: Reporter) {
  const { index, findings } = reporter
  if (expected === null) {
    if (typeof type === 'string' && Object.hasOwn(KIND_OF_TYPE, type)) return type as ElementType
    findings.add('unknownType', index, 'type', 'type in elements should be customer/event/device')
    return null
  }
  if (type === expected) return expected
  if (type === undefined) findings.add('missing', index, 'type', 'type')
  else findings.add('unknownType', index, 'type', `type should be ${expected}`)
  // The other fields are checked by the endpoint's type, so that all problems are listed at once.
  return expected
}

function checkCustomerId(element: Json, type: ElementType, reporter: Reporter): void {
  const { index, findings } = reporter
  const { customer_id: id } = element
  // Whether it may be absent depends on the type.
  if (id === undefined) return
  if (id === null && hasIdentifiers(element, type, reporter.names)) {
    findings.add('nullMember', index, 'customer_id')
  } else if (typeof id !== 'string') findings.add('wrongType', index, 'customer_id', 'string')
  else if (NOT_A_CUSTOMER.has(id)) {
    findings.add(BLOCKED.has(id) ? 'blockedCustomerId' : 'placeholderId', index, 'customer_id')
  } else if (hasFewerCharacters(id, CUSTOMER_ID_CHARACTERS)) {
    findings.add('shortCustomerId', index, 'customer_id')
  } else checkSpelling(id, reporter)
}

function checkSpelling(id: string, { index, findings }: Reporter): void {
  const isPlain = PLAIN_ID.test(id)
  if (!isPlain && CONTROL.test(id)) {
    // NUL is reported with all strings that cannot be sent.
    if (!id.includes('\0')) findings.add('controlInId', index, 'customer_id')
  } else if (id.length < 32 && BLOCKED.has(id.trim().toLowerCase())) {
    findings.add('blockedIdSpelling', index, 'customer_id')
  } else if (!isPlain && SPACED.test(id)) findings.add('spacedId', index, 'customer_id')
}

/** Nearly every id: one short check instead of two. */
const PLAIN_ID = /^[!-~]*$/
// eslint-disable-next-line no-control-regex
const CONTROL = /[\0-\x1f\x7f-\x9f]/
/** Joiners (U+200C, U+200D) only at the ends: inside they form words and emoji. */
const SPACED = /^[\s\u200c\u200d]|[\s\u200c\u200d]$|[\u00ad\u200b\u2060\ufeff]/

/** Characters, not UTF-16 units: an emoji is one. */
function hasFewerCharacters(text: string, count: number): boolean {
  return text.length < 2 * count && Array.from(text).length < count
}

/** openapi, CreateDeviceRequest. */
function checkDevice(device: Json, reporter: Reporter): void {
  const { index, findings } = reporter
  const { attributes } = device
  if (device.customer_id === undefined) findings.add('missing', index, 'customer_id', 'customer_id')
  checkRequiredString(device, 'device_id', '', reporter)
  if (attributes === undefined) findings.add('missing', index, 'attributes', 'attributes')
  else if (!isObject(attributes)) findings.add('wrongType', index, 'attributes', 'object')
  else checkAttributes(attributes, reporter)
}

function checkAttributes(attributes: Json, reporter: Reporter): void {
  const { index, findings } = reporter
  checkRequiredString(attributes, 'platform', 'attributes.', reporter)
  checkRequiredString(attributes, 'push_id', 'attributes.', reporter)
  const { platform } = attributes
  if (typeof platform === 'string' && platform !== '' && !DEVICE_PLATFORMS.has(platform)) {
    const documented = [...DEVICE_PLATFORMS].join(', ')
    findings.add('platformSpelling', index, 'attributes.platform', documented)
  }
  for (const name in attributes) {
    if (name === '') findings.add('emptyName', index, 'attributes.')
    const type = DEVICE_ATTRIBUTE_TYPES.get(name)
    if (type === undefined) lintName(name, reporter)
    else if (attributes[name] !== null && !type.accepts(attributes[name])) {
      findings.add('wrongType', index, `attributes.${name}`, type.expected)
    }
  }
  checkValues(attributes, 'attributes', REQUIRED, reporter)
}

const REQUIRED: ReadonlySet<string> = new Set(['platform', 'push_id'])

function lintName(name: string, { index, findings, names }: Reporter): void {
  if (REQUIRED.has(name) || names.allowed.has(name) || name === '') return
  const isReserved = name.startsWith(RESERVED_PREFIX) && !STANDARD_DEVICE_ATTRIBUTES.has(name)
  findings.add(isReserved ? 'reservedDeviceName' : 'deviceAttribute', index, `attributes.${name}`)
}

function checkRequiredString(
  from: Json,
  name: string,
  prefix: string,
  { index, findings }: Reporter,
): void {
  const value = from[name]
  if (value === undefined) findings.add('missing', index, prefix + name, name)
  else if (typeof value !== 'string') findings.add('wrongType', index, prefix + name, 'string')
  else if (value === '') findings.add('empty', index, prefix + name, name)
}
