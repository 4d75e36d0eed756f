import type { VendorError } from '../classify/outcome.js'
import type { Item } from '../fetch/window.js'

/**
 * Which items fit MoEngage's words about a refusal: those without the attribute that it misses,
 * or with the one that it names. A guess only: bisection survives a wrong one.
 */
export function suspectsOf(error: VendorError | null, items: readonly Item[]) {
  const attribute = error?.attribute ?? null
  if (attribute === null || attribute === '') return () => false
  const needle = JSON.stringify(attribute)
  const missing = /not found|missing|required/i.test(error?.message ?? '')
  return (index: number): boolean => items[index]?.element.json.includes(needle) === !missing
}
