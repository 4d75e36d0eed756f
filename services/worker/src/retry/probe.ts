import { exceeds, type Cost } from '@relay/shared/budget/cost.js'
import type { Item } from '../fetch/window.js'

/** Minimum elements of a held workspace's probe, which carries whole runs of customers. */
const PROBE_ELEMENTS = 10

/**
 * Splits a batch into a small probe and the rest, between customers, so that elements that may have
 * arrived are sent again in the same runs. Returns one part if the batch is already small.
 */
export function splitForProbe(items: readonly Item[]): readonly Item[][] {
  const customers = new Set<string>()
  for (const { element } of items.slice(0, PROBE_ELEMENTS)) customers.add(element.customer)
  return apart(items, customers)
}

/**
 * Splits a batch, between customers, into a part that costs at most `most` and the rest. The first
 * customer is included regardless of its cost. Returns one part if the batch costs at most `most`.
 */
export function splitToCost(
  items: readonly Item[],
  most: Cost,
  costOf: (items: readonly Item[]) => Cost,
): readonly Item[][] {
  if (!exceeds(costOf(items), most)) return [[...items]]
  const byCustomer = new Map<string, Item[]>()
  for (const item of items) {
    const own = byCustomer.get(item.element.customer)
    if (own) own.push(item)
    else byCustomer.set(item.element.customer, [item])
  }
  const customers = new Set<string>()
  const chosen: Item[] = []
  for (const [customer, own] of byCustomer) {
    chosen.push(...own)
    if (customers.size > 0 && exceeds(costOf(chosen), most)) break
    customers.add(customer)
  }
  return apart(items, customers)
}

/** These customers' items first, then the others', each in order. */
function apart(items: readonly Item[], customers: ReadonlySet<string>): readonly Item[][] {
  const first = items.filter(({ element }) => customers.has(element.customer))
  const rest = items.filter(({ element }) => !customers.has(element.customer))
  return rest.length === 0 ? [[...items]] : [first, rest]
}
