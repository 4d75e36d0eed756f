import { isUtf8 } from 'node:buffer'
import type { Sighting } from '../census/sighting.js'
import { scanJson, type Span } from '../json/scan.js'
import type { ReadElement } from '../validate/element.js'
import { NESTING_LEVELS } from '../validate/limits.js'
import type { ElementType } from '../validate/names.js'
import { isObject, type Json } from '../validate/findings.js'
import { jsonFaultIndex, placeOf } from '@relay/shared/config/json-place.js'

/** What a path accepts: one element of a type, or `transition`, a list of any type. */
export type Endpoint = ElementType | 'transition'

/** What a text contains: that, or one element of any type (a line of an import). */
export type Wanted = Endpoint | 'line'

/** Why a body is refused before any element is validated. */
export interface BodyFault {
  readonly type: string
  readonly message: string
  readonly attribute?: string
}

export interface ParsedElement extends ReadElement {
  readonly span: Span
  /** What the census wants to know of it; undefined: it was not looked for. */
  readonly sightings?: readonly Sighting[]
}

export type ParsedBody =
  | {
      readonly ok: true
      readonly elements: readonly ParsedElement[]
      /** The body has several lists; these are the elements of the last. */
      readonly isListRepeated?: boolean
      /** Members beside `type` and `elements`, which MoEngage does not know. */
      readonly unknown?: readonly string[]
    }
  | { readonly ok: false; readonly fault: BodyFault }

/** Types and messages are those of the overview's response table. */
const EMPTY = { type: 'Empty request body', message: 'A valid JSON document is required' }
const NOT_JSON_OBJECT = {
  type: 'Body type is not JSON',
  message: 'A valid JSON document is required.',
}
const MALFORMED =
  'Could not decode the request body. The JSON was incorrect or not encoded as UTF-8.'

function refused(type: string, message: string, attribute?: string): ParsedBody {
  return {
    ok: false,
    fault: attribute === undefined ? { type, message } : { type, message, attribute },
  }
}

/**
 * Parses a body once and finds the position of each element. The depth is checked before
 * `JSON.parse`, which would otherwise recurse as deep as the body nests.
 */
export function parseBody(body: Buffer, endpoint: Wanted, maxElements: number): ParsedBody {
  if (!isUtf8(body)) return refused('Malformed JSON', `${MALFORMED} It is not UTF-8.`)
  const scan = scanJson(body, 'elements', NESTING_LEVELS)
  if (scan.root.start === scan.root.end) return { ok: false, fault: EMPTY }
  if (scan.tooDeep) {
    const levels = String(NESTING_LEVELS)
    return refused('Malformed JSON', `${MALFORMED} It is nested over ${levels} levels deep.`)
  }
  if (endpoint === 'transition' && (scan.items?.length ?? 0) > maxElements) {
    // Not parsed: it can never be accepted, and building all those values takes long.
    return tooMany(maxElements)
  }
  const text = body.toString('utf8')
  let root: unknown
  try {
    root = JSON.parse(text)
  } catch {
    // Not the parser's own words: they quote the body.
    return refused('Malformed JSON', MALFORMED + jsonFault(text))
  }
  if (!isObject(root)) {
    const { type, message } = NOT_JSON_OBJECT
    return refused(type, message + rootFault(root))
  }
  if (endpoint !== 'transition') return { ok: true, elements: [{ value: root, span: scan.root }] }
  const parsed = parseTransition(root, scan.items ?? [])
  return parsed.ok ? { ...parsed, isListRepeated: scan.isKeyRepeated } : parsed
}

function tooMany(max: number): ParsedBody {
  return refused('AttributeError', `elements has more than ${max} entries`, 'elements')
}

function parseTransition({ type, elements, ...others }: Json, spans: readonly Span[]): ParsedBody {
  if (type === undefined) {
    return refused('MissingAttributeError', 'type not found in the payload', 'type')
  }
  if (type !== 'transition') {
    return refused('AttributeError', 'type should be transition', 'type')
  }
  if (elements === undefined) {
    return refused('MissingAttributeError', 'elements not found in the payload', 'elements')
  }
  if (!Array.isArray(elements)) {
    const advice = encodedTwice(elements)
    return refused('TypeError', `expected array${advice && `.${advice}`}`, 'elements')
  }
  if (elements.length === 0) {
    return refused('MissingAttributeError', 'elements cannot be empty array', 'elements')
  }
  return {
    ok: true,
    elements: spans.map((span, index) => ({ value: elements[index] as unknown, span })),
    unknown: Object.keys(others),
  }
}

/** Common invalid JSON, by the text at the fault, and how to fix it. */
const HABITS: readonly (readonly [RegExp, string])[] = [
  [/^-?(?:NaN|Infinity)\b/, 'NaN and Infinity are not JSON: leave the member out'],
  [/^(?:True|False|None)\b/, 'this is Python syntax: serialise the body with its json module'],
  [/^undefined\b/, 'undefined is not JSON: leave the member out'],
  [/^'/, 'strings need double quotes'],
  [/^\/[/*]/, 'JSON has no comments'],
  [/^[}\]]/, 'is there an extra comma before it?'],
  [/^\0+$/, 'NUL follows the text: post it without its terminator'],
  [/^\0/, 'this is not UTF-8 but UTF-16'],
  [/^[+.]?\d/, 'numbers begin with a digit other than 0, or with a minus'],
  [
    /^"/,
    'is there a comma or colon missing before it, or a control character or wrong escape in the text?',
  ],
  [/^$/, 'the text ends too early'],
]

/**
 * Where and why a text is not JSON, without quoting it. Only called for text that `JSON.parse`
 * refused.
 */
function jsonFault(text: string): string {
  const index = jsonFaultIndex(text)
  if (index === null) return ''
  const rest = text.slice(index, index + 12)
  const habit = HABITS.find(([begins]) => begins.test(rest))
  const why = habit === undefined ? '' : `: ${habit[1]}`
  return ` The JSON is invalid at ${placeOf(text, index)}${why}${why.endsWith('?') ? '' : '.'}`
}

/** Advice for a root that is JSON but not an object. */
function rootFault(root: unknown): string {
  if (Array.isArray(root)) {
    return ' This is an array: post it as {"type":"transition","elements":[…]} to /v1/transition/{app_id}.'
  }
  return encodedTwice(root)
}

/** Advice for JSON inside a JSON string, however often; '' for another value. */
function encodedTwice(value: unknown): string {
  let inner = value
  try {
    while (typeof inner === 'string') inner = JSON.parse(inner)
  } catch {
    return ''
  }
  if (inner === value || typeof inner !== 'object' || inner === null) return ''
  return ' This is JSON inside a JSON string: it was encoded more than once. Post the value itself.'
}
