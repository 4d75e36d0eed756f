import { numberIn, parseRequestId, REQUEST_ID_DIGITS } from '../request-id.js'

/** Fates of elements, other than waiting or dead letters. */
export const TRACE_EVENTS = ['sent', 'purged', 'shadowed'] as const
export type TraceEvent = (typeof TRACE_EVENTS)[number]

/** A request's share of one event. */
export interface Traced {
  readonly event: TraceEvent
  readonly atMs: number
  /** The bulk request that carried them; '' for none. */
  readonly bulkId: string
  /** MoEngage's own name for that request; absent: it gave none. */
  readonly vendorRequestId?: string
  /** Elements as posted. */
  readonly elements: number
}

/*
 * Layout of an entry, version 1, big endian: all requests of a producer and minute of acceptance that
 * one bulk request carried.
 *   u8 version · u8 event · u48 atMs · u8 length of bulk id · bulk id (latin1); where MoEngage named
 *     the request, a blank and that name follow within it: older readers show them as one id
 *   per request: 5 bytes tag · u32 elements
 * The tag is the last 40 bits of a request id: random ones and its checksum. Two of a minute's requests
 * share one with odds of one in thousands of millions.
 */
const VERSION = 1
const FIXED_BYTES = 9
const REQUEST_BYTES = 9
/** The last letters of a request id. */
const TAG_LETTERS = 8
const MINUTE_MS = 60_000

/** Elements of one request. */
export interface RequestShare {
  readonly requestId: string
  readonly elements: number
}

/** Where the entries of a request are listed. */
export interface List {
  readonly producerTag: number
  /** In which the request was accepted, since 1970. */
  readonly minute: number
}

export type Listed = List & { readonly entry: Buffer }

/** null for an id that relay did not issue. */
export function listOf(requestId: string): List | null {
  const facts = parseRequestId(requestId)
  if (facts === null) return null
  const { producerTag, acceptedAtMs } = facts
  return { producerTag, minute: Math.floor(acceptedAtMs / MINUTE_MS) }
}

/** Longest name MoEngage may give a request; the rest is cut off. Its own have 8 to 36 characters. */
const MAX_VENDOR_ID_CHARACTERS = 128

/** Relay's and MoEngage's names of one bulk request as one text. */
export function bulkNames(bulkId: string, vendorRequestId: string | null): string {
  const name = vendorRequestId?.slice(0, MAX_VENDOR_ID_CHARACTERS).replace(/[^!-~]/g, '?') ?? ''
  return name === '' ? bulkId : `${bulkId} ${name}`
}

/** One entry per list. Ids that relay did not issue are left out. */
export function encodeTrace(
  event: TraceEvent,
  atMs: number,
  bulkId: string,
  shares: readonly RequestShare[],
): Listed[] {
  const lists = new Map<string, List & { readonly own: RequestShare[] }>()
  for (const share of shares) {
    const place = listOf(share.requestId)
    if (place === null) continue
    const { producerTag, minute } = place
    const name = `${producerTag}:${minute}`
    const list = lists.get(name)
    if (list === undefined) lists.set(name, { producerTag, minute, own: [share] })
    else list.own.push(share)
  }
  return [...lists.values()].map(({ own, ...list }) => ({
    ...list,
    entry: encodeEntry(event, atMs, bulkId, own),
  }))
}

function encodeEntry(
  event: TraceEvent,
  atMs: number,
  bulkId: string,
  shares: readonly RequestShare[],
): Buffer {
  const entry = Buffer.allocUnsafe(FIXED_BYTES + bulkId.length + shares.length * REQUEST_BYTES)
  entry.writeUInt8(VERSION, 0)
  entry.writeUInt8(TRACE_EVENTS.indexOf(event), 1)
  entry.writeUIntBE(atMs, 2, 6)
  entry.writeUInt8(bulkId.length, 8)
  let at = FIXED_BYTES + entry.write(bulkId, FIXED_BYTES, 'latin1')
  for (const { requestId, elements } of shares) {
    at = entry.writeUIntBE(tagOf(requestId), at, 5)
    at = entry.writeUInt32BE(elements, at)
  }
  return entry
}

/** The entries of one request in a list, in the order of recording. */
export function decodeTrace(entries: readonly Buffer[], requestId: string): Traced[] {
  const tag = tagOf(requestId)
  return entries.flatMap((entry) => decodeEntry(entry, tag) ?? [])
}

function decodeEntry(entry: Buffer, tag: number): Traced | null {
  const event = TRACE_EVENTS[entry[1] ?? -1]
  if (entry[0] !== VERSION || event === undefined) return null
  const idEnd = FIXED_BYTES + entry.readUInt8(8)
  let elements = 0
  for (let at = idEnd; at + REQUEST_BYTES <= entry.length; at += REQUEST_BYTES) {
    if (entry.readUIntBE(at, 5) === tag) elements += entry.readUInt32BE(at + 5)
  }
  if (elements === 0) return null
  const [bulkId = '', vendorId] = entry.toString('latin1', FIXED_BYTES, idEnd).split(' ')
  const own = { event, atMs: entry.readUIntBE(2, 6), bulkId, elements }
  return vendorId === undefined ? own : { ...own, vendorRequestId: vendorId }
}

function tagOf(requestId: string): number {
  return numberIn(requestId, REQUEST_ID_DIGITS - TAG_LETTERS, REQUEST_ID_DIGITS)
}
