import { customerKey } from '@relay/shared/identity.js'
import { apart } from '../json/byte-names.js'
import { isIdentifier } from '../validate/identifiers.js'
import type { ElementType } from '../validate/names.js'
import { isObject, type Json } from '../validate/findings.js'
import { STANDARD_VOCABULARY, type Vocabulary } from '../validate/vocabulary.js'

/**
 * The customer identity of an element, as text: `c:` and the
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
  // A number and its digits as a string are the same identifier.
  return identityOfPairs(present.map((name) => [name, String(from[name])]))
}

export function identityOfCustomerId(id: string): string {
  return `c:${id}`
}

function identityOfPairs(pairs: (readonly [string, string])[]): string {
  pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return `i:${JSON.stringify(pairs)}`
}

/** Size of the cache generation; the previous generation is kept, too. */
const MAX_REMEMBERED = 8_192
/** Longer ids are not cached, to bound memory; characters. */
const MAX_REMEMBERED_LENGTH = 64

/**
 * `customerKey` of shared/identity, cached for recent customers: customers come in sessions, and a
 * hash costs several times a look-up. The cache affects only speed.
 */
export class CustomerKeys {
  #recent = new Map<string, string>()
  #older = new Map<string, string>()

  keyOf(type: ElementType, element: Json, names?: Vocabulary): string {
    const { customer_id: id } = element
    if (typeof id !== 'string' || id.length > MAX_REMEMBERED_LENGTH) {
      return customerKey(identityOf(type, element, names))
    }
    const recent = this.#recent.get(id)
    if (recent !== undefined) return recent
    const key = this.#older.get(id) ?? customerKey(identityOfCustomerId(id))
    if (this.#recent.size >= MAX_REMEMBERED) {
      this.#older = this.#recent
      this.#recent = new Map()
    }
    this.#recent.set(apart(id), key)
    return key
  }
}
