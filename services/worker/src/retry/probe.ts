import type { Item } from '../fetch/window.js'

/** A probe of a held workspace carries the runs of as many customers as make this many elements. */
const PROBE_ELEMENTS = 10

/**
 * Splits a batch into a small probe and the rest, between customers: what may have arrived before
 * is sent again as the same runs. One part only when it is small already.
 */
export function splitForProbe(items: readonly Item[]): readonly Item[][] {
  const customers = new Set<string>()
  for (const { element } of items.slice(0, PROBE_ELEMENTS)) customers.add(element.customer)
  const probe = items.filter(({ element }) => customers.has(element.customer))
  const rest = items.filter(({ element }) => !customers.has(element.customer))
  return rest.length === 0 ? [[...items]] : [probe, rest]
}
