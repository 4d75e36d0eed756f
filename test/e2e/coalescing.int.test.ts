import { waitFor } from '@relay/tools/wait-for.js'
import { APP_ID, Relay, send } from '../support/relay.js'

const CUSTOMERS = 100
const BURST = 5

interface Update {
  readonly customer: string
  readonly attributes: Readonly<Record<string, unknown>>
}

/** What a shop tells of a customer while he looks around, update by update. */
function burstOf(customer: string, times: number): Update[] {
  return Array.from({ length: times }, (_, i) => ({
    customer,
    attributes: {
      u_em: `${customer}@shop.example`,
      city: 'Thessaloniki',
      sizes: [38, 39],
      last_page: `/products/${i}`,
      last_seen: `2026-11-23T12:00:0${i % 10}.000Z`,
      pages: i,
      ...(i === 2 ? { cart_value: 41.9 } : {}),
    },
  }))
}

const elementOf = ({ customer, attributes }: Update) => ({
  type: 'customer',
  customer_id: customer,
  attributes,
})

/** Every attribute of a customer as the updates leave it, one after the other. */
function profileOf(updates: readonly Update['attributes'][]): Record<string, unknown> {
  return Object.assign({}, ...updates) as Record<string, unknown>
}

function arrivedProfile(relay: Relay, customer: string): Record<string, unknown> {
  const { record } = relay.simulator
  return profileOf(
    record
      .ofCustomer(APP_ID, customer)
      .map(({ raw }) => (JSON.parse(raw.toString()) as Update).attributes),
  )
}

/** Sum of a worker's series of this metric that have all of these labels. */
async function workerMetric(relay: Relay, name: string, ...labels: string[]): Promise<number> {
  const { body } = await send(`${relay.workerOpsUrls[0] ?? ''}/metrics`, 'GET', '', {})
  const lines = body.split('\n').filter((line) => line.startsWith(`${name}{`))
  const matching = lines.filter((line) => labels.every((label) => line.includes(label)))
  expect(matching).not.toHaveLength(0)
  return matching.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

async function waitForDelivered(relay: Relay, updates: number): Promise<void> {
  await waitFor(
    async () =>
      (await workerMetric(relay, 'relay_delivered_elements_total', 'kind="user"')) >= updates,
    { what: `${updates} updates to be delivered`, timeoutMs: 30_000 },
  )
}

async function usersInLedger(relay: Relay): Promise<number> {
  const { body } = await send(`${relay.opsUrl}/metrics`, 'GET', '', {})
  return Number(/^relay_budget_used\{.*budget="users".*\} (\d+)$/m.exec(body)?.[1])
}

describe('a profile stream, 5 updates of a user in a burst', () => {
  let relay: Relay

  afterEach(async () => {
    await relay.stop()
  })

  test('costs a third of the users at most, with the same profiles, and all is counted', async () => {
    // Long, so that a burst holds together on a busy machine too. With the default of 100 ms and
    // posts of 5 ms the same stream cost a quarter of the users (2026-11-23).
    relay = await Relay.start({ env: { RELAY_LINGER_MS: '1000' } })
    const customers = Array.from({ length: CUSTOMERS }, (_, i) => `stream-${i}`)
    // A post per update, customer by customer: nothing but time brings a burst's updates together.
    for (const customer of customers) {
      for (const update of burstOf(customer, BURST)) {
        expect((await relay.postElements([elementOf(update)])).status).toBe(200)
      }
    }
    const posted = CUSTOMERS * BURST
    await waitForDelivered(relay, posted)
    const { users } = relay.simulator.record.totals
    process.stdout.write(`${posted} updates in single posts cost ${users} users\n`)
    expect(users * 3).toBeLessThanOrEqual(posted)
    for (const customer of customers) {
      const expected = profileOf(burstOf(customer, BURST).map(({ attributes }) => attributes))
      expect(arrivedProfile(relay, customer)).toEqual(expected)
    }
    expect(await workerMetric(relay, 'relay_delivered_elements_total', 'kind="user"')).toBe(posted)
    expect(await workerMetric(relay, 'relay_budget_saved_total', 'budget="users"')).toBe(posted - users) // prettier-ignore
    expect(await workerMetric(relay, 'relay_coalesced_elements_total', 'kind="user"')).toBe(posted - users) // prettier-ignore
    await waitFor(async () => (await usersInLedger(relay)) === users, { what: 'ledger = MoEngage' })
  })

  test('a burst in one post costs one user; a refused update leaves its neighbours alone', async () => {
    relay = await Relay.start()
    relay.simulator.addFault({
      when: { path: 'attributes.poison', equals: true },
      action: { kind: 'refuse', type: 'AttributeError', message: 'value is not accepted' },
    })
    const bursts = Array.from({ length: CUSTOMERS }, (_, i) => burstOf(`burst-${i}`, BURST))
    bursts.push(
      burstOf('poisoned', BURST).map((update, i) =>
        i === 2 ? { ...update, attributes: { ...update.attributes, poison: true } } : update,
      ),
    )
    await relay.pause()
    const answer = await relay.postElements(bursts.flat().map(elementOf))
    expect(answer.status).toBe(200)
    await relay.resume()
    await waitForDelivered(relay, (CUSTOMERS + 1) * BURST - 1)
    for (let i = 0; i < CUSTOMERS; i += 1) {
      const customer = `burst-${i}`
      const expected = profileOf(burstOf(customer, BURST).map(({ attributes }) => attributes))
      expect(arrivedProfile(relay, customer)).toEqual(expected)
    }
    const good = burstOf('poisoned', BURST).filter((_, i) => i !== 2)
    expect(arrivedProfile(relay, 'poisoned')).toEqual(
      profileOf(good.map(({ attributes }) => attributes)),
    )
    const { users } = relay.simulator.record.totals
    expect(users).toBeLessThanOrEqual(CUSTOMERS + 3)
    const request = (JSON.parse(answer.body) as { request_id: string }).request_id
    const counts = async () => {
      const { body } = await relay.operate('GET', `requests/${request}`)
      return (JSON.parse(body) as { counts: { queued: number } }).counts
    }
    // Traces are written a moment after the answer.
    await waitFor(async () => (await counts()).queued === 0, { what: 'the trace of all elements' })
    expect(await counts()).toMatchObject({ accepted: 505, sent: 504, dead_lettered: 1 })
  })

  test('costs a user each where coalescing is switched off', async () => {
    relay = await Relay.start({ env: { RELAY_COALESCE: 'off' } })
    await relay.pause()
    await relay.postElements(burstOf('apart', BURST).map(elementOf))
    await relay.resume()
    await waitForDelivered(relay, BURST)
    expect(relay.simulator.record.totals.users).toBe(BURST)
    expect(await workerMetric(relay, 'relay_budget_saved_total', 'budget="users"')).toBe(0)
  })
})
