import {
  ADD_TO_ARRAY as ADD,
  IDENTIFIER_ATTRIBUTES,
  REMOVE_FROM_ARRAY as REMOVE,
} from '@relay/shared/vendor/user-attributes.js'
import { isObject, type Json, type Reporter } from './subject.js'
import { BOOLEAN, PLATFORM_ACTIVE, USER_ATTRIBUTE_TYPES } from './fields.js'
import {
  BLOCKED_ATTRIBUTE_NAMES,
  RESERVED_PREFIX,
  STANDARD_USER_ATTRIBUTES,
  USER_PLATFORMS,
} from './names.js'

/** openapi, CreateUserRequest. */
export function checkUser(user: Json, reporter: Reporter): void {
  const { index, findings } = reporter
  const { attributes, update_existing_only: existing } = user
  if (existing !== undefined && !BOOLEAN.accepts(existing)) {
    findings.add('wrongType', index, 'update_existing_only', BOOLEAN.expected)
  }
  if (user.platforms !== undefined) checkPlatforms(user.platforms, 'platforms', reporter)
  if (attributes !== undefined && !isObject(attributes)) {
    findings.add('wrongType', index, 'attributes', 'object')
    return
  }
  if (attributes !== undefined) checkAttributes(attributes, reporter)
  if (user.customer_id === undefined) checkIdentifiers(attributes ?? {}, reporter)
}

function checkAttributes(attributes: Json, reporter: Reporter): void {
  const { index, findings } = reporter
  for (const name in attributes) {
    const value = attributes[name]
    checkName(name, `attributes.${name}`, reporter)
    const type = USER_ATTRIBUTE_TYPES.get(name)
    if (type !== undefined && !type.accepts(value)) {
      findings.add('wrongType', index, `attributes.${name}`, type.expected)
    } else if (name === ADD || name === REMOVE) {
      checkArrayFields(value, `attributes.${name}`, reporter)
    } else if (name === 'platforms') lintPlatforms(value, 'attributes.platforms', reporter)
  }
  checkArrayConflicts(attributes, reporter)
}

function checkName(name: string, path: string, { index, findings }: Reporter): void {
  if (BLOCKED_ATTRIBUTE_NAMES.has(name)) findings.add('blockedName', index, path)
  else if (name.startsWith(RESERVED_PREFIX) && !STANDARD_USER_ATTRIBUTES.has(name)) {
    findings.add('reservedName', index, path)
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
  }
}

function checkArrayConflicts(attributes: Json, { index, findings }: Reporter): void {
  const { [ADD]: added, [REMOVE]: removed } = attributes
  if (!isObject(added) || !isObject(removed)) return
  for (const name in added) {
    if (Object.hasOwn(removed, name)) {
      findings.add('arrayField', index, `attributes.${ADD}.${name}`, name)
    }
  }
}

/** The documented place: its types are the vendor's, so they are held to. */
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

function checkIdentifiers(attributes: Json, { index, findings }: Reporter): void {
  const present = IDENTIFIER_ATTRIBUTES.filter((name) => Object.hasOwn(attributes, name))
  if (present.length === 0) {
    const wanted = `an identifier in attributes (one of ${IDENTIFIER_ATTRIBUTES.join(', ')})`
    findings.add('noIdentity', index, 'customer_id', wanted)
  }
  for (const name of present) {
    if (!isIdentifier(attributes[name])) {
      findings.add('identifierValue', index, `attributes.${name}`)
    }
  }
}

/** A value that can identify a user. */
export function isIdentifier(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && value !== '')
}
