import fc from 'fast-check'
import { Histogram, Registry } from 'prom-client'
import { WeightedHistogram } from '../../src/observe/weighted-histogram.js'

const FACTS = {
  name: 'relay_test_seconds',
  help: 'For a test.',
  labelNames: ['app_id', 'lane'],
  buckets: [0.25, 2, 60],
} as const

const labels = fc.record({
  app_id: fc.constantFrom('A', 'B"\\', 'C'),
  lane: fc.constantFrom('realtime', 'backfill'),
})
const seconds = fc.oneof(fc.constantFrom(0, 0.25, 2, 60, 61), fc.double({ min: 0, max: 1e6, noNaN: true }).map((s) => Math.round(s * 8) / 8)) // prettier-ignore

test('says what prom-client says of the same values, one by one', async () => {
  const times = fc.integer({ min: 1, max: 5 })
  const observations = fc.array(fc.tuple(labels, seconds, times), { maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(observations, fc.array(labels), async (observed, zeroed) => {
      const [own, other] = [new Registry(), new Registry()]
      const weighted = new WeightedHistogram({ ...FACTS, registers: [own] })
      const plain = new Histogram({
        ...FACTS,
        labelNames: [...FACTS.labelNames],
        buckets: [...FACTS.buckets],
        registers: [other],
      })
      for (const each of zeroed) {
        weighted.zero(each)
        plain.zero(each)
      }
      for (const [each, value, count] of observed) {
        weighted.observe(each, value, count)
        for (let i = 0; i < count; i++) plain.observe(each, value)
      }
      expect(await own.metrics()).toBe(await other.metrics())
      own.resetMetrics()
      expect(await own.metrics()).not.toContain('app_id')
    }),
  )
})
