import { offerBothBudgets } from '../support/both-budgets.js'

/** As in budgets: how much is used is claimed only where it is measured on purpose. */
const WINDOW_S = Number(process.env.RELAY_ACCEPTANCE_WINDOW_S ?? '10')
const MIN_USED = WINDOW_S >= 20 ? 0.95 : 0.5

describe('a budget that is exhausted', () => {
  test(
    'holds up only what it pays for',
    async () => {
      const { used, latenciesMs, refused } = await offerBothBudgets(WINDOW_S, 2)
      const sorted = [...latenciesMs].sort((a, b) => a - b)
      const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? Infinity
      process.stdout.write(
        `events beside exhausted users: p99 ${p99.toFixed(0)} ms, users used ${(used * 100).toFixed(1)} %\n`,
      )
      expect(p99).toBeLessThanOrEqual(2_000)
      expect(used).toBeGreaterThanOrEqual(MIN_USED)
      expect(refused).toBe(0)
    },
    90_000 + WINDOW_S * 3_000,
  )
})
