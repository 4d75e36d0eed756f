import type { ElementType } from './names.js'
import { isObject, type Json, type Reporter } from './findings.js'
import type { Vocabulary } from './vocabulary.js'

/** A value that can identify a user: "blank values never identify". help, identity resolution. */
export function isIdentifier(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && value.trim() !== '')
}

/** Strings that programs write for a missing value. Own choice. */
export const PLACEHOLDERS: ReadonlySet<unknown> = new Set(['undefined', 'NaN', '[object Object]'])

const EMPTY_TEXTS: ReadonlySet<unknown> = new Set([...PLACEHOLDERS, 'null', 'None', 'nil'])

/**
 * Checks that an element has an identifier: one valid value is enough; invalid others then cause
 * only warnings.
 */
export function checkIdentifierValues(
  from: Json,
  names: readonly string[],
  path: string,
  isNamed: boolean,
  reporter: Reporter,
): void {
  const { index, findings } = reporter
  const isGood = isNamed || names.some((name) => isIdentifier(from[name]))
  for (const name of names) {
    const value = from[name]
    if (!isIdentifier(value)) {
      findings.add(isGood ? 'idleIdentifier' : 'identifierValue', index, `${path}.${name}`)
    } else if (EMPTY_TEXTS.has(value)) {
      findings.add('placeholderIdentifier', index, `${path}.${name}`)
    }
  }
}

export function checkUserIdentifiers(
  identifiers: unknown,
  isNamed: boolean,
  reporter: Reporter,
): void {
  const { index, findings } = reporter
  if (!isObject(identifiers)) {
    findings.add('wrongType', index, 'user_identifiers', 'object')
    return
  }
  const names = Object.keys(identifiers)
  if (names.length === 0) findings.add('empty', index, 'user_identifiers', 'user_identifiers')
  checkIdentifierValues(identifiers, names, 'user_identifiers', isNamed, reporter)
}

/** Whether an element identifies its user by something other than `customer_id`. */
export function hasIdentifiers(element: Json, type: ElementType, names: Vocabulary): boolean {
  const from = type === 'event' ? element.user_identifiers : element.attributes
  if (type === 'device' || !isObject(from)) return false
  return (type === 'event' ? Object.keys(from) : names.identifying).some((name) =>
    isIdentifier(from[name]),
  )
}
