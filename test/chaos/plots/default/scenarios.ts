import type { Aimed } from '../plot.js'
import { dormantPlots } from './dormant.js'
import { keyPlots } from './keys.js'
import { ledgerPlots } from './ledger.js'
import { operatorPlots } from './operator.js'
import { overlapPlots } from './overlap.js'
import { resumePlots } from './resume.js'
import { settlePlots } from './settle.js'
import { workspacePlots } from './workspace.js'

/** Schedules at the settings of a user, a minute or so each: `--scenarios` plays all of them. */
export const SCENARIOS: readonly Aimed[] = [
  ...dormantPlots,
  ...overlapPlots,
  ...resumePlots,
  ...workspacePlots,
  ...keyPlots,
  ...settlePlots,
  ...ledgerPlots,
  ...operatorPlots,
]
