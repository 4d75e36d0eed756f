import { budgetPlots, forgottenBurst, forgottenWindow } from './budgets.js'
import { claimPlots, overlapPlots } from './claims.js'
import { dormantPlots, resumePlots } from './resume.js'
import { keyPlots } from './keys.js'
import { operatorPlots } from './operator.js'
import { settleArrivesLate, orderPlots } from './order.js'
import type { Aimed } from './plot.js'

/** Schedules at the settings of a user, a minute or so each: `--scenarios` plays all of them. */
export const SCENARIOS: readonly Aimed[] = [
  ...dormantPlots,
  ...overlapPlots,
  ...resumePlots,
  ...keyPlots,
  settleArrivesLate,
  forgottenBurst,
  ...operatorPlots,
]

/** Schedules that aim at one mechanism each. */
export const AIMED: readonly Aimed[] = [
  ...orderPlots,
  ...budgetPlots,
  ...claimPlots,
  forgottenWindow,
  ...SCENARIOS,
]
