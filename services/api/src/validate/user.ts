import {
  ADD_TO_ARRAY as ADD,
  PLATFORMS_ATTRIBUTE as PLATFORMS,
  REMOVE_FROM_ARRAY as REMOVE,
  ADD_TO_ARRAY,
  REMOVE_FROM_ARRAY,
} from '@relay/shared/vendor/user-attributes.js'
import { BOOLEAN, PLATFORM_ACTIVE, USER_ATTRIBUTE_TYPES } from './fields.js'
import { isObject, type Json, type Reporter, inside } from './findings.js'
import { checkIdentifierValues } from './identifiers.js'
import {
  BLOCKED_ATTRIBUTE_NAMES,
  RESERVED_PREFIX,
  RESERVED_USER_ATTRIBUTES,
  RESERVED_USER_PREFIX,
  STANDARD_USER_ATTRIBUTES,
  USER_PLATFORMS,
} from './names.js'
import { checkStandard, checkValues, isRemarkableValue } from './values.js'

const WITH_OWN_RULES: ReadonlySet<string> = new Set([ADD, REMOVE, PLATFORMS])
const NONE: ReadonlySet<string> = new Set()

/** openapi, CreateUserRequest. */
export function checkUser(user: Json, reporter: Reporter): void {
  const { index, findings } = reporter
  const { attributes } = user
  checkMembers(user, reporter)
  if (isGiven(attributes) && !isObject(attributes)) {
    findings.add('wrongType', index, 'attributes', 'object')
    return
  }
  const named = isObject(attributes) ? attributes : {}
  checkAttributes(named, reporter)
  if (user.customer_id === undefined) checkIdentifiers(named, reporter)
}

/** Null counts as absent for an optional member. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}

function checkMembers(user: Json, reporter: Reporter): void {
  const { index, findings } = reporter
  const { update_existing_only: existing, platforms, unset_attributes: unset } = user
  if (isGiven(existing) && !BOOLEAN.accepts(existing)) {
    findings.add('wrongType', index, 'update_existing_only', BOOLEAN.expected)
  }
  if (isGiven(platforms)) checkPlatforms(platforms, 'platforms', reporter)
  if (isGiven(unset)) checkUnset(unset, user.attributes, reporter)
}

function checkAttributes(attributes: Json, reporter: Reporter): void {
  const { index, findings, isPlain } = reporter
  let isRemarkable = !isPlain
  for (const name in attributes) {
    const value = attributes[name]
    if (isRemarkableValue(value)) isRemarkable = true
    checkName(name, 'attributes', reporter)
    const type = USER_ATTRIBUTE_TYPES.get(name)
    if (value === null) continue
    if (type !== undefined) {
      if (!type.accepts(value)) {
        findings.add('wrongType', index, `attributes.${name}`, type.expected)
      } else if (type.doubt?.isAbout(value)) {
        findings.add(type.doubt.rule, index, `attributes.${name}`)
      }
    } else if (name === ADD || name === REMOVE) {
      checkArrayFields(value, `attributes.${name}`, reporter)
    } else if (name === PLATFORMS) lintPlatforms(value, 'attributes.platforms', reporter)
    else if (typeof value === 'object' && STANDARD_USER_ATTRIBUTES.has(name)) {
      checkStandard(value, `attributes.${name}`, reporter)
    }
  }
  if (isRemarkable) checkValues(attributes, 'attributes', WITH_OWN_RULES, reporter)
  checkArrayConflicts(attributes, reporter)
}

/** `path`: of the object that has the name. The whole path is only built when needed. */
function checkName(name: string, path: string, { index, findings, names }: Reporter): void {
  const at = () => `${path}.${name}`
  if (BLOCKED_ATTRIBUTE_NAMES.has(name)) findings.add('blockedName', index, at())
  else if (name.startsWith(RESERVED_PREFIX)) {
    if (!STANDARD_USER_ATTRIBUTES.has(name) && !names.allowed.has(name)) {
      findings.add('reservedName', index, at())
    }
  } else if (RESERVED_USER_ATTRIBUTES.has(name) || name.startsWith(RESERVED_USER_PREFIX)) {
    findings.add('reservedUserName', index, at())
  }
}

