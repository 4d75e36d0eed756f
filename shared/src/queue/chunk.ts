import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { KINDS, type Element, type Provenance, type Kind } from '../element.js'
import {
  ChunkElement,
  CUSTOMER_BYTES,
  ELEMENT_BYTES,
  POSTED,
  type TracedElement,
} from './chunk-elements.js'
import { SPAN_CONTEXT_BYTES } from '../telemetry/tracer.js'

export type { TracedElement } from './chunk-elements.js'

/** Elements of one post that share a chunk. */
export interface ChunkPart {
  readonly provenance: Provenance
  readonly elements: readonly Element[]
}

/*
 * Layout of a chunk, versions 1 and 2, little endian:
 *   u8 version · u8 encoding · u16 posts · u32 elements · u32 bytes of all JSON
 *   per post:    u8 length of request id · request id (latin1) · u48 acceptedAtMs · u32 elements
 *     version 2: · u16 length of project code (0: none) · project code (UTF-8)
 *   per element: u32 bytes of JSON · u8 kind + POSTED · u16 cost · 8 bytes customer
 *   all JSON, one after the other, stored or deflated
 *   where posts are traced, the trailer below
 * The format is binary because it contains the elements' bytes unchanged: as JSON inside BullMQ's JSON
 * they would take 1.16 to 1.39 times their size and be parsed again by the worker.
 * Version 2 is written only where a post names a project. A relay with version 1 alone leaves such
 * chunks to newer workers, because it would deliver their elements outside of the project.
 */
const WITHOUT_PROJECTS = 1
const WITH_PROJECTS = 2
/** The newest format this process reads. */
export const CHUNK_FORMAT = WITH_PROJECTS
const STORED = 0
const DEFLATED = 1
const HEADER_BYTES = 12
/** Of a post, without its request id. */
const POST_BYTES = 11
/** Of a post's project code, without its text. */
const PROJECT_BYTES = 2
const JSON_BYTES_AT = 8
/** zlib's own lower bound of an output buffer. */
const MIN_INFLATE_BYTES = 64
/** Largest cost that fits; intake splits events far below it. */
export const MAX_COST = 0xffff

/** A chunk in an unsupported format, written by a newer version of relay. */
export class UnknownChunkError extends Error {
  readonly version: number
  constructor(version: number) {
    super(`chunk format ${version} is newer than this process understands`)
    this.name = 'UnknownChunkError'
    this.version = version
  }
}

/** Encodes the parts of one chunk, in order. `compress` trades CPU for Redis memory. */
export function encodeChunk(parts: readonly ChunkPart[], compress: boolean): Buffer {
  const projects = projectTexts(parts)
  let count = 0
  let jsonBytes = 0
  let tableAt = HEADER_BYTES
  for (const project of projects) tableAt += PROJECT_BYTES + project.length
  for (const { provenance, elements } of parts) {
    tableAt += POST_BYTES + provenance.requestId.length
    count += elements.length
    for (const { json } of elements) jsonBytes += json.length
  }
  const jsonAt = tableAt + count * ELEMENT_BYTES
  const chunk = Buffer.allocUnsafe(jsonAt + jsonBytes)
  chunk[0] = projects.length > 0 ? WITH_PROJECTS : WITHOUT_PROJECTS
  chunk[1] = compress ? DEFLATED : STORED
  chunk.writeUInt16LE(parts.length, 2)
  chunk.writeUInt32LE(count, 4)
  chunk.writeUInt32LE(jsonBytes, JSON_BYTES_AT)
  let postAt = HEADER_BYTES
  let elementAt = tableAt
  let to = jsonAt
  for (const [i, { provenance, elements }] of parts.entries()) {
    postAt = writePost(chunk, provenance, elements.length, postAt)
    postAt = writeProject(chunk, projects[i], postAt)
    for (const element of elements) {
      elementAt = writeElement(chunk, element, elementAt)
      chunk.set(element.json, to)
      to += element.json.length
    }
  }
  const spans = spansTrailer(parts)
  if (!compress) return spans.length === 0 ? chunk : Buffer.concat([chunk, ...spans])
  const json = deflateRawSync(chunk.subarray(jsonAt), { level: 1 })
  return Buffer.concat([chunk.subarray(0, jsonAt), json, ...spans])
}

