import { member, objectMembers, valueAt } from '../vendor/slices.js'
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
    elementsPerRequest: record.elementsPerRequest.summary(),
    customers: record.customerCount,
    overlap: {
      open: overlap.open,
      maxOpen: overlap.maxOpen,
      maxOfOneCustomer: overlap.maxOverlap,
      overlaps: overlap.overlaps,
      samples: overlap.samples,
    },
    held: {
      requests: { first: requests.first, last: requests.last },
      elements: { first: elements.first, last: elements.last },
    },
    seconds: record.rates.since(world.nowMs()),
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

/** Last value of each attribute of a user, as the original JSON text. */
export function lastAttributes(elements: readonly RecordedElement[]): ReadonlyMap<string, string> {
  const last = new Map<string, string>()
  for (const { type, raw } of elements) {
    if (type !== 'customer') continue
    const attributes = member(raw, valueAt(raw).start, 'attributes')
    if (attributes === null) continue
    for (const { name, value } of objectMembers(raw, attributes.start)) {
      last.set(name, raw.toString('utf8', value.start, value.end))
    }
  }
  return last
}

/** The attributes as a JSON object with the original text of the values. */
export function attributesJson(attributes: ReadonlyMap<string, string>): string {
  const members = [...attributes].map(([name, text]) => `${JSON.stringify(name)}:${text}`)
  return `{${members.join(',')}}`
}
