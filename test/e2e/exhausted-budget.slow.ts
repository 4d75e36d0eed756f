import { waitFor } from '@relay/tools/wait-for.js'
import { APP_ID, Relay } from '../support/relay.js'
import { numberedEvent, numberedUser } from '../support/shop.js'

/** As in budgets: how much is used is claimed only where it is measured on purpose. */
const WINDOW_S = Number(process.env.RELAY_ACCEPTANCE_WINDOW_S ?? '10')
const MIN_USED = WINDOW_S >= 20 ? 0.95 : 0.5

describe('a budget that is exhausted', () => {
  test(
    'holds up only what it pays for',
    async () => {
      const windows = 2
      const usersPerWindow = 50 * WINDOW_S
      const eventsPerWindow = 200 * WINDOW_S
      const relay = await Relay.start({
        workers: 2,
        env: {
          MOENGAGE_USERS_PER_MINUTE: String(usersPerWindow),
          MOENGAGE_EVENTS_PER_MINUTE: String(eventsPerWindow),
          MOENGAGE_BUDGET_WINDOW_SECONDS: String(WINDOW_S),
          // The users budget is to stay exhausted: the waiting updates of one user would cost one.
          RELAY_COALESCE: 'off',
        },
        simulator: { usersPerWindow, eventsPerWindow, windowMs: WINDOW_S * 1000 },
      })
      try {
        const latencies: number[] = []
        const endsAtMs = performance.now() + windows * WINDOW_S * 1000
        let n = 0
        while (performance.now() < endsAtMs) {
          const tickMs = performance.now()
          n += 1
          // A tenth of a second: users at twice, events at 0.8 of their budget.
          const users = Array.from({ length: 10 }, (_, i) =>
            numberedUser(`u-${String(i)}-${String(n % 50)}`, n),
          )
          const event = numberedEvent(`e-${String(n)}`, n)
          const events = Array.from({ length: 15 }, (_, i) =>
            numberedEvent(`e-${String(n)}-${String(i)}`, n),
          )
          const answer = await relay.postElements([...users, ...events, event])
          expect(answer.status).toBe(200)
          const postedMs = performance.now()
          void relay.simulator
            .until((record) => record.ofCustomer(APP_ID, `e-${String(n)}`).length > 0, 20_000)
            .then(
              () => latencies.push(performance.now() - postedMs),
              () => latencies.push(Infinity),
            )
          await waitFor(() => performance.now() - tickMs >= 100, { what: 'the next tick' })
        }
        const used = relay.simulator.record.totals.users / (windows * usersPerWindow)
        await waitFor(() => latencies.length === n, { what: 'all events', timeoutMs: 25_000 })
        latencies.sort((a, b) => a - b)
        const p99 = latencies[Math.floor(latencies.length * 0.99)] ?? Infinity
        process.stdout.write(
          `events beside exhausted users: p99 ${p99.toFixed(0)} ms, users used ${(used * 100).toFixed(1)} %\n`,
        )
        expect(p99).toBeLessThanOrEqual(2_000)
        expect(used).toBeGreaterThanOrEqual(MIN_USED)
        expect(relay.simulator.record.statuses.get(429) ?? 0).toBe(0)
      } finally {
        await relay.stop()
      }
    },
    90_000 + WINDOW_S * 3_000,
  )
})