function checkArrayFields(fields: unknown, path: string, reporter: Reporter): void {
  const { index, findings } = reporter
  if (!isObject(fields)) {
    findings.add('wrongType', index, path, 'object')
    return
  }
  for (const name in fields) {
    checkName(name, path, reporter)
    if (!Array.isArray(fields[name])) findings.add('wrongType', index, `${path}.${name}`, 'array')
    if (name === PLATFORMS) findings.add('arrayOfReserved', index, `${path}.${name}`, name)
    else if (USER_ATTRIBUTE_TYPES.has(name)) {
      findings.add('arrayOfStandard', index, `${path}.${name}`)
    }
  }
  checkValues(fields, path, NONE, reporter)
}

function checkArrayConflicts(attributes: Json, { index, findings }: Reporter): void {
  const { [ADD]: added, [REMOVE]: removed } = attributes
  if (added === undefined && removed === undefined) return
  for (const operator of [ADD, REMOVE]) {
    const fields = attributes[operator]
    if (!isObject(fields)) continue
    for (const name in fields) {
      if (Object.hasOwn(attributes, name)) {
        findings.add('setAndChange', index, `attributes.${operator}.${name}`, name)
      }
    }
  }
  if (!isObject(added) || !isObject(removed)) return
  for (const name in added) {
    if (Object.hasOwn(removed, name)) {
      findings.add('arrayField', index, `attributes.${ADD}.${name}`, name)
    }
  }
}

/** The documented place, checked by the vendor's types. */
function checkPlatforms(platforms: unknown, path: string, reporter: Reporter): void {
  const { index, findings } = reporter
  if (!Array.isArray(platforms)) {
    findings.add('wrongType', index, path, 'array of objects')
    return
  }
  platforms.forEach((entry: unknown, i) => {
    const at = `${path}[${i}]`
    if (!isObject(entry)) {
      findings.add('wrongType', index, at, 'object')
      return
    }
    const { platform, active } = entry
    if (platform !== undefined && typeof platform !== 'string') {
      findings.add('wrongType', index, `${at}.platform`, 'string')
    }
    if (active !== undefined && !PLATFORM_ACTIVE.accepts(active)) {
      findings.add('wrongType', index, `${at}.active`, PLATFORM_ACTIVE.expected)
    }
  })
  lintPlatforms(platforms, path, reporter)
}

/** Inside `attributes`, where the vendor's samples put it, any value is allowed by the schema. */
function lintPlatforms(platforms: unknown, path: string, { index, findings }: Reporter): void {
  if (!Array.isArray(platforms)) return
  platforms.forEach((entry: unknown, i) => {
    const platform = isObject(entry) ? entry.platform : undefined
    if (typeof platform === 'string' && !USER_PLATFORMS.has(platform)) {
      const documented = [...USER_PLATFORMS].join(', ')
      findings.add('platformSpelling', index, `${path}[${i}].platform`, documented)
    }
  })
}

function checkIdentifiers(attributes: Json, reporter: Reporter): void {
  const { index, findings, names } = reporter
  const present = names.identifying.filter((name) => Object.hasOwn(attributes, name))
  if (present.length === 0) {
    const wanted = `an identifier in attributes (one of ${names.identifying.join(', ')})`
    findings.add('noIdentity', index, 'customer_id', wanted)
  }
  checkIdentifierValues(attributes, present, 'attributes', false, reporter)
}

/** How an entry of `unset_attributes` selects attributes. help, unset-user-attributes. */
const MATCHES: ReadonlySet<unknown> = new Set(['equals', 'prefix', 'suffix', 'contains'])

const ENTRY_MEMBERS: ReadonlySet<string> = new Set(['type', 'attr', 'case_sensitive'])

