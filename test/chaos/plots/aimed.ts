import { budgetPlots } from './budgets.js'
import { claimPlots } from './claims.js'
import { dormantPlots } from './default/dormant.js'
import { keyPlots } from './default/keys.js'
import { forgottenBurst, forgottenWindow } from './default/ledger.js'
import { operatorPlots } from './default/operator.js'
import { overlapPlots } from './default/overlap.js'
import { resumePlots } from './default/resume.js'
import { settleArrivesLate } from './default/settle.js'
import { orderPlots } from './order.js'
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
