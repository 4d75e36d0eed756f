import { inside, isObject, type Json, type Reporter } from './findings.js'
import { isLikeOperator, OPERATOR_BYTES } from './names.js'
import {
  OBJECT_BYTES,
  OBJECT_BYTES_DOUBTFUL,
  OBJECT_KEYS,
  OBJECT_LEVELS,
  ARRAY_ENTRIES_KEPT,
  NAME_CHARACTERS,
  OBJECT_ENTRIES_KEPT,
  VALUE_CHARACTERS_KEPT,
} from './limits.js'

/** Characters that MoEngage does not accept in the keys of an object. help, object data type. */
const UNSUPPORTED_IN_NAMES = /[$.%#]/

/** Whether `checkValues` may report something about a value. */
export function isRemarkableValue(value: unknown): boolean {
  return value === '' || typeof value === 'object'
}

/**
 * Checks the values of `attributes` against what MoEngage ingests for any name: it silently drops or
 * changes the rest. The values of `except` have separate rules.
 */
export function checkValues(
  attributes: Json,
  path: string,
  except: ReadonlySet<string>,
  reporter: Reporter,
): void {
  const { index, findings, isPlain } = reporter
  for (const name in attributes) {
    if (!isPlain && UNSUPPORTED_IN_NAMES.test(name)) {
      findings.add('unsupportedName', index, inside(path, name))
    }
    const value = attributes[name]
    if (value === '') findings.add('emptyValue', index, inside(path, name))
    else if (value === null) findings.add('nullValue', index, inside(path, name))
    if (value === null || typeof value !== 'object' || except.has(name)) continue
    if (name.length >= OPERATOR_BYTES && isLikeOperator(name)) {
      findings.add('noOperator', index, inside(path, name))
    }
    if (Array.isArray(value)) checkArray(value, inside(path, name), 1, reporter)
    else checkObject(value as Json, inside(path, name), 1, reporter)
  }
}

/** The value of a standard attribute. */
export function checkStandard(value: unknown, path: string, { index, findings }: Reporter): void {
  if (isObject(value)) findings.add('standardObject', index, path)
  else if (Array.isArray(value) && value.some(isObject)) {
    findings.add('standardObjects', index, path)
  }
}

function checkArray(
  items: readonly unknown[],
  path: string,
  level: number,
  reporter: Reporter,
): void {
  const { index, findings } = reporter
  const [first] = items
  const isTaken = typeof first === 'string' || typeof first === 'number' || isObject(first)
  const isAlike = items.every((item) => typeof item === typeof first && !Array.isArray(item) && item !== null) // prettier-ignore
  if (items.length > 0 && !(isTaken && isAlike)) findings.add('mixedArray', index, path)
  items.forEach((item, i) => {
    const at = `${path}[${i}]`
    if (Array.isArray(item)) checkArray(item, at, level, reporter)
    else if (isObject(item)) checkObject(item, at, level, reporter)
  })
}

/** `level`: nesting of objects, including this one. */
function checkObject(object: Json, path: string, level: number, reporter: Reporter): void {
  const { index, findings, bytes } = reporter
  if (level > OBJECT_LEVELS) {
    findings.add('deepObject', index, path)
    return
  }
  const names = Object.keys(object)
  if (names.length === 0) findings.add('emptyObject', index, path)
  if (names.length > OBJECT_KEYS) findings.add('manyKeys', index, path)
  // The text of the whole element is an upper bound, and usually short enough.
  if (level === 1 && bytes > OBJECT_BYTES_DOUBTFUL) checkSize(object, path, reporter)
  for (const name of names) {
    const at = inside(path, name)
    if (UNSUPPORTED_IN_NAMES.test(name)) findings.add('unsupportedName', index, at)
    const value = object[name]
    if (value === null) findings.add('nullValue', index, at)
    else if (Array.isArray(value)) checkArray(value, at, level + 1, reporter)
    else if (isObject(value)) checkObject(value, at, level + 1, reporter)
  }
}

function checkSize(object: Json, path: string, { index, findings }: Reporter): void {
  const size = Buffer.byteLength(JSON.stringify(object))
  if (size > OBJECT_BYTES) findings.add('largeObject', index, path)
  else if (size > OBJECT_BYTES_DOUBTFUL) findings.add('nearlyLargeObject', index, path)
}

/**
 * Reports what in an element is longer than MoEngage keeps. Only called if the cheap survey found
 * something long.
 */
export function lintLengths(element: Json, reporter: Reporter): void {
  if (isObject(element.attributes)) lint(element.attributes, 'attributes', reporter)
  if (!Array.isArray(element.actions)) return
  element.actions.forEach((action: unknown, i) => {
    if (!isObject(action)) return
    lint(action.attributes, `actions[${i}].attributes`, reporter)
  })
}

const URL_START = /^\s*(?:[a-z][a-z0-9+.-]*:\/\/|www\.)/i

function lint(value: unknown, path: string, reporter: Reporter): void {
  const { index, findings } = reporter
  if (typeof value === 'string') {
    // Characters, not UTF-16 units: an emoji is one.
    if (value.length > VALUE_CHARACTERS_KEPT && Array.from(value).length > VALUE_CHARACTERS_KEPT) {
      findings.add(URL_START.test(value) ? 'longUrl' : 'longValue', index, path)
    }
  } else if (Array.isArray(value)) {
    const kept = value.every(isObject) ? OBJECT_ENTRIES_KEPT : ARRAY_ENTRIES_KEPT
    if (value.length > kept) findings.add('longArray', index, path, String(kept))
    value.forEach((item: unknown, i) => {
      lint(item, `${path}[${i}]`, reporter)
    })
  } else if (isObject(value)) {
    for (const name in value) {
      if (name.length > NAME_CHARACTERS) findings.add('longName', index, inside(path, name))
      lint(value[name], inside(path, name), reporter)
    }
  }
}

/** The result of one walk over a parsed value, for the rare paths of validation. */
export interface Survey {
  /** Object members at all depths: fewer than in the text if a key was duplicated. */
  members: number
  /** Something is longer than MoEngage keeps; `longValues` reports what. */
  oversized: boolean
}

export function surveyOf(value: unknown): Survey {
  const survey = { members: 0, oversized: false }
  surveyValue(value, survey)
  return survey
}

/** Adds `value` to `survey`. Recursive: depth is bounded before parsing. */
function surveyValue(value: unknown, survey: Survey): void {
  if (typeof value === 'string') {
    if (value.length > VALUE_CHARACTERS_KEPT) survey.oversized = true
    return
  }
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    if (value.length > ARRAY_ENTRIES_KEPT) survey.oversized = true
    for (const item of value) surveyValue(item, survey)
    return
  }
  const record = value as Readonly<Record<string, unknown>>
  // for-in visits exactly the own members: JSON.parse defines `__proto__` as an own property too,
  // and Object.prototype has nothing enumerable.
  for (const key in record) {
    survey.members++
    if (key.length > NAME_CHARACTERS) survey.oversized = true
    surveyValue(record[key], survey)
  }
}

const UNSENDABLE = /[\0\p{Surrogate}]/u

/** Paths of all strings and names under `value` with NUL or half a surrogate pair. */
export function unsendableTexts(value: unknown, path: string): string[] {
  if (typeof value === 'string') return UNSENDABLE.test(value) ? [path] : []
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) {
    return value.flatMap((item, i) => unsendableTexts(item, `${path}[${i}]`))
  }
  return Object.entries(value).flatMap(([key, member]) => {
    const name = inside(path, key)
    return UNSENDABLE.test(key) ? [name] : unsendableTexts(member, name)
  })
}
