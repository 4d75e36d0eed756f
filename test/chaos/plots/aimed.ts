import { budgetPlots } from './budgets.js'
import { claimPlots } from './claims.js'
import { forgottenWindow } from './default/ledger.js'
import { SCENARIOS } from './default/scenarios.js'
import { orderPlots } from './order.js'
import type { Aimed } from './plot.js'

/** Schedules that aim at one mechanism each. */
export const AIMED: readonly Aimed[] = [
  ...orderPlots,
  ...budgetPlots,
  ...claimPlots,
  forgottenWindow,
  ...SCENARIOS,
]
