import { jsonFaultIndex, placeOf } from '@relay/shared/config/json-place.js'

/** Common invalid JSON, by the text at the fault, and how to fix it. */
const HABITS: readonly (readonly [RegExp, string])[] = [
  [/^-?(?:NaN|Infinity)\b/, 'NaN and Infinity are not JSON: leave the member out'],
  [/^(?:True|False|None)\b/, 'this is Python syntax: serialise the body with its json module'],
  [/^undefined\b/, 'undefined is not JSON: leave the member out'],
  [/^'/, 'strings need double quotes'],
  [/^\/[/*]/, 'JSON has no comments'],
  [/^[}\]]/, 'is there a comma too many before it?'],
  [/^\0/, 'this is not UTF-8 but UTF-16'],
  [/^[+.]?\d/, 'numbers begin with a digit other than 0, or with a minus'],
  [/^"/, 'is there a comma or colon missing before it, or a control character in the text?'],
  [/^$/, 'the text ends too early'],
]

/**
 * Where and why a text is not JSON, without quoting it. Only called for text that `JSON.parse`
 * refused.
 */
export function jsonFault(text: string): string {
  const index = jsonFaultIndex(text)
  if (index === null) return ''
  const rest = text.slice(index, index + 12)
  const habit = HABITS.find(([begins]) => begins.test(rest))
  const why = habit === undefined ? '' : `: ${habit[1]}`
  return ` It stops being JSON at ${placeOf(text, index)}${why}.`
}

/** Advice for a root that is JSON but not an object. */
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
