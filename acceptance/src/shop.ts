/** Elements of made-up customers that carry their place in their customer's order. */

const START_MS = 1_750_000_000_000

/** The `n`th element of `customer`: users, events and devices in turn. */
export function numberedElement(customer: string, n: number): Record<string, unknown> {
  const padding = 'x'.repeat(100 + ((n * 37) % 120))
  switch (n % 5) {
    case 0:
      return { type: 'customer', customer_id: customer, attributes: { n, last: n, padding } }
    case 1:
      return {
        type: 'device',
        customer_id: customer,
        device_id: `${customer}-phone`,
        attributes: { platform: 'ANDROID', push_id: `push-${String(n)}`, n },
      }
    default:
      return numberedEvent(customer, n)
  }
}

export function numberedUser(customer: string, n: number): Record<string, unknown> {
  return {
    type: 'customer',
    customer_id: customer,
    attributes: { n, last: n, padding: 'x'.repeat(180) },
  }
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

/** The number that an element of this module carries, read back from its JSON text. */
export function numberOf(raw: string): number {
  return Number(/"n":(\d+)/.exec(raw)?.[1])
}
