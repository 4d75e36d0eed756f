import { hash } from 'node:crypto'

/**
 * The ordering key of a customer: 8 bytes of SHA-256 as a latin1 string, compact as a map key.
 * Two customers that collide are merely kept in one order, so 64 bits suffice.
 * `identity` is `customer_id` or, without one, the canonical identifiers (see intake).
 */
export function customerKey(identity: string): string {
  // One call with text out: a sixth of the time of createHash and a Buffer. "binary" is latin1.
  return hash('sha256', identity, 'binary').slice(0, 8)
}

/** The partition a customer belongs to; `count` is the generation's number of partitions. */
export function partitionOf(customer: string, count: number): number {
  const high =
    customer.charCodeAt(0) * 0x1000000 +
    customer.charCodeAt(1) * 0x10000 +
    customer.charCodeAt(2) * 0x100 +
    customer.charCodeAt(3)
  return high % count
}
