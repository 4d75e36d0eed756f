/** A member of an object in compact JSON: offsets in bytes, ends exclusive. */
export interface MemberSpan {
  /** Of the opening quote of its name. */
  readonly start: number
  /** Of the first byte of its value. */
  readonly value: number
  readonly end: number
}

/** Takes a member; false: no more of them are wanted. */
export type TakeMember = (start: number, value: number, end: number) => boolean

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const COMMA = 0x2c
const OPEN_BRACE = 0x7b
const OPEN_BRACKET = 0x5b
const CLOSE_BRACE = 0x7d
const CLOSE_BRACKET = 0x5d

/**
 * Walks the members of the object that opens at `open`, in one pass over its bytes; returns the position
 * of its closing brace. `json` is valid and has no whitespace between the members, as queued by the
 * intake; otherwise, or when `take` refuses a member, it returns -1. It uses a callback and no list,
 * because this is the hot path.
 */
export function walkMembers(json: Buffer, open: number, take: TakeMember): number {
  if (json[open] !== OPEN_BRACE) return -1
  let at = open + 1
  if (json[at] === CLOSE_BRACE) return at
  for (;;) {
    if (json[at] !== QUOTE) return -1
    const colon = endOfString(json, at)
    if (json[colon] !== COLON) return -1
    const end = endOfValue(json, colon + 1)
    if (!take(at, colon + 1, end)) return -1
    if (json[end] === CLOSE_BRACE) return end
    if (json[end] !== COMMA) return -1
    at = end + 1
  }
}

/** The name of a member as it stands there, without the quotes; escapes are not resolved. */
export function writtenName(json: Buffer, start: number, value: number): string {
  return json.toString('utf8', start + 1, value - 2)
}

/** Behind the closing quote of the string that opens at `open`. */
function endOfString(json: Buffer, open: number): number {
  let at = open + 1
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1
  return at + 1
}

function endOfValue(json: Buffer, start: number): number {
  const first = json[start]
  if (first === QUOTE) return endOfString(json, start)
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return endOfContainer(json, start)
  let at = start
  while (at < json.length && !endsScalar(json[at])) at += 1
  return at
}

function endsScalar(byte: number | undefined): boolean {
  return byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET
}

function endOfContainer(json: Buffer, open: number): number {
  let depth = 0
  let at = open
  while (at < json.length) {
    const byte = json[at]
    if (byte === QUOTE) {
      at = endOfString(json, at)
      continue
    }
    at += 1
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1
    if (depth === 0) return at
  }
  return at
}
