import { offerBothBudgets } from '@relay/test/support/both-budgets.js'
import { quantile } from '../measure.js'
import { at, atLeast, atMost, columns, target, type BenchOptions, type Row } from './row.js'

const WINDOW_S = 20
const WINDOWS = 2
const OFFERED = 'users at 2, events at 0.8'

const USED = 'users used, %'
const REFUSED = '429s'

async function measure({ quick }: BenchOptions) {
  const windowS = quick ? 2 : WINDOW_S
  const { used, latenciesMs, refused } = await offerBothBudgets(windowS, WINDOWS)
  const values = { [USED]: used * 100, 'events p99 ms': quantile(latenciesMs, 0.99) }
  return [{ contender: OFFERED, values: { ...values, [REFUSED]: refused } }]
}

export const BUDGETS: Row = {
  name: 'budgets',
  title: `Both budgets bind: small elements offered at so many times each budget, window ${WINDOW_S} s, 2 workers`,
  columns: columns({ [USED]: 1, 'events p99 ms': 0, [REFUSED]: 0 }),
  targets: [
    target('users used', '≥ 98 %', 1, at(OFFERED, USED), atLeast(98)),
    target('429s', '0', 0, at(OFFERED, REFUSED), atMost(0)),
  ],
  measure,
}
