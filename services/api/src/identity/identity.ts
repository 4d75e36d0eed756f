import { customerKey } from '@relay/shared/identity.js'
import { IDENTIFIER_ATTRIBUTES } from '@relay/shared/vendor/user-attributes.js'
import type { ElementType } from '../validate/names.js'
import { isObject, type Json } from '../validate/subject.js'

/**
 * Whom an element is about, as a text that is equal for equal customers: `c:` and the
 * `customer_id`, or, without one, `i:` and the identifiers in canonical order (identity
 * resolution). The prefix keeps an id from being confused with identifiers.
 *
 * Elements that name one person in different ways have different identities, and relay promises
 * no order between them: only MoEngage knows that they are one.
 */
export function identityOf(type: ElementType, element: Json): string {
  const { customer_id: id } = element
  if (typeof id === 'string') return identityOfCustomerId(id)
  if (type === 'event') return identityOfIdentifiers(element.user_identifiers)
  const attributes = isObject(element.attributes) ? element.attributes : {}
  const identifiers = IDENTIFIER_ATTRIBUTES.filter((name) => Object.hasOwn(attributes, name))
  return identityOfIdentifiers(
    Object.fromEntries(identifiers.map((name) => [name, attributes[name]])),
  )
}

export function identityOfCustomerId(id: string): string {
  return `c:${id}`
}

function identityOfIdentifiers(identifiers: unknown): string {
  const entries = Object.entries(isObject(identifiers) ? identifiers : {})
  // A number and its digits as text are the same identifier.
  const pairs = entries.map(([name, value]) => [name, String(value)] as const)
  pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return `i:${JSON.stringify(pairs)}`
}

/** Customers remembered at a time, of which as many again may still be known. */
const MOST_REMEMBERED = 8_192
/** Longer ids are not remembered, so that memory is bounded whatever is posted; characters. */
const LONGEST_REMEMBERED = 64

/**
 * `customerKey` of shared/identity, remembered for customers seen lately: customers come in
 * sessions, and a hash costs several times a look-up. Only speed depends on what is remembered.
 */
export class CustomerKeys {
  #recent = new Map<string, string>()
  #older = new Map<string, string>()

  keyOf(type: ElementType, element: Json): string {
    const { customer_id: id } = element
    if (typeof id !== 'string' || id.length > LONGEST_REMEMBERED) {
      return customerKey(identityOf(type, element))
    }
    const recent = this.#recent.get(id)
    if (recent !== undefined) return recent
    const key = this.#older.get(id) ?? customerKey(identityOfCustomerId(id))
    if (this.#recent.size >= MOST_REMEMBERED) {
      this.#older = this.#recent
      this.#recent = new Map()
    }
    this.#recent.set(apart(id), key)
    return key
  }
}

/** The same text in memory of its own: one that was cut from a body keeps all of the body alive. */
function apart(text: string): string {
  return Buffer.from(text).toString()
}
