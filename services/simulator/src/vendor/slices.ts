import { endOfString, endOfValue } from '@relay/shared/json/spans.js'

/** A value inside a JSON text: byte offsets, end exclusive. */
export interface Slice {
  readonly start: number
  readonly end: number
}

const COMMA = 0x2c
const COLON = 0x3a
const CLOSE_ARRAY = 0x5d
const CLOSE_OBJECT = 0x7d

const isSpace = (byte: number | undefined) =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

function skipSpace(json: Buffer, at: number): number {
  while (isSpace(json[at])) at += 1
  return at
}

/** The value alone, without white space around it. `json` must be valid JSON from `start` on. */
export function valueAt(json: Buffer, start = 0): Slice {
  const from = skipSpace(json, start)
  return { start: from, end: endOfValue(json, from) }
}

/** Items of the array that begins at `start`, in order. `json` must be valid JSON. */
export function arrayItems(json: Buffer, start: number): Slice[] {
  const items: Slice[] = []
  let at = skipSpace(json, start + 1)
  while (json[at] !== CLOSE_ARRAY) {
    const item = valueAt(json, at)
    items.push(item)
    at = skipSpace(json, item.end)
    if (json[at] === COMMA) at = skipSpace(json, at + 1)
  }
  return items
}

/** Members of the object that begins at `start`, in order, repeated names included. */
export function objectMembers(json: Buffer, start: number): { name: string; value: Slice }[] {
  const members: { name: string; value: Slice }[] = []
  let at = skipSpace(json, start + 1)
  while (json[at] !== CLOSE_OBJECT) {
    const nameEnd = endOfString(json, at)
    const name = JSON.parse(json.toString('utf8', at, nameEnd)) as string
    at = skipSpace(json, nameEnd)
    if (json[at] === COLON) at += 1
    const value = valueAt(json, at)
    members.push({ name, value })
    at = skipSpace(json, value.end)
    if (json[at] === COMMA) at = skipSpace(json, at + 1)
  }
  return members
}

/** The member that a JSON parser would keep for this name: the last one. */
export function member(json: Buffer, start: number, name: string): Slice | null {
  return objectMembers(json, start).findLast((m) => m.name === name)?.value ?? null
}
