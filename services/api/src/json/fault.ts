import { jsonFaultIndex, placeOf } from '@relay/shared/config/json-place.js'

/** What programs write that is not JSON, by how it begins at the fault, and what is right. */
const HABITS: readonly (readonly [RegExp, string])[] = [
  [/^-?(?:NaN|Infinity)\b/, 'NaN and Infinity are not JSON: leave the member out'],
  [/^(?:True|False|None)\b/, 'this is a value of Python: let its json module write the body'],
  [/^undefined\b/, 'undefined is not JSON: leave the member out'],
  [/^'/, 'texts need double quotes'],
  [/^\/[/*]/, 'JSON has no comments'],
  [/^[}\]]/, 'is there a comma too many before it?'],
  [/^\0/, 'this is not UTF-8 but UTF-16'],
  [/^[+.]?\d/, 'numbers begin with a digit other than 0, or with a minus'],
  [/^"/, 'is there a comma or colon missing before it, or a control character in the text?'],
  [/^$/, 'the text ends too early'],
]

/**
 * Where and why a text is not JSON, in words for the producer that quote nothing of the text. Only
 * called for what `JSON.parse` refused.
 */
export function jsonFault(text: string): string {
  const index = jsonFaultIndex(text)
  if (index === null) return ''
  const rest = text.slice(index, index + 12)
  const habit = HABITS.find(([begins]) => begins.test(rest))
  const why = habit === undefined ? '' : `: ${habit[1]}`
  return ` It stops being JSON at ${placeOf(text, index)}${why}.`
}

/** What to do about a root that is JSON and not an object. */
export function rootFault(root: unknown): string {
  if (Array.isArray(root)) {
    return ' This is an array: post it as {"type":"transition","elements":[…]} to /v1/transition/{app_id}.'
  }
  if (typeof root === 'string' && isEncodedTwice(root)) {
    return ' This is JSON inside a JSON string: it was encoded twice. Post the object itself.'
  }
  return ''
}

function isEncodedTwice(text: string): boolean {
  try {
    const inner: unknown = JSON.parse(text)
    return typeof inner === 'object' && inner !== null
  } catch {
    return false
  }
}
