import { OBJECT_BYTES, OBJECT_BYTES_DOUBTFUL, OBJECT_KEYS, OBJECT_LEVELS } from './limits.js'
import { inside, isObject, type Json, type Reporter } from './findings.js'

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
    else if (typeof value !== 'object' || except.has(name)) continue
    else if (Array.isArray(value)) checkArray(value, inside(path, name), 1, reporter)
    else checkObject(value as Json, inside(path, name), 1, reporter)
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
    const at = `${path}[${String(i)}]`
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