/** `unset_attributes` of a user: a list of `{type, attr, case_sensitive?}`; the only way to clear. */
function checkUnset(unset: unknown, attributes: unknown, reporter: Reporter): void {
  const { index, findings } = reporter
  if (!Array.isArray(unset)) {
    findings.add('wrongType', index, 'unset_attributes', 'array of objects')
    return
  }
  if (unset.length === 0) findings.add('emptyUnset', index, 'unset_attributes')
  const compared = new Compared(attributes)
  unset.forEach((entry: unknown, i) => {
    const at = `unset_attributes[${i}]`
    if (!isObject(entry)) findings.add('wrongType', index, at, 'object')
    else checkEntry(entry, at, compared, reporter)
  })
}

function checkEntry(entry: Json, at: string, compared: Compared, reporter: Reporter): void {
  const { index, findings } = reporter
  const { type, case_sensitive: caseSensitive } = entry
  if (type === undefined) findings.add('missing', index, `${at}.type`, 'type')
  else if (!MATCHES.has(type)) {
    findings.add('wrongType', index, `${at}.type`, `one of ${[...MATCHES].join(', ')}`)
  }
  checkNamed(entry, `${at}.attr`, compared, reporter)
  if (caseSensitive !== undefined && typeof caseSensitive !== 'boolean') {
    findings.add('wrongType', index, `${at}.case_sensitive`, 'boolean')
  }
  for (const name in entry) {
    if (!ENTRY_MEMBERS.has(name)) findings.add('unknownMember', index, `${at}.${name}`)
  }
}

function checkNamed(entry: Json, at: string, compared: Compared, reporter: Reporter): void {
  const { type, attr } = entry
  const { index, findings } = reporter
  if (attr === undefined) findings.add('missing', index, at, 'attr')
  else if (typeof attr !== 'string') findings.add('wrongType', index, at, 'string')
  else if (attr.trim() === '') findings.add('empty', index, at, 'attr')
  else if (type === 'equals' && covers(entry, ID)) findings.add('unsetId', index, at)
  else {
    const set = compared.firstCovered(entry)
    if (set !== null) findings.add('setAndUnset', index, at, set)
    if (covers(entry, ID)) findings.add('unsetAlsoId', index, at)
  }
}

const ID = 'customer_id'

/** Whether an entry selects an attribute. `case_sensitive` is true by default. */
function covers({ type, attr, case_sensitive: caseSensitive }: Json, name: string): boolean {
  if (typeof attr !== 'string') return false
  const [own, wanted] =
    caseSensitive === false ? [name.toLowerCase(), attr.toLowerCase()] : [name, attr]
  switch (type) {
    case 'equals':
      return own === wanted
    case 'prefix':
      return own.startsWith(wanted)
    case 'suffix':
      return own.endsWith(wanted)
    default:
      return type === 'contains' && own.includes(wanted)
  }
}

/** Bounded: names are the caller's. */
function quoted(name: string): string {
  return `"${inside('', name)}"`
}

/** Comparisons of one element: entries and attributes may both be tens of thousands. */
const MAX_COMPARISONS = 20_000

/** The attributes that an element sets or changes, for comparison with what it clears. */
class Compared {
  readonly #names: ReadonlySet<string>
  #left = MAX_COMPARISONS

  constructor(attributes: unknown) {
    const names = new Set<string>()
    for (const name in isObject(attributes) ? attributes : {}) {
      const value = (attributes as Json)[name]
      if (name !== ADD_TO_ARRAY && name !== REMOVE_FROM_ARRAY) names.add(name)
      else if (isObject(value)) for (const changed in value) names.add(changed)
    }
    this.#names = names
  }

  /** Which attribute an entry clears, in words; null: none. */
  firstCovered(entry: Json): string | null {
    const { type, attr, case_sensitive: caseSensitive } = entry
    if (type === 'equals' && caseSensitive !== false) {
      return typeof attr === 'string' && this.#names.has(attr) ? quoted(attr) : null
    }
    this.#left -= this.#names.size
    if (this.#left < 0) return 'perhaps an attribute'
    for (const name of this.#names) if (covers(entry, name)) return quoted(name)
    return null
  }
}
