import { waitFor } from '@relay/tools/wait-for.js'
import { Relay } from '../support/relay.js'
import { numberedEvent, numbersOf } from '../support/shop.js'

const WINDOW_S = 4
const EVENTS_PER_WINDOW = 600
const CUSTOMERS = 80
const PER_POST = 20
/** How long the backlog grows, ms. */
const GROWS_MS = 8_000
/**
 * Between the ages of what is sent and of what still waits, beyond the span of one request, ms: a request
 * that misses a window by a moment waits for the next. Without the order it would be `GROWS_MS`.
 */
const MAX_SPREAD_MS = WINDOW_S * 1000

test('under backlog the oldest data goes first, over all partitions and workers', async () => {
  const relay = await Relay.start({
    workers: 2,
    env: {
      MOENGAGE_EVENTS_PER_MINUTE: String(EVENTS_PER_WINDOW),
      MOENGAGE_BUDGET_WINDOW_SECONDS: String(WINDOW_S),
    },
    simulator: {
      eventsPerWindow: EVENTS_PER_WINDOW,
      windowMs: WINDOW_S * 1000,
      latency: { beforeMs: 50, beforeJitterMs: 50, afterMs: 50, afterJitterMs: 50 },
    },
  })
  try {
    await relay.pause()
    /** When each number was accepted, ms. */
    const acceptedAtMs: number[] = []
    const fromMs = performance.now()
    while (performance.now() - fromMs < GROWS_MS) {
      const first = acceptedAtMs.length
      const post = Array.from({ length: PER_POST }, (_, i) => {
        return numberedEvent(`customer-${(first + i) % CUSTOMERS}`, first + i)
      })
      const tickMs = performance.now()
      expect((await relay.postElements(post)).status).toBe(200)
      const atMs = performance.now() - fromMs
      acceptedAtMs.push(...post.map(() => atMs))
      await waitFor(() => performance.now() - tickMs >= 100, { what: 'the next tick' })
    }
    await relay.resume()
    const { record } = relay.simulator
    await relay.simulator.until(({ totals }) => totals.events >= acceptedAtMs.length, 60_000)

    // In the order in which they began: what jitter does to their arrival is not relay's choice.
    const requests = new Map<string, number[]>()
    const begun = record.requests.after(0, record.requests.capacity)
    for (const { requestId } of [...begun].sort((a, b) => a.startedAtMs - b.startedAtMs)) {
      requests.set(requestId, [])
    }
    for (const { raw, requestId } of record.elements.after(0, record.elements.capacity)) {
      const ages = requests.get(requestId) ?? []
      ages.push(...numbersOf(raw.toString()).map((n) => acceptedAtMs[n] ?? NaN))
      requests.set(requestId, ages)
    }
    const sent = [...requests.values()]
      .filter((ages) => ages.length > 0)
      .map((ages) => ({ oldest: Math.min(...ages), newest: Math.max(...ages) }))
    // Of two requests granted at the same moment either may begin first: the longer span counts.
    const spreads = sent.flatMap((request, i) =>
      sent.slice(i + 1).map((later) => {
        const span = Math.max(request.newest - request.oldest, later.newest - later.oldest)
        return request.newest - later.oldest - span
      }),
    )
    const most = Math.max(...spreads)
    process.stdout.write(
      `${requests.size} requests of a backlog of ${acceptedAtMs.length} events; something was sent at most ${most.toFixed(0)} ms before what was older, beyond one request's span\n`,
    )
    expect(requests.size).toBeGreaterThan(3)
    expect(most).toBeLessThanOrEqual(MAX_SPREAD_MS)
  } finally {
    await relay.stop()
  }
}, 120_000)
