import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { Random } from './random.js'

/**
 * Request ids: 16 bytes written as 26 letters of Crockford's base32, so that they sort by time and
 * can be read aloud. Layout, high to low: 48 bits acceptance time (ms since 1970), 20 bits element
 * count, 16 bits producer tag, 32 random bits, 12 bits checksum.
 */
export interface RequestIdFacts {
  /** Wall clock of acceptance, ms since 1970 UTC. */
  readonly acceptedAtMs: number
  /** Elements accepted, at most `MAX_COUNTED_ELEMENTS`. */
  readonly elementCount: number
  /** `producerTag` of the producer: only that producer may ask for the trace. */
  readonly producerTag: number
  /** Whether the checksum is right: a mistyped id does not claim that its elements are queued. */
  readonly isIntact: boolean
}

export const MAX_COUNTED_ELEMENTS = 0xfffff

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const SHAPE = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/
export const REQUEST_ID_DIGITS = 26

/** By name; names are those of the configuration, so there are few. */
const TAGS = new Map<string, number>()
const MAX_TAGS = 1_000

/** 16 bits that stand for a producer's name; equal names give equal tags. */
export function producerTag(name: string): number {
  const known = TAGS.get(name)
  if (known !== undefined) return known
  const tag = hash('sha256', name, 'buffer').readUInt16BE(0)
  if (TAGS.size < MAX_TAGS) TAGS.set(name, tag)
  return tag
}

export function createRequestId(
  acceptedAtMs: number,
  elementCount: number,
  producer: number,
  random: Random,
): string {
  const noise = random.bytes(6)
  const bytes = Buffer.alloc(16)
  bytes.writeUIntBE(acceptedAtMs, 0, 6)
  const count = Math.min(elementCount, MAX_COUNTED_ELEMENTS)
  bytes.writeUIntBE(count * 16 + (producer >>> 12), 6, 3)
  bytes.writeUInt16BE(((producer & 0xfff) << 4) | (noise.readUInt8(0) & 0xf), 9)
  noise.copy(bytes, 11, 1)
  return encode(withChecksum(bytes))
}

/** Facts encoded in a request id; null for an invalid id. */
export function parseRequestId(text: string): RequestIdFacts | null {
  if (!SHAPE.test(text)) return null
  let value = 0n
  for (const letter of text) value = value * 32n + BigInt(ALPHABET.indexOf(letter))
  const bytes = Buffer.from(value.toString(16).padStart(32, '0'), 'hex')
  return {
    acceptedAtMs: Number(value >> 80n),
    elementCount: Number((value >> 60n) & 0xfffffn),
    producerTag: Number((value >> 44n) & 0xffffn),
    isIntact: withChecksum(bytes).equals(bytes),
  }
}

/** The lowest 12 bits are made of all others. */
function withChecksum(bytes: Buffer): Buffer {
  const checked = Buffer.from(bytes)
  const end = bytes.readUInt16BE(14) & 0xf000
  checked.writeUInt16BE(end, 14)
  checked.writeUInt16BE(end | (crc32(checked) & 0xfff), 14)
  return checked
}

/** 128 bits in 26 letters: the first carries the three highest bits, each other one five. */
function encode(bytes: Buffer): string {
  let text = ''
  for (let digit = 0; digit < REQUEST_ID_DIGITS; digit++) {
    const lowest = 125 - digit * 5
    text += ALPHABET.charAt(bitsAt(bytes, lowest))
  }
  return text
}

/** Five bits of a 128-bit big-endian number from bit `lowest` up; bits beyond the number are 0. */
function bitsAt(bytes: Buffer, lowest: number): number {
  const byte = 15 - (lowest >> 3)
  const low = bytes[byte] ?? 0
  const high = byte > 0 ? (bytes[byte - 1] ?? 0) : 0
  return (((high << 8) | low) >> (lowest & 7)) & 31
}
