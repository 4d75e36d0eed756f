/**
 * One pass over the bytes of a JSON text, before `JSON.parse`: it finds the positions of the items of
 * one array of the root object, so that their own bytes can be sent, and what a parsed value does not
 * show. For text that is not JSON it only ends without throwing; `JSON.parse` reports the fault.
 *
 * A byte scanner rather than a reviver or a streaming parser: `JSON.parse` stays on its fast path,
 * and this loop costs about 1 ns per byte.
 */
export interface Scan {
  /** Maximum nesting of containers; scanning stops above `maxDepth`. */
  readonly tooDeep: boolean
  /** The root value, without whitespace around it. */
  readonly root: Span
  /** Items of the root object's last array under the wanted key; null if there is none. */
  readonly items: readonly Span[] | null
  /** The root object has the wanted key several times. */
  readonly isKeyRepeated: boolean
}

/** A value's position in the text, and what is needed to copy it. */
export interface Span {
  readonly start: number
  /** Exclusive. */
  readonly end: number
  /** Object members in it, at all depths, duplicates included. */
  readonly members: number
  /** Bytes of whitespace outside strings. */
  readonly whitespace: number
  /** Escapes of NUL or of half a surrogate pair. */
  readonly badEscapes: number
}

const WHITESPACE = 1
const QUOTE = 2
const OPEN = 3
const CLOSE = 4
const COMMA = 5
const COLON = 6

const CLASS = new Uint8Array(256)
for (const code of [0x20, 0x09, 0x0a, 0x0d]) CLASS[code] = WHITESPACE
CLASS[0x22] = QUOTE
CLASS[0x7b] = CLASS[0x5b] = OPEN
CLASS[0x7d] = CLASS[0x5d] = CLOSE
CLASS[0x2c] = COMMA
CLASS[0x3a] = COLON

const BACKSLASH = 0x5c
const LETTER_U = 0x75
const OPEN_BRACKET = 0x5b

/** Scans `bytes`; `arrayKey` names the member of the root object whose items are wanted. */
export function scanJson(bytes: Buffer, arrayKey: string, maxDepth: number): Scan {
  return new Scanner(bytes, arrayKey, maxDepth).run()
}

class Scanner {
  readonly #bytes: Buffer
  readonly #arrayKey: string
  readonly #maxDepth: number
  #depth = 0
  #members = 0
  #whitespace = 0
  #badEscapes = 0
  #lastString = 0
  #lastStringEnd = 0
  /** The root member being read is the wanted one. */
  #wanted = false
  #wantedCount = 0
  /** Inside the wanted array, whose items are at depth 2. */
  #collecting = false
  #items: Span[] | null = null
  #itemStart = 0
  #membersBefore = 0
  #whitespaceBefore = 0
  #badEscapesBefore = 0

  constructor(bytes: Buffer, arrayKey: string, maxDepth: number) {
    this.#bytes = bytes
    this.#arrayKey = arrayKey
    this.#maxDepth = maxDepth
  }

