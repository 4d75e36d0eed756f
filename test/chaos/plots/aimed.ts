import { budgetPlots } from './budgets.js'
import { orderPlots } from './order.js'
import type { Aimed } from './plot.js'

/** Schedules that aim at one mechanism each. */
export const AIMED: readonly Aimed[] = [...orderPlots, ...budgetPlots]
