import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { KINDS, type Element, type Provenance } from '../element.js'
import { ChunkElement, ELEMENT_BYTES, POSTED } from './chunk-elements.js'

/** An element with where it came from. */
export interface TracedElement extends Element {
  readonly provenance: Provenance
  /** Length of `json`, which makes a buffer each time it is asked for. */
  readonly jsonBytes: number
  /** Writes its JSON into `target` at `at`; returns where it ends. */
  copyJson(target: Buffer, at: number): number
}

/** Elements of one post that share a chunk. */
export interface ChunkPart {
  readonly provenance: Provenance
  readonly elements: readonly Element[]
}

/*
 * Layout of a chunk, version 1, little endian:
 *   u8 version · u8 encoding · u16 posts · u32 elements · u32 bytes of all JSON
 *   per post:    u8 length of request id · request id (latin1) · u48 acceptedAtMs · u32 elements
 *   per element: u32 bytes of JSON · u8 kind + POSTED · u16 cost · 8 bytes customer
 *   all JSON, one after the other, stored or deflated
 * Binary, since the element's own bytes travel: as JSON inside BullMQ's JSON they would cost
 * 1.16 to 1.39 times their size and be parsed again on the way out.
 */
export const CHUNK_FORMAT = 1
const STORED = 0
const DEFLATED = 1
const HEADER_BYTES = 12
export const JSON_BYTES_AT = 8
/** zlib's own lower bound of an output buffer. */
const LEAST_INFLATE_BYTES = 64
/** Largest cost that fits; intake splits events far below it. */
export const MAX_COST = 0xffff

/** A chunk of a format this process does not know: a newer relay wrote it. */
export class UnknownChunkError extends Error {
  readonly version: number
  constructor(version: number) {
    super(`chunk format ${String(version)} is newer than this process understands`)
    this.name = 'UnknownChunkError'
    this.version = version
  }
}

/** Encodes the parts of one chunk, in order. `compress` trades CPU for Redis memory. */
export function encodeChunk(parts: readonly ChunkPart[], compress: boolean): Buffer {
  const elements = parts.flatMap((part) => part.elements)
  const ids = parts.map((part) => Buffer.from(part.provenance.requestId, 'latin1'))
  const postBytes = ids.reduce((sum, id) => sum + 1 + id.length + 6 + 4, 0)
  const head = Buffer.allocUnsafe(HEADER_BYTES + postBytes + elements.length * ELEMENT_BYTES)
  let at = HEADER_BYTES
  parts.forEach(({ provenance, elements: own }, i) => {
    const id = ids[i] ?? Buffer.alloc(0)
    at = head.writeUInt8(id.length, at)
    at += id.copy(head, at)
    at = head.writeUIntLE(provenance.acceptedAtMs, at, 6)
    at = head.writeUInt32LE(own.length, at)
  })
  let jsonBytes = 0
  for (const { json, kind, cost, customer, posted } of elements) {
    jsonBytes += json.length
    at = head.writeUInt32LE(json.length, at)
    at = head.writeUInt8(KINDS.indexOf(kind) | (posted ? POSTED : 0), at)
    at = head.writeUInt16LE(cost, at)
    at += head.write(customer, at, 8, 'latin1')
  }
  const json = elements.map((element) => element.json)
  head.writeUInt8(CHUNK_FORMAT, 0)
  head.writeUInt8(compress ? DEFLATED : STORED, 1)
  head.writeUInt16LE(parts.length, 2)
  head.writeUInt32LE(elements.length, 4)
  head.writeUInt32LE(jsonBytes, JSON_BYTES_AT)
  if (!compress) return Buffer.concat([head, ...json])
  return Buffer.concat([head, deflateRawSync(Buffer.concat(json), { level: 1 })])
}

/**
 * Decodes a chunk. Elements share copies of its parts, so that nothing else of what came with it from
 * Redis is kept. Throws `UnknownChunkError` on a newer format.
 */
export function decodeChunk(chunk: Buffer): TracedElement[] {
  const version = chunk.readUInt8(0)
  if (version !== CHUNK_FORMAT) throw new UnknownChunkError(version)
  const count = chunk.readUInt32LE(4)
  const { posts, end } = readPosts(chunk)
  const tail = chunk.subarray(end + count * ELEMENT_BYTES)
  const text = {
    table: Buffer.from(chunk.subarray(end, end + count * ELEMENT_BYTES)),
    json: isDeflated(chunk) ? inflate(tail, chunk.readUInt32LE(JSON_BYTES_AT)) : Buffer.from(tail),
  }
  const elements: TracedElement[] = []
  let from = 0
  let row = 0
  for (const { provenance, elements: own } of posts) {
    for (let i = 0; i < own; i += 1, row += ELEMENT_BYTES) {
      elements.push(new ChunkElement(text, row, from, provenance))
      from += text.table.readUInt32LE(row)
    }
  }
  return elements
}

/** `bytes`: what comes out. Given as one output buffer: by default it would grow in 16 KB pieces. */
function inflate(tail: Buffer, bytes: number): Buffer {
  return inflateRawSync(tail, { chunkSize: Math.max(LEAST_INFLATE_BYTES, bytes + 1) })
}

/** Whether the chunk's JSON is compressed. */
export function isDeflated(chunk: Buffer): boolean {
  return chunk.readUInt8(1) === DEFLATED
}

/** Where the elements' table begins. */
export function elementTable(chunk: Buffer): number {
  return readPosts(chunk).end
}

function readPosts(chunk: Buffer) {
  const posts: { provenance: Provenance; elements: number }[] = []
  let at = HEADER_BYTES
  for (let i = chunk.readUInt16LE(2); i > 0; i -= 1) {
    const idEnd = at + 1 + chunk.readUInt8(at)
    posts.push({
      provenance: {
        requestId: chunk.toString('latin1', at + 1, idEnd),
        acceptedAtMs: chunk.readUIntLE(idEnd, 6),
      },
      elements: chunk.readUInt32LE(idEnd + 6),
    })
    at = idEnd + 10
  }
  return { posts, end: at }
}
