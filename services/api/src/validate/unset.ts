import { isObject, type Json, type Reporter } from './subject.js'

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
  unset.forEach((entry: unknown, i) => {
    const at = `unset_attributes[${String(i)}]`
    if (!isObject(entry)) findings.add('wrongType', index, at, 'object')
    else checkEntry(entry, at, isObject(attributes) ? attributes : {}, reporter)
  })
}

function checkEntry(entry: Json, at: string, attributes: Json, reporter: Reporter): void {
  const { index, findings } = reporter
  const { type, case_sensitive: caseSensitive } = entry
  if (type === undefined) findings.add('missing', index, `${at}.type`, 'type')
  else if (!MATCHES.has(type)) {
    findings.add('wrongType', index, `${at}.type`, `one of ${[...MATCHES].join(', ')}`)
  }
  checkNamed(entry, `${at}.attr`, attributes, reporter)
  if (caseSensitive !== undefined && typeof caseSensitive !== 'boolean') {
    findings.add('wrongType', index, `${at}.case_sensitive`, 'boolean')
  }
  for (const name in entry) {
    if (!ENTRY_MEMBERS.has(name)) findings.add('unknownMember', index, `${at}.${name}`)
  }
}

/** The attribute of an entry. */
function checkNamed({ type, attr }: Json, at: string, attributes: Json, reporter: Reporter): void {
  const { index, findings } = reporter
  if (attr === undefined) findings.add('missing', index, at, 'attr')
  else if (typeof attr !== 'string') findings.add('wrongType', index, at, 'string')
  else if (attr.trim() === '') findings.add('empty', index, at, 'attr')
  else if (attr === 'customer_id') findings.add('unsetId', index, at)
  else if (type === 'equals' && Object.hasOwn(attributes, attr)) {
    findings.add('setAndUnset', index, at)
  }
}
