import { Ledger } from '@relay/shared/budget/ledger.js'
import type { Clock } from '@relay/shared/clock.js'
import type { Workspace } from '@relay/shared/config/workspace.js'
import type { DeadLetterStore } from '@relay/shared/dead-letters/dead-letter-store.js'
import { readAdaptation } from '@relay/shared/gate/adaptation.js'
import { readCeiling } from '@relay/shared/gate/ceiling.js'
import { readGate } from '@relay/shared/gate/gate-state.js'
import { GateStore, LearnedStore } from '@relay/shared/gate/gate-store.js'
import { readHeldCustomers } from '@relay/shared/policy/customer-counts.js'
import { readBacklog, type LaneBacklog } from '@relay/shared/queue/backlog.js'
import { readWorkers } from '@relay/shared/queue/workers.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'
import { workersView, workspaceView } from './workspace-view.js'

export interface WorkspaceReaderParts {
  readonly client: RedisClient
  readonly prefix: string
  readonly windowMs: number
  readonly letters: DeadLetterStore
  readonly clock: Clock
}

/** Reads the present state of workspaces from Redis. Rejects when it does not answer. */
export async function readWorkspaces(
  parts: WorkspaceReaderParts,
  workspaces: readonly Workspace[],
) {
  const { client, prefix } = parts
  const appIds = workspaces.map(({ appId }) => appId)
  const [backlog, workers] = await Promise.all([
    readBacklog(client, prefix, appIds),
    readWorkers(client, prefix, appIds),
  ])
  const shared = { backlog, workersAlive: workers.alive }
  return {
    workers_alive: workers.alive,
    workers: workersView(workers),
    workspaces: await Promise.all(workspaces.map((one) => readWorkspace(parts, one, shared))),
  }
}

async function readWorkspace(
  { client, prefix, windowMs, letters, clock }: WorkspaceReaderParts,
  { appId, limits, mode }: Workspace,
  { backlog, workersAlive }: { backlog: readonly LaneBacklog[]; workersAlive: number },
) {
  const ledger = new Ledger(client, prefix, appId, clock)
  const [gate, learned, { used }, recovers, deadLetters, customersHeld] = await Promise.all([
    new GateStore(client, prefix, appId).read(),
    new LearnedStore(client, prefix, appId).read(),
    ledger.use(),
    ledger.isRecovering(),
    letters.counts(appId),
    readHeldCustomers(client, prefix, appId),
  ])
  return workspaceView({
    ...{ appId, limits, mode, windowMs, used, recovers, deadLetters, workersAlive, customersHeld },
    nowMs: clock.nowMs(),
    gate: readGate(gate.record === '' ? null : gate.record),
    adaptation: readAdaptation(learned.adaptation),
    ceiling: readCeiling(learned.ceiling, limits.maxBodyBytes),
    lanes: backlog.filter((lane) => lane.appId === appId),
  })
}
