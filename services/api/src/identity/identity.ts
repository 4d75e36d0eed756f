import { customerKey } from '@relay/shared/identity.js'
import { isIdentifier } from '../validate/identifiers.js'
import type { ElementType } from '../validate/names.js'
import { isObject, type Json } from '../validate/subject.js'
import { STANDARD_VOCABULARY, type Vocabulary } from '../validate/vocabulary.js'

/**
 * Whom an element is about, as a text that is equal for equal customers: `c:` and the
 * `customer_id`, or, without one, `i:` and the identifiers that are not blank (identity resolution):
 * the first present of those that the workspace is configured with, else all in canonical order. The
 * prefix keeps an id from being confused with identifiers.
 *
 * Elements that name one person in different ways have different identities, and relay promises
 * no order between them: only MoEngage knows that they are one.
 */
export function identityOf(type: ElementType, element: Json, names = STANDARD_VOCABULARY): string {
  const { customer_id: id } = element
  if (typeof id === 'string') return identityOfCustomerId(id)
  const from = type === 'event' ? element.user_identifiers : element.attributes
  if (!isObject(from)) return identityOfPairs([])
  const isPresent = (name: string) => Object.hasOwn(from, name) && isIdentifier(from[name])
  const preferred = names.preferred.find(isPresent)
  const all = type === 'event' ? Object.keys(from) : names.identifying
  const present = preferred === undefined ? all.filter(isPresent) : [preferred]
  // A number and its digits as text are the same identifier.
  return identityOfPairs(present.map((name) => [name, String(from[name])]))
}

export function identityOfCustomerId(id: string): string {
  return `c:${id}`
}

function identityOfPairs(pairs: (readonly [string, string])[]): string {
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

  keyOf(type: ElementType, element: Json, names?: Vocabulary): string {
    const { customer_id: id } = element
    if (typeof id !== 'string' || id.length > LONGEST_REMEMBERED) {
      return customerKey(identityOf(type, element, names))
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
