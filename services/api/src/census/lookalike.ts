/** Shorter names often differ by one letter (`u_fn`, `u_ln`). Own choice, characters. */
const SHORTEST = 5

const DIGIT = /^\d?$/

/**
 * Whether one letter makes one name of the other: added, dropped, replaced, or swapped with the next. Names
 * that differ in a digit are a series (`item_1`, `item_2`), not a typing error.
 */
export function isLookalike(a: string, b: string): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a]
  if (short.length < SHORTEST || long.length - short.length > 1 || short === long) return false
  let at = 0
  while (at < short.length && short[at] === long[at]) at += 1
  const added = long.length > short.length
  if (DIGIT.test(long[at] ?? '') || (!added && DIGIT.test(short[at] ?? ''))) return false
  if (added) return short.slice(at) === long.slice(at + 1)
  if (short.slice(at + 1) === long.slice(at + 1)) return true
  const isSwapped = short[at] === long[at + 1] && short[at + 1] === long[at]
  return isSwapped && short.slice(at + 2) === long.slice(at + 2)
}
