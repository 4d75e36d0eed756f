import type { NameType } from '@relay/shared/census/name-record.js'
import { apart, hashOf } from '../json/byte-names.js'

/** Bit of a type in a set of types; `NO_TYPE` is that of `null`, which says nothing about a type. */
export const NO_TYPE = 0
export const TYPE_CODES: Readonly<Record<NameType, number>> = {
  text: 1,
  number: 2,
  boolean: 3,
  array: 4,
  object: 5,
}

/** Scope of events' names, and of users' attributes; that of an event's attributes is `scopeOf`. */
export const EVENTS = 0
export const USER = 1

/** The scope of the attributes of the event with this index. */
export function scopeOf(event: number): number {
  return event + 2
}

const FIRST_BYTES = 1_024
/** A shape is never negative. */
const NO_SHAPE = -1
/** Places for quiet shapes, a power of two: 16 KB. */
const SHAPES = 2_048
const FIRST_NAMES = 64
/** Events that are remembered, a power of two. */
const RECENT = 64

export interface NameTableData {
  readonly size: number
  readonly bytes: Uint8Array
  readonly starts: Int32Array<ArrayBuffer>
  readonly lengths: Uint16Array<ArrayBuffer>
  readonly scopes: Int32Array<ArrayBuffer>
  readonly hashes: Int32Array<ArrayBuffer>
  readonly quiet: Uint8Array<ArrayBuffer>
  readonly places: Int32Array<ArrayBuffer>
  readonly events: Map<string, number>
}

/**
 * The names known of a workspace, told from the bytes of a text without making a string of them: open
 * addressing over arrays of numbers, and all names in one buffer, so that a name costs about 50 bytes.
 */
export class NameTable {
  /** Number of names. */
  size = 0
  #bytes = Buffer.alloc(FIRST_BYTES)
  #bytesUsed = 0
  #starts = new Int32Array(FIRST_NAMES)
  #lengths = new Uint16Array(FIRST_NAMES)
  #scopes = new Int32Array(FIRST_NAMES)
  #hashes = new Int32Array(FIRST_NAMES)
  /** Types of which there is nothing to say, by name. */
  #quiet = new Uint8Array(FIRST_NAMES)
  /** 1 + index of a name, by hash; 0: none. At most a quarter full. */
  #places = new Int32Array(4 * FIRST_NAMES)
  /**
   * Names and types that were all found quiet, see `NameList.shape`: most elements are of a few kinds. Each
   * has one place, where the last one stays.
   */
  readonly #quietShapes = new Float64Array(SHAPES).fill(NO_SHAPE)
  /** Indexes of events: their names are read as texts anyway. */
  #events = new Map<string, number>()
  /** Events that were found last, each in its place. */
  readonly #recentNames = new Array<string | null>(RECENT).fill(null)
  readonly #recent = new Int32Array(RECENT).fill(-1)

