import { waitFor } from '@relay/tools/wait-for.js'
import { metricsOf, sumOf, APP_ID, Relay } from '../support/relay.js'
import { numberedEvent, numbersOf } from '../support/shop.js'

const MAX_AGE_S = 3
const CUSTOMERS = ['ann', 'bob', 'eve'] as const
const EXPIRED = /^relay_dead_lettered_elements_total\{[^}]*reason="expired"[^}]*\} (\d+)/gm

describe('elements older than RELAY_MAX_AGE_SECONDS', () => {
  let relay: Relay

  beforeEach(async () => {
    relay = await Relay.start({
      env: { RELAY_MAX_AGE_SECONDS: String(MAX_AGE_S), RELAY_REQUEST_TIMEOUT_MS: '2000' },
    })
  })
  afterEach(() => relay.stop())

  async function untilLetters(count: number) {
    const what = `${count} dead letters`
    await waitFor(async () => (await relay.deadLetters()).length === count, {
      what,
      timeoutMs: 30_000,
    })
    return relay.deadLetters()
  }

  /** Numbers `from` to `to` of every customer, each post a chunk at least. */
  async function post(from: number, to: number): Promise<void> {
    for (let n = from; n <= to; n += 1) {
      const elements = CUSTOMERS.map((customer) => numberedEvent(customer, n))
      expect((await relay.postElements(elements)).status).toBe(200)
    }
  }

  const arrived = (customer: string) =>
    relay.simulator.record
      .ofCustomer(APP_ID, customer)
      .flatMap(({ raw }) => numbersOf(raw.toString()))

  test('are dead-lettered while sending is paused; younger ones go in order, and so does a replay', async () => {
    await relay.pause()
    await post(1, 4)
    const found = await untilLetters(12)
    expect(new Set(found.map(({ reason }) => reason))).toEqual(new Set(['expired']))
    expect(relay.simulator.record.totals.requests).toBe(0)
    const [opsUrl = ''] = relay.workerOpsUrls
    expect(sumOf(await metricsOf(opsUrl), EXPIRED)).toBe(12)

    await relay.resume()
    await post(5, 7)
    await relay.simulator.until((record) => record.totals.events >= 9)
    for (const customer of CUSTOMERS) expect(arrived(customer)).toEqual([5, 6, 7])

    // Accepted long ago: its age counts from the replay, or it would come straight back.
    const replay = await relay.operate('POST', 'dead-letters/replay', { app_id: APP_ID })
    expect(JSON.parse(replay.body)).toEqual({ count: 12 })
    await relay.simulator.until((record) => record.totals.events >= 21)
    for (const customer of CUSTOMERS) expect(arrived(customer)).toEqual([5, 6, 7, 1, 2, 3, 4])
    expect(await relay.deadLetters()).toHaveLength(0)
  })

  test('are not sent any more after an outage, and tell how often they were tried', async () => {
    const { simulator } = relay
    const outage = simulator.addFault({ action: { kind: 'answer', row: 'server_error' } })
    await post(1, 1)
    const found = await untilLetters(3)
    expect(Math.max(...found.map(({ attempts }) => attempts))).toBeGreaterThanOrEqual(1)
    expect(found[0]?.answer.message).toContain(`within ${MAX_AGE_S} s`)
    simulator.faults.remove(outage)
    await post(2, 3)
    await simulator.until((record) => record.totals.events >= 6, 30_000)
    for (const customer of CUSTOMERS) expect(arrived(customer)).toEqual([2, 3])
  })
})
