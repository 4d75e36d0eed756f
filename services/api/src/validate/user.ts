import {
  ADD_TO_ARRAY as ADD,
  PLATFORMS_ATTRIBUTE as PLATFORMS,
  REMOVE_FROM_ARRAY as REMOVE,
} from '@relay/shared/vendor/user-attributes.js'
import { isObject, type Json, type Reporter } from './findings.js'
import { BOOLEAN, PLATFORM_ACTIVE, USER_ATTRIBUTE_TYPES } from './fields.js'
import { checkIdentifierValues } from './identifiers.js'
import {
  BLOCKED_ATTRIBUTE_NAMES,
  RESERVED_PREFIX,
  RESERVED_USER_ATTRIBUTES,
  RESERVED_USER_PREFIX,
  STANDARD_USER_ATTRIBUTES,
  USER_PLATFORMS,
} from './names.js'
import { checkUnset } from './unset.js'
import { checkValues, isRemarkableValue } from './values.js'

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
    checkName(name, `attributes.${name}`, reporter)
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
    else if (isObject(value) && STANDARD_USER_ATTRIBUTES.has(name)) {
      findings.add('standardObject', index, `attributes.${name}`)
    }
  }
  if (isRemarkable) checkValues(attributes, 'attributes', WITH_OWN_RULES, reporter)
  checkArrayConflicts(attributes, reporter)
}

function checkName(name: string, path: string, { index, findings, names }: Reporter): void {
  if (BLOCKED_ATTRIBUTE_NAMES.has(name)) findings.add('blockedName', index, path)
  else if (name.startsWith(RESERVED_PREFIX)) {
    if (!STANDARD_USER_ATTRIBUTES.has(name) && !names.allowed.has(name)) {
      findings.add('reservedName', index, path)
    }
  } else if (RESERVED_USER_ATTRIBUTES.has(name) || name.startsWith(RESERVED_USER_PREFIX)) {
    findings.add('reservedUserName', index, path)
  }
}

function checkArrayFields(fields: unknown, path: string, reporter: Reporter): void {
  const { index, findings } = reporter
  if (!isObject(fields)) {
    findings.add('wrongType', index, path, 'object')
    return
  }
  for (const name in fields) {
    checkName(name, `${path}.${name}`, reporter)
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
    const at = `${path}[${String(i)}]`
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
      findings.add('platformSpelling', index, `${path}[${String(i)}].platform`, documented)
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
