import { waitFor } from '@relay/dev/wait-for.js'
import { Relay } from '../src/relay.js'
import { numberedEvent } from '../src/shop.js'

const ELEMENTS = 200

test('a Redis that fills up is refused more in time, drains, and is posted to again without help', async () => {
  const relay = await Relay.start({
    workers: 0,
    env: { MOENGAGE_EVENTS_PER_MINUTE: '1000000' },
    simulator: { eventsPerWindow: 1_000_000, recordMaxElements: 1_000 },
    redis: { appendonly: 'everysec', maxmemory: '8mb' },
  })
  let accepted = 0
  let posts = 0
  const post = async () => {
    posts += 1
    const n = posts
    const elements = Array.from({ length: ELEMENTS }, (_, i) =>
      numberedEvent(`full-${String(n)}-${String(i)}`, n),
    )
    const answer = await relay.postElements(elements)
    if (answer.status === 200) accepted += ELEMENTS
    return answer
  }
  try {
    let answer = await post()
    const isFull = async () => {
      const answers = await Promise.all([post(), post(), post(), post()])
      answer = answers.find(({ status }) => status !== 200) ?? answer
      return answer.status !== 200
    }
    await waitFor(isFull, { what: 'Redis to be full', timeoutMs: 30_000, everyMs: 0 })
    expect(answer.status).toBe(503)
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
    expect(accepted).toBeGreaterThan(10 * ELEMENTS)
    await relay.addWorker()
    await relay.simulator.until((record) => record.totals.elements >= accepted, 30_000)
    const isOpen = async () => (await post()).status === 200
    await waitFor(isOpen, { what: 'posts to be accepted again' })
    await relay.simulator.until((record) => record.totals.elements >= accepted, 10_000)
    expect(relay.simulator.record.totals.elements).toBe(accepted)
  } finally {
    await relay.stop()
  }
})
