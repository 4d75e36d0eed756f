import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { Random } from './random.js'

/**
 * Request ids: 128 bits written as 26 letters of Crockford's base32, so that they sort by time and
 * can be read aloud. Layout, high to low: 48 bits acceptance time (ms since 1970), 20 bits element
 * count, 16 bits producer tag, 34 random bits, 10 bits checksum.
 */
export interface RequestIdFacts {
  /** Wall clock of acceptance, ms since 1970 UTC. */
  readonly acceptedAtMs: number
  /** Elements accepted, at most `MAX_COUNTED_ELEMENTS`. */
  readonly elementCount: number
  /** `producerTag` of the producer: only that producer may ask for the trace. */
  readonly producerTag: number
}

export const MAX_COUNTED_ELEMENTS = 0xfffff

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const SHAPE = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/
export const REQUEST_ID_DIGITS = 26
/** Where the letters of the time, the count, and the tag with four random bits end. */
const [TIME_END, COUNT_END, TAG_END] = [10, 14, 18] as const
const CHECKSUM_FROM = 24
/** Value of a letter by its code; 0 for other characters. */
const VALUES = new Uint8Array(128)
for (let i = 0; i < ALPHABET.length; i++) VALUES[ALPHABET.charCodeAt(i)] = i

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
  const count = Math.min(elementCount, MAX_COUNTED_ELEMENTS)
  const noise = random.bytes(6).readUIntBE(0, 6) % 2 ** 34
  const checked =
    lettersOf(acceptedAtMs, TIME_END) +
    lettersOf(count, COUNT_END - TIME_END) +
    lettersOf(producer * 16 + Math.floor(noise / 2 ** 30), TAG_END - COUNT_END) +
    lettersOf(noise % 2 ** 30, CHECKSUM_FROM - TAG_END)
  return checked + checksumOf(checked)
}

/** Facts encoded in a request id; null for an invalid id. */
export function parseRequestId(text: string): RequestIdFacts | null {
  if (!SHAPE.test(text)) return null
  return {
    acceptedAtMs: numberIn(text, 0, TIME_END),
    elementCount: numberIn(text, TIME_END, COUNT_END),
    producerTag: Math.floor(numberIn(text, COUNT_END, TAG_END) / 16),
  }
}

/** Whether the checksum is right: a mistyped id does not claim that its elements are queued. */
export function isIntact(requestId: string): boolean {
  return requestId.slice(CHECKSUM_FROM) === checksumOf(requestId.slice(0, CHECKSUM_FROM))
}

function checksumOf(letters: string): string {
  return lettersOf(crc32(letters) & 0x3ff, REQUEST_ID_DIGITS - CHECKSUM_FROM)
}

/** The number that some letters of a request id write, at most 10 of them. */
export function numberIn(requestId: string, from: number, to: number): number {
  let value = 0
  for (let i = from; i < to; i += 1) value = value * 32 + (VALUES[requestId.charCodeAt(i)] ?? 0)
  return value
}

function lettersOf(value: number, count: number): string {
  let text = ''
  for (let left = value; text.length < count; left = Math.floor(left / 32)) {
    text = ALPHABET.charAt(left % 32) + text
  }
  return text
}
