import { vendorFault } from '../support/fuzz/vendor-schemas.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { APP_ID, Relay } from '../support/relay.js'
import { marksIn, numberedElement, numberedEvent, numbersOf } from '../support/shop.js'

describe('from a post to MoEngage', () => {
  let relay: Relay

  beforeAll(async () => {
    relay = await Relay.start({
      workers: 2,
      simulator: { latency: { beforeMs: 5, beforeJitterMs: 10, afterMs: 5, afterJitterMs: 10 } },
    })
  })

  afterAll(async () => {
    await relay.stop()
  })

  test('3,000 elements in 300 concurrent posts arrive once, in order, in few full requests', async () => {
    const customers = Array.from({ length: 60 }, (_, i) => `customer-${i}`)
    const posts = customers.flatMap((customer) =>
      Array.from({ length: 5 }, (_, p) =>
        Array.from({ length: 10 }, (_, i) => numberedElement(customer, p * 10 + i)),
      ),
    )
    // Concurrent posts are unordered: the posts of one customer follow one another.
    const chains = customers.map(async (_, c) => {
      for (let p = 0; p < 5; p += 1) {
        const answer = await relay.postElements(posts[c * 5 + p] ?? [])
        expect(answer.status).toBe(200)
      }
    })
    await Promise.all(chains)
    await relay.simulator.until((record) => marksIn(record).size >= 3000, 30_000)
    const { record } = relay.simulator
    const { users, events, devices } = record.totals
    expect(users + events + devices).toBe(3000)
    expect(record.totals.duplicates).toBe(0)
    expect(record.totals.requests).toBeLessThanOrEqual(150)
    expect(record.overlap.overlaps).toBe(0)
    expect(record.bodyBytes.summary().max).toBeLessThanOrEqual(128_000)
    for (const customer of customers) {
      const arrived = record.ofCustomer(APP_ID, customer).map(({ raw }) => raw.toString())
      const numbers = arrived.flatMap(numbersOf)
      expect(numbers).toEqual(Array.from({ length: 50 }, (_, i) => i))
      for (const raw of arrived) expect(vendorFault(JSON.parse(raw) as object)).toBeNull()
    }
  })

  test('a single event when idle is at MoEngage within 150 ms, 99 times of 100', async () => {
    const latencies: number[] = []
    for (let i = 0; i < 200; i += 1) {
      const before = relay.simulator.record.totals.elements
      const started = performance.now()
      const answer = await relay.post(`/v1/event/${APP_ID}`, numberedEvent(`single-${i}`, 1))
      expect(answer.status).toBe(200)
      await relay.simulator.until((record) => record.totals.elements > before)
      latencies.push(performance.now() - started)
    }
    latencies.sort((a, b) => a - b)
    expect(latencies[197]).toBeLessThanOrEqual(150)
  })

  test('elements arrive with the bytes they were posted with', async () => {
    const raw = `{"type":"customer","customer_id":"exact-1","attributes":{"big":12345678901234567890,"price":1.10,"name":"Zo\\u00eb \u{1f389}","b":{"z":1,"a":[1e2,-0]}}}`
    expect((await relay.post(`/v1/customer/${APP_ID}`, raw)).status).toBe(200)
    await waitFor(() => relay.simulator.record.ofCustomer(APP_ID, 'exact-1').length > 0, {
      what: 'the element at MoEngage',
    })
    const [arrived] = relay.simulator.record.ofCustomer(APP_ID, 'exact-1')
    expect(arrived?.raw.toString()).toBe(raw)
  })
})
