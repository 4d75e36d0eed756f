import fc from 'fast-check'
import { customerKey, partitionOf } from '../src/identity.js'

describe('partitions', () => {
  test('a customer always has the same one, within the count', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 256 }), (identity, count) => {
        const partition = partitionOf(customerKey(identity), count)
        expect(partition).toBe(partitionOf(customerKey(identity), count))
        expect(Number.isInteger(partition)).toBe(true)
        expect(partition).toBeGreaterThanOrEqual(0)
        expect(partition).toBeLessThan(count)
      }),
    )
  })

  test('are the first four bytes of the key, the highest first, modulo the count', () => {
    const bytes = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((given) => Buffer.from(given))
    fc.assert(
      fc.property(bytes, fc.integer({ min: 1, max: 1_000 }), (key, count) =>
        expect(partitionOf(key.toString('latin1'), count)).toBe(key.readUInt32BE(0) % count),
      ),
    )
  })

  test('share customers evenly', () => {
    const counts = new Array<number>(8).fill(0)
    for (let i = 0; i < 80_000; i += 1) {
      const partition = partitionOf(customerKey(`c:customer-${i}`), 8)
      counts[partition] = (counts[partition] ?? 0) + 1
    }
    // 10,000 each; six standard deviations of a fair draw are under 570.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(600)
  })
})
