import { deflateRawSync } from 'node:zlib'
import type { Kind } from '../element.js'
import { CUSTOMER_BYTES, ELEMENT_BYTES } from './chunk-elements.js'
import { decodeChunk, elementTable, isDeflated, JSON_BYTES_AT, spansOf } from './chunk.js'

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