function writePost(to: Buffer, { requestId, acceptedAtMs }: Provenance, count: number, at: number) {
  to[at] = requestId.length
  const idEnd = at + 1 + to.write(requestId, at + 1, 'latin1')
  to.writeUIntLE(acceptedAtMs, idEnd, 6)
  return to.writeUInt32LE(count, idEnd + 6)
}

/** The project code of each post, UTF-8; no entry at all when no post names a project. */
function projectTexts(parts: readonly ChunkPart[]): Buffer[] {
  if (parts.every(({ provenance }) => provenance.projectCode === undefined)) return []
  return parts.map(({ provenance }) => Buffer.from(provenance.projectCode ?? ''))
}

function writeProject(to: Buffer, project: Buffer | undefined, at: number): number {
  if (project === undefined) return at
  const textAt = to.writeUInt16LE(project.length, at)
  return textAt + project.copy(to, textAt)
}

/** Byte by byte: the methods of Buffer cost several times as much, and this is done per element. */
function writeElement(to: Buffer, element: Element, at: number): number {
  const { kind, cost, customer, posted } = element
  const bytes = element.json.length
  if (cost > MAX_COST) throw new RangeError(`a cost of ${cost} does not fit a chunk`)
  to[at] = bytes
  to[at + 1] = bytes >>> 8
  to[at + 2] = bytes >>> 16
  to[at + 3] = bytes >>> 24
  to[at + 4] = KINDS.indexOf(kind) | (posted ? POSTED : 0)
  to[at + 5] = cost
  to[at + 6] = cost >>> 8
  for (let i = 0; i < CUSTOMER_BYTES; i++) to[at + 7 + i] = customer.charCodeAt(i)
  return at + ELEMENT_BYTES
}

/**
 * Decodes a chunk. Elements share copies of its parts, so that the rest of Redis' reply can be freed.
 * Throws `UnknownChunkError` on a newer format.
 */
