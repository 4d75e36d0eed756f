import { isObject, type Json, type Reporter } from './subject.js'
import {
  ARRAY_ENTRIES_KEPT,
  NAME_CHARACTERS,
  OBJECT_ENTRIES_KEPT,
  VALUE_CHARACTERS_KEPT,
} from './limits.js'
import { inside } from './path.js'

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
