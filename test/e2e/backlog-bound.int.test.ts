import { waitFor } from '@relay/tools/wait-for.js'
import { Relay } from '../support/relay.js'
import { marksIn, numberedEvent } from '../support/shop.js'

const PER_POST = 20
/** A few posts of about 6 KB. */
const BOUND_BYTES = 40_000

describe('a backlog at RELAY_MAX_BACKLOG_BYTES', () => {
  let relay: Relay

  beforeAll(async () => {
    relay = await Relay.start({
      workers: 0,
      env: { RELAY_MAX_BACKLOG_BYTES: String(BOUND_BYTES) },
    })
  })
  afterAll(() => relay.stop())

  test('is answered 503 with Retry-After, and is over without help once it drains', async () => {
    let next = 0
    const post = () => {
      const from = next
      next += PER_POST
      return relay.postElements(
        Array.from({ length: PER_POST }, (_, i) => numberedEvent(`c-${i}`, from + i)),
      )
    }
    let accepted = 0
    let answer = await post()
    while (answer.status === 200) {
      accepted += PER_POST
      expect(accepted * 200).toBeLessThan(BOUND_BYTES * 2)
      answer = await post()
    }
    expect(accepted).toBeGreaterThan(PER_POST)
    expect(answer.status).toBe(503)
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
    expect(answer.body).toContain('backlog is full')

    await relay.addWorker()
    const isTaken = async () => {
      const taken = (await post()).status === 200
      if (taken) accepted += PER_POST
      return taken
    }
    await waitFor(isTaken, { what: 'posts to be taken again', timeoutMs: 30_000 })
    await relay.simulator.until((record) => marksIn(record).size >= accepted)
    // Nothing that was refused, and nothing twice.
    expect(relay.simulator.record.totals.events).toBe(accepted)
  })
})
