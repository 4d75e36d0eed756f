import { setTimeout as sleep } from 'node:timers/promises'
import { between, pick } from '@relay/shared/seeded-random.js'
import { APP_ID, OTHER_WORKSPACE } from '../stack/settings.js'
import { fault, lasting, type Fault } from './fault.js'

const PARTITIONS = [2, 3, 4, 6, 8]
/** Longer than any timer inside relay that is not a setting, ms. */
const MAX_TIMER_MS = 32_000
const operator = { group: 'operator', onlyDefault: true } as const
const load = { group: 'load', onlyDefault: true } as const

/** What operators do to the configuration, and by hand while something fails; what producers do that is no fault of theirs. */
export const OPERATOR_FAULTS: readonly Fault[] = [
  fault('config-broken-file', { group: 'config' }, async ({ stack, random }) => {
    await stack.breakWorkspaces()
    await lasting(random, 600, 1500)
    await stack.writeWorkspaces()
  }),
  fault('config-other-workspace', { group: 'config' }, async ({ stack, random }) => {
    await stack.writeWorkspaces([OTHER_WORKSPACE])
    await lasting(random, 600, 2000)
    await stack.writeWorkspaces()
  }),
  fault(
    'config-workspace-returns',
    { group: 'config', onlyDefault: true },
    async ({ stack, random }) => {
      await stack.removeWorkspace()
      await lasting(random, 500, 4_000)
      await stack.writeWorkspaces()
    },
  ),
  fault('config-partitions', { group: 'config' }, async ({ stack, random }) => {
    const others = PARTITIONS.filter((count) => count !== stack.partitions)
    stack.partitions = pick(random, others)
    for (const service of stack.services.filter(({ running }) => running)) {
      await service.stop()
      await service.start()
    }
  }),
  fault('operator-forget', operator, async ({ stack, random, journal }) => {
    const known = [...new Set(journal.posted.map(({ customer }) => customer))]
    for (let i = 0; i < 3 && known.length > 0; i += 1) {
      await stack.forget(pick(random, known), journal).catch(() => undefined)
      await lasting(random, 100, 500)
    }
  }),
  fault('operator-replay', operator, async ({ stack }) => {
    // Refused again, each of them: they end where they were.
    await stack.operate('dead-letters/replay', { app_id: APP_ID }).catch(() => undefined)
  }),
  fault('load-quiet', load, async ({ stack, random, mood }) => {
    mood.quiet = true
    const { leaseMs } = stack.conditions.timers
    await sleep(Math.max(MAX_TIMER_MS, leaseMs) + between(random, 0, 6_000))
    mood.quiet = false
  }),
  fault('load-impatient', load, async ({ random, mood }) => {
    mood.impatientShare = 0.3
    await lasting(random, 2_000, 5_000)
    mood.impatientShare = 0
  }),
]
