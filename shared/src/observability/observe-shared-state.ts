import type { Registry } from 'prom-client'
import type { Clock } from '../clock.js'
import type { Config } from '../config/environment.js'
import type { WorkspaceDirectory } from '../config/workspace-directory.js'
import type { RedisClient } from '../redis/connect.js'
import { StateReader } from './shared-state.js'
import { StateMetrics } from './state-metrics.js'

interface Observed {
  readonly registry: Registry
  readonly client: RedisClient
  readonly config: Pick<Config, 'prefix' | 'budgetWindowMs'>
  readonly workspaces: Pick<WorkspaceDirectory, 'all'>
  readonly clock: Clock
}

/** Exports the state shared by all processes from this process. */
export function observeSharedState(observed: Observed): void {
  const { registry, client, config, workspaces, clock } = observed
  const { prefix, budgetWindowMs: windowMs } = config
  const all = () => workspaces.all()
  const reader = new StateReader({ client, prefix, windowMs, clock, workspaces: all })
  new StateMetrics({ registry, clock, windowMs, read: () => reader.read() })
}
