import { isObject, inside, type Json, type Reporter } from './findings.js'
import {
  ARRAY_ENTRIES_KEPT,
  NAME_CHARACTERS,
  OBJECT_ENTRIES_KEPT,
  VALUE_CHARACTERS_KEPT,
} from './limits.js'

/**
 * Reports what in an element is longer than MoEngage keeps. Only called if the cheap survey found
 * something long.
 */
export function lintLengths(element: Json, reporter: Reporter): void {
  if (isObject(element.attributes)) lint(element.attributes, 'attributes', reporter)
  if (!Array.isArray(element.actions)) return
  element.actions.forEach((action: unknown, i) => {
    if (!isObject(action)) return
    lint(action.attributes, `actions[${String(i)}].attributes`, reporter)
  })
}

const URL_START = /^\s*[a-z][a-z0-9+.-]*:\/\//i

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
      lint(item, `${path}[${String(i)}]`, reporter)
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
    return value.flatMap((item, i) => unsendableTexts(item, `${path}[${String(i)}]`))
  }
  return Object.entries(value).flatMap(([key, member]) => {
    const name = inside(path, key)
    return UNSENDABLE.test(key) ? [name] : unsendableTexts(member, name)
  })
}
