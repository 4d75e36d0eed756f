/**
 * A fixed set of names that can be recognised in the bytes of a text without building a string. Open
 * addressing: a name that is not in the set usually costs one look at an empty slot.
 */
export class ByteNames<Name extends string> {
  readonly #names: readonly Name[]
  readonly #texts: readonly Buffer[]
  readonly #hashes: Int32Array
  /** 1 + index of a name, by hash; 0: none. At most a quarter full. */
  readonly #places: Uint16Array
  readonly #mask: number

  constructor(names: Iterable<Name>) {
    this.#names = [...new Set(names)]
    this.#texts = this.#names.map((name) => Buffer.from(name))
    this.#hashes = Int32Array.from(this.#texts, hashOf)
    let size = 4
    while (size < 4 * this.#names.length) size *= 2
    this.#places = new Uint16Array(size)
    this.#mask = size - 1
    this.#hashes.forEach((hash, index) => {
      let at = hash & this.#mask
      while (this.#places[at] !== 0) at = (at + 1) & this.#mask
      this.#places[at] = index + 1
    })
  }

  /** The name from `start` to `end`; `hash` is the hash of these bytes. */
  find(bytes: Buffer, start: number, end: number, hash: number): Name | undefined {
    for (let at = hash & this.#mask; ; at = (at + 1) & this.#mask) {
      const place = this.#places[at] ?? 0
      if (place === 0) return undefined
      if (this.#hashes[place - 1] !== hash) continue
      const text = this.#texts[place - 1]
      if (text !== undefined && isAt(text, bytes, start, end)) return this.#names[place - 1]
    }
  }
}

function isAt(text: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (text.length !== end - start) return false
  for (let i = 0; i < text.length; i++) if (text[i] !== bytes[start + i]) return false
  return true
}

/** `hash` with one more byte, as in FNV-1a: 31 times the hash plus the byte is alike for `Aa` and `BB`. */
export function hashByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193)
}

/** What the hash of a text starts with. */
export const NO_BYTES = 0x811c9dc5 | 0

export function hashOf(text: Buffer): number {
  let hash = NO_BYTES
  for (const byte of text) hash = hashByte(hash, byte)
  return hash
}

/** A copy of the text: a slice of a body keeps the whole body in memory. */
export function apart(text: string): string {
  return Buffer.from(text).toString()
}
