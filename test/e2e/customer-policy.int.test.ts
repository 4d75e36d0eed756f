import { waitFor } from '@relay/tools/wait-for.js'
import { APP_ID, Relay } from '../support/relay.js'

const LIMITS = [
  { units: 40, windowMs: 2_000 },
  { units: 100, windowMs: 6_000 },
]
const HOT_EVENTS = 150

const event = (customer: string, n: number) => ({
  type: 'event',
  customer_id: customer,
  actions: [{ action: 'a', attributes: { n } }],
})

describe("MoEngage's per-customer policy", () => {
  let relay: Relay

  beforeAll(async () => {
    relay = await Relay.start({
      workers: 2,
      env: { MOENGAGE_CUSTOMER_LIMITS: '40/2,100/6' },
      simulator: { customerLimits: LIMITS },
    })
  })
  afterAll(() => relay.stop())

  test('a runaway customer is held back within it, in order, on both lanes; the others go at once', async () => {
    const { record } = relay.simulator
    const hot = Array.from({ length: HOT_EVENTS }, (_, n) => event('hot', n))
    const others = Array.from({ length: 300 }, (_, n) => event(`customer-${n}`, n))
    const backfill = Array.from({ length: 30 }, (_, n) => event('hot', 1_000 + n))
    const startedAtMs = Date.now()
    await relay.postAll(hot)
    await relay.postElements(backfill, { 'Relay-Lane': 'backfill' })
    await relay.postAll(others)
    const arrivedOf = (prefix: string) =>
      record.elements.after(0, 10_000).filter(({ customer }) => customer.startsWith(prefix))
    await waitFor(() => arrivedOf('customer-').length === others.length, { what: 'the others' })
    expect(Date.now() - startedAtMs).toBeLessThan(6_000)
    expect(record.totals.events).toBeLessThan(HOT_EVENTS + others.length)
    const all = others.length + HOT_EVENTS + backfill.length
    await relay.simulator.until(({ totals }) => totals.events >= all, 60_000)
    const [policy] = relay.simulator.policy()
    expect(policy?.breaches).toBe(0)
    for (const { peak, units } of policy?.peaks ?? []) expect(peak).toBeLessThanOrEqual(units)
    expect(record.drops.byReason).toMatchObject({ fair_usage_policy: 0 })
    const numbers = record.ofCustomer(APP_ID, 'hot').flatMap(({ raw }) => {
      const { actions } = JSON.parse(raw.toString()) as { actions: { attributes: { n: number } }[] }
      return actions.map(({ attributes }) => attributes.n)
    })
    const lanes = [numbers.filter((n) => n < 1_000), numbers.filter((n) => n >= 1_000)]
    for (const lane of lanes) expect(lane).toEqual([...lane].sort((a, b) => a - b))
    expect(numbers).toHaveLength(HOT_EVENTS + backfill.length)
  }, 90_000)
})

test('while a customer is held back for long, later ones of the same partition go at once', async () => {
  const relay = await Relay.start({ env: { MOENGAGE_CUSTOMER_LIMITS: '40/600' } })
  try {
    const { record } = relay.simulator
    const held = async () => {
      const { body } = await relay.operate('GET', 'workspaces')
      return body.includes('"customers_held":{"count":1')
    }
    await relay.postAll(Array.from({ length: 60 }, (_, n) => event('hot', n)))
    await waitFor(held, { what: 'the customer to be held back' })
    const isWarned = async () =>
      (await relay.postElements([event('hot', 60)])).body.includes('waits: this customer')
    await waitFor(isWarned, { what: 'a warning to the producer' })
    for (let n = 0; n < 64; n += 1) await relay.postElements([event(`later-${n}`, n)])
    const later = () =>
      record.elements.after(0, 1_000).filter(({ customer }) => customer.startsWith('later-'))
    await waitFor(() => later().length === 64, { what: 'the later customers' })
  } finally {
    await relay.stop()
  }
})
