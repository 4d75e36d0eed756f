import fc from 'fast-check'
import { customerKey } from '@relay/shared/identity.js'
import { UnitSketch } from '../../src/policy/customer-policy.js'

const keys = Array.from({ length: 40 }, (_, i) => customerKey(`customer-${i}`))

describe('a sketch of units', () => {
  test('never says less of a customer than was added of it, also once it has grown', () => {
    const adds = fc.array(fc.tuple(fc.nat(keys.length - 1), fc.integer({ min: 1, max: 300 })))
    fc.assert(
      fc.property(adds, fc.constantFrom(1, 10, 100), (given, suspectUnits) => {
        const sketch = new UnitSketch(suspectUnits)
        const exact = new Map<number, number>()
        for (const [customer, units] of given) {
          const sum = (exact.get(customer) ?? 0) + units
          exact.set(customer, sum)
          expect(sketch.add(keys[customer] ?? '', units)).toBeGreaterThanOrEqual(sum)
        }
      }),
    )
  })

  test('takes none of a million customers for a suspect, as long as it is not full', () => {
    const sketch = new UnitSketch(100)
    let n = 0
    let most = 0
    while (!sketch.isFull) most = Math.max(most, sketch.add(customerKey(`c${(n += 1)}`), 1))
    expect(n).toBeGreaterThan(800_000)
    expect(most).toBeLessThan(100)
  })
})
