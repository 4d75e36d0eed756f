import fc from 'fast-check'
import { EXAMPLE_ELEMENTS, SCHEMA_NAMES } from './vendor-schemas.js'

/** Elements near the border of what is valid: good ones with random changes where it matters. */

const DEVICE = {
  type: 'device',
  customer_id: 'ann',
  device_id: 'd',
  attributes: { platform: 'iOS', push_id: 'p', model: 'x', moe_push_opted: 'True' },
}

const value = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(
    '',
    '1',
    'guest',
    'true',
    'True',
    'iOS',
    '2026-11-23T12:00:00Z',
    1.5,
    1e300,
    -54_001,
  ),
) as fc.Arbitrary<unknown>

const change = fc.record({
  at: fc.array(fc.nat(12), { maxLength: 4 }),
  name: fc.oneof(fc.constantFrom(...SCHEMA_NAMES), fc.string({ maxLength: 3 })),
  value: fc.oneof(
    { weight: 4, arbitrary: value },
    { weight: 1, arbitrary: fc.constant(undefined) },
  ),
})

/** Goes down `at` as far as there are containers, and sets or deletes a member there. */
function apply(
  element: object,
  { at, name, value: to }: { at: number[]; name: string; value: unknown },
): void {
  let node = element as Record<string, unknown>
  for (const step of at) {
    const inner = Object.values(node).filter((v) => typeof v === 'object' && v !== null)
    const next = inner[step % Math.max(1, inner.length)]
    if (next === undefined) break
    node = next as Record<string, unknown>
  }
  const property = { value: to, enumerable: true, configurable: true, writable: true }
  if (to === undefined) Reflect.deleteProperty(node, name)
  else Object.defineProperty(node, name, property)
}

export const changedElement: fc.Arbitrary<object> = fc
  .tuple(fc.constantFrom(...EXAMPLE_ELEMENTS, DEVICE), fc.array(change, { maxLength: 3 }))
  .map(([seed, changes]) => {
    const element = structuredClone(seed)
    for (const each of changes) {
      try {
        apply(element, each)
      } catch {
        // `length` of an array takes no such value.
      }
    }
    return element
  })
