import type { Random } from '@relay/shared/random.js'
import { pick } from '@relay/shared/seeded-random.js'

/** Pieces that parsers of HTTP and JSON stumble over. */
const TOKENS: readonly Buffer[] = [
  ...['\r\n', '\n', '\r', '\r\n\r\n', '\0', ' ', '\t', ':', ',', '"', '\\', '{', '}', '[', ']'],
  ...['\\u0000', '\\ud800', '__proto__', 'constructor', 'null', 'true', '-0', '1e999', '0x10'],
  ...['99999999999999999999', '-1', '1.10', '%00', '%2e%2e/', '../', '//', '?', '#', ';', '='],
  ...['Content-Length: 0\r\n', 'Transfer-Encoding: chunked\r\n', 'Expect: 100-continue\r\n'],
  ...['Connection: close\r\n', 'Content-Encoding: gzip\r\n', 'Upgrade: h2c\r\n', 'HTTP/1.0'],
  ...['0\r\n\r\n', 'ffffffffffffffff\r\n', '\u00e9', '\u{1f600}', '\ufeff', 'customer', 'event'],
].map((text) => Buffer.from(text))
const BYTES: readonly Buffer[] = [
  Buffer.from([0xff]),
  Buffer.from([0xc0, 0xaf]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0x1f, 0x8b]),
]
const DICTIONARY = [...TOKENS, ...BYTES]
const MAX_REPEATS = 200
const MAX_PIECE = 64

type Mutation = (bytes: Buffer, random: Random, others: readonly Buffer[]) => Buffer

const place = (bytes: Buffer, random: Random) => Math.floor(random.next() * (bytes.length + 1))

function replaced(bytes: Buffer, from: number, to: number, by: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, from), by, bytes.subarray(to)])
}

function stretch(bytes: Buffer, random: Random): readonly [number, number] {
  const from = place(bytes, random)
  return [from, Math.min(bytes.length, from + 1 + Math.floor(random.next() * MAX_PIECE))]
}

const MUTATIONS: readonly Mutation[] = [
  // A bit flips.
  (bytes, random) => {
    const copy = Buffer.from(bytes)
    const at = Math.floor(random.next() * bytes.length)
    copy[at] = (copy[at] ?? 0) ^ (1 << Math.floor(random.next() * 8))
    return copy
  },
  // A byte becomes another.
  (bytes, random) => {
    const at = place(bytes, random)
    return replaced(bytes, at, at + 1, random.bytes(1))
  },
  // A piece of the dictionary comes in, or takes a place.
  (bytes, random) => {
    const at = place(bytes, random)
    return replaced(bytes, at, at, pick(random, DICTIONARY))
  },
  (bytes, random) => replaced(bytes, ...stretch(bytes, random), pick(random, DICTIONARY)),
  // A stretch goes, comes twice, or comes very often.
  (bytes, random) => replaced(bytes, ...stretch(bytes, random), Buffer.alloc(0)),
  (bytes, random) => {
    const [from, to] = stretch(bytes, random)
    return replaced(bytes, to, to, bytes.subarray(from, to))
  },
  (bytes, random) => {
    const [from, to] = stretch(bytes, random)
    const times = 1 + Math.floor(random.next() * MAX_REPEATS)
    return replaced(bytes, to, to, Buffer.concat(Array(times).fill(bytes.subarray(from, to)) as Buffer[])) // prettier-ignore
  },
  // The rest is another's.
  (bytes, random, others) => {
    const other = pick(random, others)
    return Buffer.concat([
      bytes.subarray(0, place(bytes, random)),
      other.subarray(place(other, random)),
    ])
  },
  // It ends early.
  (bytes, random) => bytes.subarray(0, place(bytes, random)),
]

/** Some one to four mutations of one of `corpus`, the same for the same random numbers. */
export function mutated(corpus: readonly Buffer[], random: Random): Buffer {
  let bytes = pick(random, corpus)
  for (let left = 1 + Math.floor(random.next() * 4); left > 0; left--) {
    bytes = pick(random, MUTATIONS)(bytes, random, corpus)
  }
  return bytes
}
