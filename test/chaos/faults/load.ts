import { setTimeout as sleep } from 'node:timers/promises'
import { between } from '../random.js'
import type { Fault } from './fault.js'

const group = { group: 'load', loses: 'nothing', mayLinger: false, onlyDefault: true } as const
/** Longer than any timer inside relay that is not a setting, ms. */
const MAX_TIMER_MS = 32_000

/** What producers do that is no fault of theirs. */
export const LOAD_FAULTS: readonly Fault[] = [
  {
    ...{ name: 'load-quiet', ...group },
    run: async ({ stack, random, mood }) => {
      mood.quiet = true
      const { leaseMs } = stack.conditions.timers
      await sleep(Math.max(MAX_TIMER_MS, leaseMs) + between(random, 0, 6_000))
      mood.quiet = false
    },
  },
  {
    ...{ name: 'load-impatient', ...group },
    run: async ({ random, mood }) => {
      mood.impatientShare = 0.3
      await sleep(between(random, 2_000, 5_000))
      mood.impatientShare = 0
    },
  },
]
