import { waitFor } from '@relay/tools/wait-for.js'
import { APP_ID, Relay } from '../support/relay.js'
import { numberedUser, numbersOf } from '../support/shop.js'

const CUSTOMERS = ['ann', 'bob', 'eve'] as const

describe('dead letters that are replayed', () => {
  let relay: Relay

  beforeAll(async () => {
    // Coalesced, an update would stand for its neighbours.
    relay = await Relay.start({ workers: 2, env: { RELAY_COALESCE: 'off' } })
  })
  afterAll(() => relay.stop())

  const user = (customer: string, n: number, poison: boolean) => {
    const element = numberedUser(customer, n)
    return poison
      ? { ...element, attributes: { ...(element.attributes as object), poison } }
      : element
  }

  async function post(numbers: readonly number[], poison: (n: number) => boolean): Promise<void> {
    const elements = numbers.flatMap((n) => CUSTOMERS.map((c) => user(c, n, poison(n))))
    expect((await relay.postElements(elements)).status).toBe(200)
  }

  const arrived = (customer: string) =>
    relay.simulator.record
      .ofCustomer(APP_ID, customer)
      .flatMap(({ raw }) => numbersOf(raw.toString()))

  test('come back while they are still wrong, without touching their neighbours; later go in order', async () => {
    const { simulator } = relay
    const fault = simulator.addFault({
      when: { path: 'attributes.poison', equals: true },
      action: { kind: 'refuse', type: 'AttributeError', message: 'value is not accepted' },
    })
    const isPoison = (n: number) => n === 2 || n === 4
    await post([1, 2, 3, 4, 5], isPoison)
    const six = { what: 'six dead letters', timeoutMs: 30_000 }
    await waitFor(async () => (await relay.deadLetters()).length === 6, six)
    await waitFor(() => CUSTOMERS.every((c) => arrived(c).length === 3), {
      what: 'the neighbours to arrive',
    })
    for (const customer of CUSTOMERS) expect(arrived(customer)).toEqual([1, 3, 5])

    const before = new Set((await relay.deadLetters()).map(({ id }) => id))
    const replayed = await relay.operate('POST', 'dead-letters/replay', { app_id: APP_ID })
    expect(JSON.parse(replayed.body)).toEqual({ count: 6 })
    await post([6, 7, 8], () => false)
    const areBack = async () => {
      const all = await relay.deadLetters()
      return all.length === 6 && all.every(({ id }) => !before.has(id))
    }
    await waitFor(areBack, { ...six, what: 'six new dead letters' })
    await simulator.until((record) => record.totals.users >= CUSTOMERS.length * 6)
    for (const customer of CUSTOMERS) expect(arrived(customer)).toEqual([1, 3, 5, 6, 7, 8])

    simulator.faults.remove(fault)
    await relay.operate('POST', 'dead-letters/replay', { app_id: APP_ID })
    await waitFor(() => CUSTOMERS.every((customer) => arrived(customer).length === 8), {
      what: 'the replayed to arrive',
    })
    for (const customer of CUSTOMERS) expect(arrived(customer)).toEqual([1, 3, 5, 6, 7, 8, 2, 4])
    expect(await relay.deadLetters()).toHaveLength(0)
  })
})