  /** Everything in it, for another thread. */
  get data(): NameTableData {
    return {
      ...{ size: this.size, bytes: this.#bytes.subarray(0, this.#bytesUsed) },
      ...{ starts: this.#starts, lengths: this.#lengths, scopes: this.#scopes },
      ...{ hashes: this.#hashes, quiet: this.#quiet, places: this.#places, events: this.#events },
    }
  }

  static from(data: NameTableData): NameTable {
    const table = new NameTable()
    table.size = data.size
    table.#bytes = Buffer.from(data.bytes)
    table.#bytesUsed = data.bytes.length
    table.#starts = data.starts
    table.#lengths = data.lengths
    table.#scopes = data.scopes
    table.#hashes = data.hashes
    table.#quiet = data.quiet
    table.#places = data.places
    table.#events = data.events
    return table
  }

  /** The index of the name that stands from `start` to `end`; `hash` is that of these bytes. -1: it is unknown. */
  find(bytes: Buffer, start: number, end: number, hash: number, scope: number): number {
    const mask = this.#places.length - 1
    const mixed = mix(hash, scope)
    for (let at = mixed & mask; ; at = (at + 1) & mask) {
      const index = (this.#places[at] ?? 0) - 1
      if (index < 0) return -1
      if (this.#hashes[index] !== mixed || this.#scopes[index] !== scope) continue
      if (this.#isAt(index, bytes, start, end)) return index
    }
  }

  /** The index of an event; -1: it is unknown. */
  findEvent(name: string): number {
    const place = (31 * name.length + name.charCodeAt(name.length - 1)) & (RECENT - 1)
    // A text of a body has no hash yet: it is cheaper to compare than to look up.
    if (this.#recentNames[place] === name) return this.#recent[place] ?? -1
    const index = this.#events.get(name) ?? -1
    if (index >= 0) {
      this.#recentNames[place] = apart(name)
      this.#recent[place] = index
    }
    return index
  }

  findText(name: string, scope: number): number {
    const bytes = Buffer.from(name)
    return this.find(bytes, 0, bytes.length, hashOf(bytes), scope)
  }

  /** Whether there is nothing to say of the name with a value of this type. */
  isQuiet(index: number, type: number): boolean {
    return ((this.#quiet[index] ?? 0) & (1 << type)) !== 0
  }

  isQuietShape(shape: number): boolean {
    return this.#quietShapes[shape & (SHAPES - 1)] === shape
  }

  addQuietShape(shape: number): void {
    this.#quietShapes[shape & (SHAPES - 1)] = shape
  }

  /** `types`: codes of which there is nothing to say. */
  setQuiet(index: number, types: readonly number[]): void {
    this.#quietShapes.fill(NO_SHAPE)
    this.#quiet[index] = types.reduce((bits, type) => bits | (1 << type), 0)
  }

  /** Adds a name that is unknown; returns its index. */
  add(name: string, scope: number): number {
    const bytes = Buffer.from(name)
    const index = this.size
    if (index === this.#starts.length) this.#grow()
    while (this.#bytesUsed + bytes.length > this.#bytes.length) {
      this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#bytes.length)])
    }
    bytes.copy(this.#bytes, this.#bytesUsed)
    this.#starts[index] = this.#bytesUsed
    this.#lengths[index] = bytes.length
    this.#bytesUsed += bytes.length
    this.#scopes[index] = scope
    this.#hashes[index] = mix(hashOf(bytes), scope)
    this.size = index + 1
    if (scope === EVENTS) this.#events.set(name, index)
    this.#place(index)
    return index
  }

  #place(index: number): void {
    const mask = this.#places.length - 1
    let at = (this.#hashes[index] ?? 0) & mask
    while (this.#places[at] !== 0) at = (at + 1) & mask
    this.#places[at] = index + 1
  }

  #grow(): void {
    const names = 2 * this.#starts.length
    this.#starts = grown(this.#starts, new Int32Array(names))
    this.#lengths = grown(this.#lengths, new Uint16Array(names))
    this.#scopes = grown(this.#scopes, new Int32Array(names))
    this.#hashes = grown(this.#hashes, new Int32Array(names))
    this.#quiet = grown(this.#quiet, new Uint8Array(names))
    this.#places = new Int32Array(4 * names)
    for (let index = 0; index < this.size; index++) this.#place(index)
  }

  #isAt(index: number, bytes: Buffer, start: number, end: number): boolean {
    const length = end - start
    if (this.#lengths[index] !== length) return false
    const own = this.#starts[index] ?? 0
    const known = this.#bytes
    for (let i = 0; i < length; i++) if (known[own + i] !== bytes[start + i]) return false
    return true
  }
}

function grown<T extends Int32Array | Uint16Array | Uint8Array>(from: T, to: T): T {
  to.set(from)
  return to
}

/** Hashes of short names differ in their low bits; those of one name in two scopes must, too. */
function mix(hash: number, scope: number): number {
  const mixed = Math.imul(hash ^ Math.imul(scope, 0x9e3779b1), 0x85ebca6b)
  return mixed ^ (mixed >>> 15)
}