export function decodeChunk(chunk: Buffer): TracedElement[] {
  const version = chunk.readUInt8(0)
  if (version < WITHOUT_PROJECTS || version > CHUNK_FORMAT) throw new UnknownChunkError(version)
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

export interface Erased {
  readonly chunk: Buffer
  /** Elements as posted that were not settled yet, by kind. */
  readonly counts: Readonly<Record<Kind, number>>
  /** The same by the request they came in by. */
  readonly shares: readonly { readonly requestId: string; readonly elements: number }[]
}

/**
 * The chunk without the text and the key of a customer's elements. Their positions stay, so that a
 * worker with the chunk in memory still counts correctly. An element without text counts as settled.
 * Returns null if the chunk has no elements of the customer.
 */
export function eraseCustomer(chunk: Buffer, done: Buffer, customer: string): Erased | null {
  const elements = decodeChunk(chunk)
  const isOurs = elements.map((element) => element.customer === customer && element.json.length > 0)
  if (!isOurs.includes(true)) return null
  const table = elementTable(chunk)
  const head = Buffer.from(chunk.subarray(0, table + elements.length * ELEMENT_BYTES))
  const counts: Record<Kind, number> = { user: 0, event: 0, device: 0 }
  const shares: { requestId: string; elements: number }[] = []
  const kept: Buffer[] = []
  elements.forEach(({ json, kind, posted, provenance }, i) => {
    if (!isOurs[i]) {
      kept.push(json)
      return
    }
    const at = table + i * ELEMENT_BYTES
    head.writeUInt32LE(0, at)
    head.fill(0, at + ELEMENT_BYTES - CUSTOMER_BYTES, at + ELEMENT_BYTES)
    if (((done[i >> 3] ?? 0) >> (i & 7)) & 1) return
    counts[kind] += posted
    shares.push({ requestId: provenance.requestId, elements: posted })
  })
  const json = Buffer.concat(kept)
  head.writeUInt32LE(json.length, JSON_BYTES_AT)
  const text = isDeflated(chunk) ? deflateRawSync(json, { level: 1 }) : json
  const spans = spansOf(chunk)
  return { chunk: Buffer.concat([head, text, ...(spans === null ? [] : [spans])]), counts, shares }
}

/** `bytes`: inflated size, allocated as one buffer; by default zlib would grow it in 16 KB steps. */
function inflate(tail: Buffer, bytes: number): Buffer {
  return inflateRawSync(tail, { chunkSize: Math.max(MIN_INFLATE_BYTES, bytes + 1) })
}

/** Whether the chunk's JSON is compressed. */
function isDeflated(chunk: Buffer): boolean {
  return chunk.readUInt8(1) === DEFLATED
}

/** The trailer after the chunk's JSON; null without one. */
function spansOf(chunk: Buffer): Buffer | null {
  return trailerOf(chunk, chunk.readUInt16LE(2))
}

/** Where the elements' table begins. */
export function elementTable(chunk: Buffer): number {
  return readPosts(chunk).end
}

function readPosts(chunk: Buffer) {
  const posts: { provenance: Provenance; elements: number }[] = []
  const spans = spansOf(chunk)
  const hasProjects = chunk.readUInt8(0) >= WITH_PROJECTS
  let at = HEADER_BYTES
  for (let i = chunk.readUInt16LE(2); i > 0; i -= 1) {
    const idEnd = at + 1 + chunk.readUInt8(at)
    const projectAt = idEnd + POST_BYTES - 1
    const projectBytes = hasProjects ? chunk.readUInt16LE(projectAt) : 0
    const projectEnd = projectAt + (hasProjects ? PROJECT_BYTES : 0) + projectBytes
    const span = spans === null ? undefined : spanAt(spans, posts.length)
    const provenance = {
      requestId: chunk.toString('latin1', at + 1, idEnd),
      acceptedAtMs: chunk.readUIntLE(idEnd, 6),
      projectCode:
        projectBytes > 0
          ? chunk.toString('utf8', projectEnd - projectBytes, projectEnd)
          : undefined,
      span,
    }
    posts.push({ provenance, elements: chunk.readUInt32LE(idEnd + 6) })
    at = projectEnd
  }
  return { posts, end: at }
}

/*
 * Trailer after the JSON of a chunk with traced posts: per post the context of its span (zeros: none),
 * then this mark. Versions without tracing still read the chunk, because they take the JSON by its length
 * or inflate it up to its end. A stored chunk without a trailer ends with `}`; a deflated one ends with
 * these 8 bytes once in 2^64.
 */
const MARK = Buffer.from('\0spans1\0', 'latin1')
const NONE = Buffer.alloc(SPAN_CONTEXT_BYTES)

/** The end of a chunk of these posts; empty when none is traced. */
function spansTrailer(posts: readonly { readonly provenance: Provenance }[]): Buffer[] {
  if (posts.every(({ provenance }) => provenance.span === undefined)) return []
  return [...posts.map(({ provenance }) => provenance.span ?? NONE), MARK]
}

/** The raw trailer of a chunk with this number of posts; null without one. */
function trailerOf(chunk: Buffer, posts: number): Buffer | null {
  const markAt = chunk.length - MARK.length
  if (markAt < posts * SPAN_CONTEXT_BYTES || MARK.compare(chunk, markAt) !== 0) return null
  return chunk.subarray(markAt - posts * SPAN_CONTEXT_BYTES)
}

/** A copy of the span of the post at this index. */
function spanAt(trailer: Buffer, index: number): Buffer | undefined {
  const at = index * SPAN_CONTEXT_BYTES
  const span = Buffer.from(trailer.subarray(at, at + SPAN_CONTEXT_BYTES))
  return span.equals(NONE) ? undefined : span
}