  run(): Scan {
    const bytes = this.#bytes
    const { length } = bytes
    for (let i = 0; i < length; i++) {
      const kind = CLASS[bytes[i] ?? 0]
      if (kind === 0) continue
      if (kind === QUOTE) {
        this.#lastString = i
        i = this.#endOfString(i)
        this.#lastStringEnd = i + 1
      } else if (kind === WHITESPACE) this.#whitespace++
      else if (kind === COLON) this.#colon()
      else if (kind === COMMA) this.#comma(i)
      else if (kind === CLOSE) this.#close(i)
      else if (this.#open(i)) return this.#result(true)
    }
    return this.#result(false)
  }

  #result(tooDeep: boolean): Scan {
    const start = skipForward(this.#bytes, 0, this.#bytes.length)
    const end = skipBackward(this.#bytes, start, this.#bytes.length)
    const root = {
      start,
      end,
      members: this.#members,
      whitespace: this.#whitespace - start - (this.#bytes.length - end),
      badEscapes: this.#badEscapes,
    }
    return { tooDeep, root, items: this.#items, isKeyRepeated: this.#wantedCount > 1 }
  }

  /** Index of the closing quote, or the end of the text. */
  #endOfString(open: number): number {
    const bytes = this.#bytes
    const { length } = bytes
    let i = open + 1
    for (; i < length; i++) {
      const byte = bytes[i]
      if (byte === 0x22) return i
      if (byte === BACKSLASH) i = this.#escape(i)
    }
    return length
  }

  /** Index of the last byte of the escape at `i`; counts those that no consumer can carry. */
  #escape(i: number): number {
    if (this.#bytes[i + 1] !== LETTER_U) return i + 1
    const unit = hex4(this.#bytes, i + 2)
    if (unit === 0) this.#badEscapes++
    if (unit < 0xd800 || unit > 0xdfff) return i + 5
    const paired =
      unit < 0xdc00 && this.#bytes[i + 6] === BACKSLASH && this.#bytes[i + 7] === LETTER_U
    const next = paired ? hex4(this.#bytes, i + 8) : 0
    if (next >= 0xdc00 && next <= 0xdfff) return i + 11
    this.#badEscapes++
    return i + 5
  }

  #colon(): void {
    this.#members++
    if (this.#depth !== 1) return
    this.#wanted = this.#keyIsWanted()
    // A later member of the same name replaces the earlier one, as in JSON.parse.
    if (!this.#wanted) return
    this.#items = null
    this.#wantedCount++
  }

  #keyIsWanted(): boolean {
    const raw = this.#bytes.toString('utf8', this.#lastString + 1, this.#lastStringEnd - 1)
    if (!raw.includes('\\')) return raw === this.#arrayKey
    try {
      return JSON.parse(`"${raw}"`) === this.#arrayKey
    } catch {
      return false
    }
  }

  /** True if the text is nested too deep to continue. */
  #open(i: number): boolean {
    this.#depth++
    if (this.#depth === 2 && this.#wanted && this.#bytes[i] === OPEN_BRACKET) {
      this.#collecting = true
      this.#items = []
      this.#beginItem(i + 1)
    }
    return this.#depth > this.#maxDepth
  }

  #comma(i: number): void {
    if (this.#depth === 2 && this.#collecting) {
      this.#endItem(i)
      this.#beginItem(i + 1)
    } else if (this.#depth === 1) this.#wanted = false
  }

  #close(i: number): void {
    if (this.#depth === 2 && this.#collecting) {
      this.#endItem(i)
      this.#collecting = false
      this.#wanted = false
    }
    this.#depth--
  }

  #beginItem(i: number): void {
    this.#itemStart = i
    this.#membersBefore = this.#members
    this.#whitespaceBefore = this.#whitespace
    this.#badEscapesBefore = this.#badEscapes
  }

  #endItem(i: number): void {
    const start = skipForward(this.#bytes, this.#itemStart, i)
    const end = skipBackward(this.#bytes, start, i)
    // `[]` has no item; in any other place an empty one is not JSON.
    if (start === end) return
    const around = start - this.#itemStart + (i - end)
    this.#items?.push({
      start,
      end,
      members: this.#members - this.#membersBefore,
      whitespace: this.#whitespace - this.#whitespaceBefore - around,
      badEscapes: this.#badEscapes - this.#badEscapesBefore,
    })
  }
}

function skipForward(bytes: Buffer, from: number, to: number): number {
  let i = from
  while (i < to && CLASS[bytes[i] ?? 0] === WHITESPACE) i++
  return i
}

function skipBackward(bytes: Buffer, from: number, to: number): number {
  let i = to
  while (i > from && CLASS[bytes[i - 1] ?? 0] === WHITESPACE) i--
  return i
}

/** Value of four hexadecimal digits; -1 when they are none. */
export function hex4(bytes: Buffer, at: number): number {
  let value = 0
  for (let i = at; i < at + 4; i++) {
    const digit = hexDigit(bytes[i] ?? 0)
    if (digit < 0) return -1
    value = value * 16 + digit
  }
  return value
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

const BOM = Buffer.from([0xef, 0xbb, 0xbf])

/** Bytes of the mark. */
export const BOM_BYTES = BOM.length

/** The text without the byte order mark that some editors and libraries add. */
export function withoutByteOrderMark(bytes: Buffer): Buffer {
  return bytes[0] === BOM[0] && bytes.subarray(0, BOM.length).equals(BOM)
    ? bytes.subarray(BOM.length)
    : bytes
}
