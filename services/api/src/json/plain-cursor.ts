import { hashByte, NO_BYTES, type ByteNames } from './byte-names.js'
import { hex4 } from './scan.js'

/** Limits of plain JSON; anything beyond them is `NotPlain`. */
export interface PlainBounds {
  /** Nested containers. */
  readonly levels: number
  readonly nameBytes: number
  /** Bytes of a string other than a name. */
  readonly stringBytes: number
  /** Items of a skipped array. */
  readonly items: number
  /** Members of all open objects: each name is compared with those before it. */
  readonly members: number
  readonly objectLevels: number
  /** Bytes of an object that is an attribute, or an item of one. */
  readonly objectBytes: number
}

/**
 * The text is not JSON, or needs a full parse: a name that may occur twice in its object, an escape in
 * a name, an escape that cannot be sent, an exponent, or more than the limits allow.
 */
export class NotPlain extends Error {
  constructor() {
    super('not plain JSON')
    this.name = 'NotPlain'
  }
}

/** One shared instance: its stack is not used, and creating one costs more than a small body. */
const NOT_PLAIN = new NotPlain()

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const MINUS = 0x2d
const DOT = 0x2e
const ZERO = 0x30
const BACKSLASH = 0x5c
const SPACE = 0x20
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const LETTER_U = 0x75
const LETTER_T = 0x74
const LETTER_F = 0x66
const LETTER_N = 0x6e
const FIRST_BEYOND_ASCII = 0x80

/** Bytes that end a plain name: its end, escapes, and what MoEngage cannot store. */
const ENDS_NAME = new Uint8Array(256)
ENDS_NAME.fill(1, 0, SPACE)
for (const code of Buffer.from('"\\$.%#')) ENDS_NAME[code] = 1

/** What may follow a backslash, except `u`. */
const ESCAPED = new Uint8Array(256)
for (const code of Buffer.from('"\\/bfnrt')) ESCAPED[code] = 1

/** Code of a value's type by its first byte; 0: `null`. See census/name-table. */
const TYPE_OF = new Uint8Array(256)
TYPE_OF[QUOTE] = 1
for (const code of Buffer.from('-0123456789')) TYPE_OF[code] = 2
TYPE_OF[LETTER_T] = TYPE_OF[LETTER_F] = 3
TYPE_OF[OPEN_BRACKET] = 4
TYPE_OF[OPEN_BRACE] = 5

const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')
const NULL = Buffer.from('null')

/** Names by their bytes; see census/name-table. */
interface KnownNames {
  find(bytes: Buffer, start: number, end: number, hash: number, scope: number): number
}

const FIRST_FACTS = 4 * 64

/** Places of names in a text, and the types of their values. */
export class NameList {
  length = 0
  #facts = new Int32Array(FIRST_FACTS)
  #sum = 0
  #mixed = 0

  clear(): void {
    this.length = 0
    this.#sum = 0
    this.#mixed = 0
  }

