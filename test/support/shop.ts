import type { ArrivalRecord } from '@relay/simulator/record/record.js'

/** Elements of made-up customers that carry their place in their customer's order. */

const START_MS = 1_750_000_000_000

/** The `n`th element of `customer`: users, events and devices in turn. */
export function numberedElement(customer: string, n: number): Record<string, unknown> {
  const padding = 'x'.repeat(100 + ((n * 37) % 120))
  switch (n % 5) {
    case 0:
      return { type: 'customer', customer_id: customer, attributes: { ...mark(n), padding } }
    case 1:
      return {
        type: 'device',
        customer_id: customer,
        device_id: `${customer}-phone`,
        attributes: { platform: 'ANDROID', push_id: `push-${n}`, n },
      }
    default:
      return numberedEvent(customer, n)
  }
}

export function numberedUser(customer: string, n: number): Record<string, unknown> {
  return {
    type: 'customer',
    customer_id: customer,
    attributes: { ...mark(n), padding: 'x'.repeat(180) },
  }
}

/** A separate attribute per update, so that no later update hides it. */
function mark(n: number): Record<string, unknown> {
  return { last: n, [`n_${n}`]: true }
}

export function numberedEvent(customer: string, n: number): Record<string, unknown> {
  const time = new Date(START_MS + n).toISOString()
  const attributes = { n, padding: 'x'.repeat(150) }
  return {
    type: 'event',
    customer_id: customer,
    actions: [{ action: 'Viewed', attributes, current_time: time }],
  }
}

/**
 * The numbers of the elements that one element at MoEngage stands for, read back from its JSON text:
 * several where relay coalesced.
 */
export function numbersOf(raw: string): number[] {
  return [...raw.matchAll(/"(?:n":|n_)(\d+)/g)].map((match) => Number(match[1]))
}

/** Everything of this module that arrived, each as `customer/number`. */
export function marksIn({ elements }: ArrivalRecord): Set<string> {
  const all = elements.after(0, elements.capacity)
  return new Set(
    all.flatMap(({ customer, raw }) => numbersOf(raw.toString()).map((n) => `${customer}/${n}`)),
  )
}
