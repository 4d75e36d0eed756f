/** A member of an object in compact JSON: offsets in bytes, ends exclusive. */
export interface MemberSpan {
  /** Of the opening quote of its name. */
  readonly start: number
  /** Of the first byte of its value. */
  readonly value: number
  readonly end: number
}

export interface ObjectSpan {
  readonly members: readonly MemberSpan[]
  /** Of the closing brace. */
  readonly close: number
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const COMMA = 0x2c
const OPEN_BRACE = 0x7b
const OPEN_BRACKET = 0x5b
const CLOSE_BRACE = 0x7d
const CLOSE_BRACKET = 0x5d

/**
 * The members of the object that opens at `open`, in one pass over its bytes. `json` is valid and,
 * between the members, without whitespace, as the intake queues it; null when it is not so.
 */
export function membersAt(json: Buffer, open: number): ObjectSpan | null {
  if (json[open] !== OPEN_BRACE) return null
  const members: MemberSpan[] = []
  let at = open + 1
  if (json[at] === CLOSE_BRACE) return { members, close: at }
  for (;;) {
    if (json[at] !== QUOTE) return null
    const colon = endOfString(json, at)
    if (json[colon] !== COLON) return null
    const end = endOfValue(json, colon + 1)
    members.push({ start: at, value: colon + 1, end })
    if (json[end] === CLOSE_BRACE) return { members, close: end }
    if (json[end] !== COMMA) return null
    at = end + 1
  }
}

/** A member's name, with its escapes resolved: `"a"` and `"\u0061"` are one name. */
export function nameOf(json: Buffer, { start, value }: MemberSpan): string {
  const raw = json.toString('utf8', start, value - 1)
  return raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1)
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