  /** One number for the names and types in any order; other names have another, but for chance. */
  shape(scope: number): number {
    const sum = (this.#sum + Math.imul(scope, 0x9e3779b1)) >>> 0
    return sum * 2 ** 21 + (this.#mixed >>> 11)
  }

  /** `first`: the first byte, as there are words of one hash. */
  add(start: number, end: number, hash: number, type: number, first: number): void {
    const fact = Math.imul(hash ^ Math.imul(type, 0x9e3779b1), 0x85ebca6b)
    this.#sum = (this.#sum + fact) | 0
    this.#mixed ^= Math.imul((fact ^ (fact >>> 15)) + ((end - start) << 8) + first, 0xc2b2ae35)
    const at = 4 * this.length
    if (at === this.#facts.length) this.#grow()
    this.#facts[at] = start
    this.#facts[at + 1] = end
    this.#facts[at + 2] = hash
    this.#facts[at + 3] = type
    this.length++
  }

  start(index: number): number {
    return this.#facts[4 * index] ?? 0
  }

  end(index: number): number {
    return this.#facts[4 * index + 1] ?? 0
  }

  hash(index: number): number {
    return this.#facts[4 * index + 2] ?? 0
  }

  type(index: number): number {
    return this.#facts[4 * index + 3] ?? 0
  }

  #grow(): void {
    const more = new Int32Array(2 * this.#facts.length)
    more.set(this.#facts)
    this.#facts = more
  }
}

/**
 * Reads JSON bytes and decodes only the requested values; the rest is skipped, but checked against
 * RFC 8259, too. Throws `NotPlain` at the first thing that is not plain. The bytes must be UTF-8.
 *
 * `JSON.parse` decodes everything, which costs twice as much for a post of which a tenth is used. A
 * returned string is a slice of the whole text and keeps it in memory.
 */
export class PlainCursor {
  /** Index of the next byte. */
  at = 0
  /** Bytes of whitespace skipped so far, all outside strings. */
  whitespace = 0
  readonly #bytes: Buffer
  /** The bytes as one character each, for slices of ASCII strings. */
  readonly #text: string
  readonly #bounds: PlainBounds
  /** Nothing of the innermost container has been read yet. */
  #isFresh = false
  #depth = 0
  /** Hashes of the names of all open objects, the innermost's last. */
  readonly #hashes: number[] = []
  #hashCount = 0
  /** Where the names of each open object begin in `#hashes`. */
  readonly #firstHash: number[] = [0]
  #nameStart = 0
  #nameEnd = 0
  #nameHash = 0

  constructor(bytes: Buffer, bounds: PlainBounds) {
    this.#bytes = bytes
    this.#text = bytes.toString('latin1')
    this.#bounds = bounds
  }

  /** Enters the object at this position; read its members with `nextMember`. */
  openObject(): void {
    this.#open(OPEN_BRACE)
    this.#firstHash[this.#depth] = this.#hashCount
  }

  /** Goes to the value of the next member; false: the object has ended, and is left. */
  nextMember(): boolean {
    const bytes = this.#bytes
    let i = this.#next(CLOSE_BRACE)
    if (i < 0) {
      this.#hashCount = this.#firstHash[this.#depth + 1] ?? 0
      return false
    }
    i = this.#endOfName(i)
    if ((bytes[i] ?? 0) <= SPACE) i = this.#endOfSpace(i)
    if (bytes[i] !== COLON) throw NOT_PLAIN
    i++
    if ((bytes[i] ?? 0) <= SPACE) i = this.#endOfSpace(i)
    this.at = i
    return true
  }

  /** The current member's name, if it is one of these. */
  nameOf<Name extends string>(names: ByteNames<Name>): Name | undefined {
    return names.find(this.#bytes, this.#nameStart, this.#nameEnd, this.#nameHash)
  }

  /** The current member's name. */
  get name(): string {
    return this.#bytes.toString('utf8', this.#nameStart, this.#nameEnd)
  }

  /** Bytes of the current member's name. */
  get nameBytes(): number {
    return this.#nameEnd - this.#nameStart
  }

  /** Whether the current member's name has this prefix; ASCII. */
  nameStartsWith(prefix: string): boolean {
    // Most names differ in their first letter.
    if (this.#bytes[this.#nameStart] !== prefix.charCodeAt(0)) return false
    if (this.#nameEnd - this.#nameStart < prefix.length) return false
    for (let i = 1; i < prefix.length; i++) {
      if (this.#bytes[this.#nameStart + i] !== prefix.charCodeAt(i)) return false
    }
    return true
  }

  /** Adds the present member's name, and the type of its value, to a list. */
  note(names: NameList): void {
    const bytes = this.#bytes
    const start = this.#nameStart
    const end = this.#nameEnd
    names.add(start, end, this.#nameHash, TYPE_OF[bytes[this.at] ?? 0] ?? 0, bytes[start] ?? 0)
  }

  /** A name of a list, made by `note`. */
  seenName(names: NameList, index: number): string {
    return this.#bytes.toString('utf8', names.start(index), names.end(index))
  }

  /** The index of a name of a list among those that are known; -1: it is unknown. */
  findSeen(known: KnownNames, names: NameList, index: number, scope: number): number {
    const start = names.start(index)
    return known.find(this.#bytes, start, names.end(index), names.hash(index), scope)
  }

  /** Enters the array at this position; read its items with `nextItem`. */
  openArray(): void {
    this.#open(OPEN_BRACKET)
  }

  /** Goes to the next item; false: the array has ended, and is left. */
  nextItem(): boolean {
    const i = this.#next(CLOSE_BRACKET)
    if (i < 0) return false
    this.at = i
    return true
  }

  get isAtObject(): boolean {
    return this.#bytes[this.at] === OPEN_BRACE
  }

  get isAtArray(): boolean {
    return this.#bytes[this.at] === OPEN_BRACKET
  }

  /** A word that is not JSON begins so, too. */
  get isAtNull(): boolean {
    return this.#bytes[this.at] === LETTER_N
  }

  /** Skips the value at this position. */
  pass(): void {
    const bytes = this.#bytes
    switch (bytes[this.at] ?? 0) {
      case QUOTE:
        this.at = endOfString(bytes, this.at, this.#bounds.stringBytes)
        return
      case OPEN_BRACE:
        this.openObject()
        while (this.nextMember()) this.pass()
        return
      case OPEN_BRACKET:
        this.#passArray()
        return
      case LETTER_T:
        this.at = endOfWord(bytes, this.at, TRUE)
        return
      case LETTER_F:
        this.at = endOfWord(bytes, this.at, FALSE)
        return
      case LETTER_N:
        this.at = endOfWord(bytes, this.at, NULL)
        return
      default:
        this.at = endOfNumber(bytes, this.at)
    }
  }

  /**
   * Skips the value of an attribute if no rule can apply to it, by the criteria of validate/values.
   */
  passAttribute(): void {
    const bytes = this.#bytes
    if (bytes[this.at] !== QUOTE) this.#passPlain(1)
    else if (bytes[this.at + 1] === QUOTE) throw NOT_PLAIN
    else this.at = endOfString(bytes, this.at, this.#bounds.stringBytes)
  }

  /** `level`: nesting of objects that an object here would have. */
  #passPlain(level: number): void {
    switch (this.#bytes[this.at] ?? 0) {
      case OPEN_BRACE:
        this.#passPlainObject(level)
        return
      case OPEN_BRACKET:
        this.#passPlainArray(level)
        return
      case LETTER_N:
        throw NOT_PLAIN
      default:
        this.pass()
    }
  }

  #passPlainObject(level: number): void {
    if (level > this.#bounds.objectLevels) throw NOT_PLAIN
    const start = this.at
    let isEmpty = true
    this.openObject()
    while (this.nextMember()) {
      isEmpty = false
      this.#passPlain(level + 1)
    }
    if (isEmpty || this.at - start > this.#bounds.objectBytes) throw NOT_PLAIN
  }

  /** Items of a single kind: strings, numbers or objects. */
  #passPlainArray(level: number): void {
    let kind = 0
    this.openArray()
    for (let items = 0; this.nextItem(); items++) {
      const found = kindOf(this.#bytes[this.at] ?? 0)
      if (items === 0) kind = found
      if (found === 0 || found !== kind || items >= this.#bounds.items) throw NOT_PLAIN
      if (found === OPEN_BRACE) this.#passPlainObject(level)
      else this.pass()
    }
  }

  value(): unknown {
    const bytes = this.#bytes
    const start = this.at
    const end = bytes[start] === QUOTE ? endOfBareText(bytes, start + 1) : -1
    if (end - start - 1 > this.#bounds.stringBytes) throw NOT_PLAIN
    if (end >= 0) {
      this.at = end + 1
      return this.#text.slice(start + 1, end)
    }
    this.pass()
    return JSON.parse(bytes.toString('utf8', start, this.at)) as unknown
  }

  /** Skips whitespace. */
  passSpace(): void {
    this.at = this.#endOfSpace(this.at)
  }

  #endOfSpace(from: number): number {
    const bytes = this.#bytes
    let i = from
    while (isSpace(bytes[i] ?? 0)) i++
    this.whitespace += i - from
    return i
  }

  /** Makes sure that nothing more follows. */
  end(): void {
    this.passSpace()
    if (this.at !== this.#bytes.length) throw NOT_PLAIN
  }

  #open(bracket: number): void {
    if (this.#bytes[this.at] !== bracket || this.#depth >= this.#bounds.levels) throw NOT_PLAIN
    this.#depth++
    this.#isFresh = true
    this.at++
  }

  /** Where the next entry of the innermost container begins; negative: it has ended with `bracket`, and is left. */
  #next(bracket: number): number {
    const bytes = this.#bytes
    let i = this.at
    let byte = bytes[i] ?? 0
    if (byte <= SPACE) {
      i = this.#endOfSpace(i)
      byte = bytes[i] ?? 0
    }
    const isFresh = this.#isFresh
    this.#isFresh = false
    if (byte === bracket) {
      this.#depth--
      this.at = i + 1
      return -1
    }
    if (isFresh) return i
    if (byte !== COMMA) throw NOT_PLAIN
    i++
    return (bytes[i] ?? 0) <= SPACE ? this.#endOfSpace(i) : i
  }

  #passArray(): void {
    this.openArray()
    for (let items = 0; this.nextItem(); items++) {
      if (items >= this.#bounds.items) throw NOT_PLAIN
      this.pass()
    }
  }

  /** The end of the name that begins at `open`; it becomes the current one. */
  #endOfName(open: number): number {
    const bytes = this.#bytes
    if (bytes[open] !== QUOTE) throw NOT_PLAIN
    const start = open + 1
    let hash = NO_BYTES
    let i = start
    let byte = bytes[i] ?? 0
    for (; ENDS_NAME[byte] === 0; byte = bytes[++i] ?? 0) hash = hashByte(hash, byte)
    if (byte !== QUOTE) throw NOT_PLAIN
    if (i - start > this.#bounds.nameBytes) throw NOT_PLAIN
    this.#nameStart = start
    this.#nameEnd = i
    this.#nameHash = hash
    this.#remember(hash)
    return i + 1
  }

  /** Notes a name of the innermost object; equal hashes may be equal names. */
  #remember(hash: number): void {
    const hashes = this.#hashes
    const count = this.#hashCount
    if (count >= this.#bounds.members) throw NOT_PLAIN
    for (let i = this.#firstHash[this.#depth] ?? 0; i < count; i++) {
      if (hashes[i] === hash) throw NOT_PLAIN
    }
    hashes[count] = hash
    this.#hashCount = count + 1
  }
}

/** The kind of item that begins with a byte; 0 for one that an array of an attribute cannot have. */
function kindOf(byte: number): number {
  if (byte === QUOTE || byte === OPEN_BRACE) return byte
  return byte === MINUS || isDigit(byte) ? ZERO : 0
}

/** Where the string ends that begins at `open`; `most` is how many bytes it may have. */
function endOfString(bytes: Buffer, open: number, most: number): number {
  let i = open + 1
  for (let byte = bytes[i] ?? 0; byte !== QUOTE; byte = bytes[++i] ?? 0) {
    if (byte < SPACE) throw NOT_PLAIN
    if (byte === BACKSLASH) i = lastOfEscape(bytes, i)
  }
  if (i - open - 1 > most) throw NOT_PLAIN
  return i + 1
}

/** Index of the last byte of the escape at `i`. */
function lastOfEscape(bytes: Buffer, i: number): number {
  const byte = bytes[i + 1] ?? 0
  if (ESCAPED[byte] === 1) return i + 1
  if (byte !== LETTER_U) throw NOT_PLAIN
  const unit = hex4(bytes, i + 2)
  // No number, NUL, surrogates.
  if (unit <= 0 || (unit >= 0xd800 && unit <= 0xdfff)) throw NOT_PLAIN
  return i + 5
}

function endOfWord(bytes: Buffer, at: number, word: Buffer): number {
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) throw NOT_PLAIN
  return at + word.length
}

/** Without exponent. */
function endOfNumber(bytes: Buffer, at: number): number {
  const start = bytes[at] === MINUS ? at + 1 : at
  const whole = endOfDigits(bytes, start)
  if (whole === start || (bytes[start] === ZERO && whole > start + 1)) throw NOT_PLAIN
  if (bytes[whole] !== DOT) return whole
  const end = endOfDigits(bytes, whole + 1)
  if (end === whole + 1) throw NOT_PLAIN
  return end
}

function endOfDigits(bytes: Buffer, from: number): number {
  let i = from
  while (isDigit(bytes[i] ?? 0)) i++
  return i
}

function isSpace(byte: number): boolean {
  return byte <= SPACE && (byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09)
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39
}

/** Index of the quote that ends an ASCII string without escapes; negative for any other string. */
function endOfBareText(bytes: Buffer, start: number): number {
  for (let i = start; ; i++) {
    const byte = bytes[i] ?? 0
    if (byte === QUOTE) return i
    if (byte < SPACE || byte >= FIRST_BEYOND_ASCII || byte === BACKSLASH) return -1
  }
}
