import type { World } from '../world.js'
import type { RecordedElement, RecordedRequest } from './record.js'

/** The whole record in numbers, of bounded size. */
export function summary(world: World) {
  const { record } = world
  const { totals, overlap, requests, elements } = record
  return {
    nowMs: world.nowMs(),
    windowMs: world.settings.windowMs,
    windowMode: world.settings.windowMode,
    totals,
    drops: record.drops.byReason,
    customerPolicy: world.policy(),
    statuses: Object.fromEntries(record.statuses),
    budgets: world.budgets(),
    bodyBytes: record.bodyBytes.summary(),
    customers: record.customerCount,
    overlap: {
      open: overlap.open,
      maxOpen: overlap.maxOpen,
      maxOfOneCustomer: overlap.maxOverlap,
      overlaps: overlap.overlaps,
    },
    held: {
      requests: { first: requests.first, last: requests.last },
      elements: { first: elements.first, last: elements.last },
    },
  }
}

/** A request without the list of its customers, which can be long. */
export function briefRequest({ customers, ...rest }: RecordedRequest) {
  return { ...rest, customers: customers.length }
}

/**
 * JSON text of recorded elements with their own bytes inside, so that no number is re-written.
 * `asText`: the element as a JSON string in `raw`, for readers whose parser would change numbers.
 */
export function elementsJson(elements: readonly RecordedElement[], asText: boolean): string {
  const items = elements.map(({ raw, ...facts }) => {
    const text = raw.toString('utf8')
    const last = asText ? `"raw":${JSON.stringify(text)}` : `"element":${text}`
    return `${JSON.stringify(facts).slice(0, -1)},${last}}`
  })
  return `[${items.join(',')}]`
}
