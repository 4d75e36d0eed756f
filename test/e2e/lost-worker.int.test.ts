import { waitFor } from '@relay/tools/wait-for.js'
import { APP_ID, Relay } from '../support/relay.js'
import { marksIn, numberedEvent, numberedUser, numbersOf } from '../support/shop.js'

describe('a worker that dies', () => {
  test('with requests in progress is replaced within its lease and a second', async () => {
    const relay = await Relay.start({
      workers: 2,
      env: { RELAY_LEASE_MS: '2000', RELAY_REQUEST_TIMEOUT_MS: '1500' },
      simulator: { latency: { beforeMs: 0, afterMs: 400 } },
    })
    try {
      const posted = 2_000
      await relay.postAll(
        Array.from({ length: posted }, (_, i) => numberedEvent(`c-${i % 200}`, i)),
      )
      await relay.simulator.until((record) => record.overlap.open > 0)
      relay.workers[0]?.kill('SIGKILL')
      const diedMs = performance.now()
      await relay.simulator.until((record) => {
        return marksIn(record).size >= posted
      }, 8_000)
      expect(performance.now() - diedMs).toBeLessThanOrEqual(2_000 + 1_000 + 1_500)
    } finally {
      await relay.stop()
    }
  })
})

describe('an attempt without an answer that is processed late', () => {
  test('does not overwrite what newer elements brought', async () => {
    const relay = await Relay.start({
      env: { RELAY_REQUEST_TIMEOUT_MS: '1000', RELAY_ARRIVAL_GRACE_MS: '4000' },
      // The first attempt arrives 4 s after it was sent, 3 s after relay gave it up.
      simulator: { closedBeforeArrival: 'process', recordMaxElements: 1_000 },
    })
    try {
      relay.simulator.addFault({ count: 1, action: { kind: 'delay', beforeMs: 4_000 } })
      await relay.postElements([numberedUser('stale', 1)])
      await relay.simulator.until((record) => record.overlap.open > 0)
      await relay.postElements([numberedUser('stale', 2)])
      await relay.simulator.until((record) => record.totals.elements >= 3, 20_000)
      const arrived = relay.simulator.record
        .ofCustomer(APP_ID, 'stale')
        .flatMap(({ raw }) => numbersOf(raw.toString()))
      expect(arrived).toEqual([1, 1, 2])
    } finally {
      await relay.stop()
    }
  })

  test('nor when its worker was ended meanwhile', async () => {
    const relay = await Relay.start({
      env: {
        RELAY_SHUTDOWN_MS: '200',
        RELAY_ARRIVAL_GRACE_MS: '5000',
        RELAY_LEASE_MS: '7000',
        // Each update apart, or the second would arrive with the first.
        RELAY_COALESCE: 'off',
      },
      simulator: { closedBeforeArrival: 'process', recordMaxElements: 1_000 },
    })
    try {
      relay.simulator.addFault({ count: 1, action: { kind: 'delay', beforeMs: 4_000 } })
      await relay.postElements([numberedUser('stale', 1)])
      const { record } = relay.simulator
      await waitFor(() => record.overlap.open > 0, { what: 'the first attempt' })
      await relay.workers[0]?.stop()
      await relay.addWorker()
      await relay.postElements([numberedUser('stale', 2)])
      await relay.simulator.until((record) => record.totals.elements >= 3, 20_000)
      const arrived = record
        .ofCustomer(APP_ID, 'stale')
        .flatMap(({ raw }) => numbersOf(raw.toString()))
      expect(arrived[0]).toBe(1)
      expect(arrived.at(-1)).toBe(2)
      expect(arrived).toEqual([...arrived].sort((a, b) => a - b))
    } finally {
      await relay.stop()
    }
  })
})
