import { ADD_TO_ARRAY, REMOVE_FROM_ARRAY } from '@relay/shared/vendor/user-attributes.js'
import { inside, isObject, type Json, type Reporter } from './findings.js'

/** How an entry of `unset_attributes` selects attributes. help, unset-user-attributes. */
const MATCHES: ReadonlySet<unknown> = new Set(['equals', 'prefix', 'suffix', 'contains'])

const ENTRY_MEMBERS: ReadonlySet<string> = new Set(['type', 'attr', 'case_sensitive'])

/** `unset_attributes` of a user: a list of `{type, attr, case_sensitive?}`; the only way to clear. */
export function checkUnset(unset: unknown, attributes: unknown, reporter: Reporter): void {
  const { index, findings } = reporter
  if (!Array.isArray(unset)) {
    findings.add('wrongType', index, 'unset_attributes', 'array of objects')
    return
  }
  if (unset.length === 0) findings.add('emptyUnset', index, 'unset_attributes')
  const compared = new Compared(attributes)
  unset.forEach((entry: unknown, i) => {
    const at = `unset_attributes[${String(i)}]`
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
