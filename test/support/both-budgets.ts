import { waitFor } from '@relay/tools/wait-for.js'
import { APP_ID, Relay } from './relay.js'
import { numberedEvent, numberedUser } from './shop.js'

export interface BothBudgets {
  /** Share of the users budget that was used, over all windows. */
  readonly used: number
  /** Accepted → at MoEngage, of each post's last event, ms; Infinity for those that did not arrive. */
  readonly latenciesMs: readonly number[]
  /** Requests that MoEngage answered with 429. */
  readonly refused: number
}

/**
 * Offers small elements for so many windows: users at twice their budget, events at 0.8 of theirs, in
 * posts a tenth of a second apart.
 */
export async function offerBothBudgets(windowS: number, windows: number): Promise<BothBudgets> {
  const usersPerWindow = 50 * windowS
  const eventsPerWindow = 200 * windowS
  const relay = await Relay.start({
    workers: 2,
    env: {
      MOENGAGE_USERS_PER_MINUTE: String(usersPerWindow),
      MOENGAGE_EVENTS_PER_MINUTE: String(eventsPerWindow),
      MOENGAGE_BUDGET_WINDOW_SECONDS: String(windowS),
      // The users budget is to stay exhausted: the waiting updates of one user would cost one.
      RELAY_COALESCE: 'off',
    },
    simulator: { usersPerWindow, eventsPerWindow, windowMs: windowS * 1000 },
  })
  try {
    const latenciesMs: number[] = []
    const endsAtMs = performance.now() + windows * windowS * 1000
    let n = 0
    while (performance.now() < endsAtMs) {
      const tickMs = performance.now()
      n += 1
      const users = Array.from({ length: 10 }, (_, i) => numberedUser(`u-${i}-${n % 50}`, n))
      const last = `e-${n}`
      const events = Array.from({ length: 15 }, (_, i) => numberedEvent(`e-${n}-${i}`, n))
      const { status } = await relay.postElements([...users, ...events, numberedEvent(last, n)])
      if (status !== 200) throw new Error(`a post was answered ${status}`)
      const postedMs = performance.now()
      void relay.simulator
        .until((record) => record.ofCustomer(APP_ID, last).length > 0, 20_000)
        .then(
          () => latenciesMs.push(performance.now() - postedMs),
          () => latenciesMs.push(Infinity),
        )
      await waitFor(() => performance.now() - tickMs >= 100, { what: 'the next tick' })
    }
    const { record } = relay.simulator
    const used = record.totals.users / (windows * usersPerWindow)
    await waitFor(() => latenciesMs.length === n, { what: 'all events', timeoutMs: 25_000 })
    return { used, latenciesMs, refused: record.statuses.get(429) ?? 0 }
  } finally {
    await relay.stop()
  }
}
