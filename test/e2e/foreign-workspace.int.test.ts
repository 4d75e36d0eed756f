import { APP_ID, Relay } from '../support/relay.js'
import { numberedEvent } from '../support/shop.js'

test('a worker that lacks a workspace does not hold up what others send for it', async () => {
  const relay = await Relay.start({ workers: 1 })
  try {
    await relay.addWorker({ MOENGAGE_APP_ID: 'ANOTHER' })
    const customers = Array.from({ length: 200 }, (_, i) => `c-${i}`)
    await relay.postAll(customers.map((customer, i) => numberedEvent(customer, i)))
    await relay.simulator.until(
      (record) => customers.every((customer) => record.ofCustomer(APP_ID, customer).length > 0),
      15_000,
    )
  } finally {
    await relay.stop()
  }
}, 60_000)
