import { setTimeout as sleep } from 'node:timers/promises'
import { between, pick } from '../random.js'
import type { Fault } from './fault.js'

const quiet = { group: 'config', loses: 'nothing', mayLinger: false } as const
const PARTITIONS = [2, 3, 4, 6, 8] as const

/** A workspace that no one posts to. */
const OTHER = { appId: 'OTHER_DEBUG', apiKey: 'other', baseUrl: 'http://127.0.0.1:9' }

export const CONFIG_FAULTS: readonly Fault[] = [
  {
    ...{ name: 'config-broken-file', ...quiet },
    run: async ({ stack, random }) => {
      await stack.breakWorkspaces()
      await sleep(between(random, 600, 1500))
      await stack.writeWorkspaces()
    },
  },
  {
    ...{ name: 'config-other-workspace', ...quiet },
    run: async ({ stack, random }) => {
      await stack.writeWorkspaces([OTHER])
      await sleep(between(random, 600, 2000))
      await stack.writeWorkspaces()
    },
  },
  {
    ...{ name: 'config-workspace-returns', ...quiet, onlyDefault: true },
    run: async ({ stack, random }) => {
      await stack.removeWorkspace(OTHER)
      await sleep(between(random, 500, 4_000))
      await stack.writeWorkspaces()
    },
  },
  {
    ...{ name: 'config-partitions', ...quiet },
    run: async ({ stack, random }) => {
      stack.partitions = pick(
        random,
        PARTITIONS.filter((count) => count !== stack.partitions),
      )
      for (const service of stack.services.filter(({ running }) => running)) {
        await service.stop()
        await service.start()
      }
    },
  },
]
