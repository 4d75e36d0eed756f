import type { Kind } from '../element.js'
import type { WorkspaceLimits } from '../config/workspace.js'

/** The budgets of a workspace, in the order the ledger keeps them. */
export const BUDGETS = ['users', 'events', 'devices'] as const
export type Budget = (typeof BUDGETS)[number]

/** Units of each budget. */
export type Cost = Readonly<Record<Budget, number>>

/** Share of each limit that backfill leaves to realtime at any time. */
export const REALTIME_HEADROOM = 0.05

export const NO_COST: Cost = { users: 0, events: 0, devices: 0 }

export function perBudget<T>(of: (budget: Budget) => T): Readonly<Record<Budget, T>> {
  return { users: of('users'), events: of('events'), devices: of('devices') }
}

/** Whether `cost` is more than `most` in any budget. */
export function exceeds(cost: Cost, most: Cost): boolean {
  return BUDGETS.some((budget) => cost[budget] > most[budget])
}

/** The budget that a kind is charged to: devices count as users unless they have a separate budget. */
export function budgetOf(kind: Kind, limits: WorkspaceLimits): Budget {
  switch (kind) {
    case 'user':
      return 'users'
    case 'event':
      return 'events'
    case 'device':
      return limits.devicesPerWindow === null ? 'users' : 'devices'
  }
}

/** Limits scaled by `factor` (the share that MoEngage seems to grant), at least 1 each. */
export function effectiveLimits(limits: WorkspaceLimits, factor: number): Cost {
  const scaled = (limit: number) => Math.max(1, Math.floor(limit * factor))
  return {
    users: scaled(limits.usersPerWindow),
    events: scaled(limits.eventsPerWindow),
    devices: limits.devicesPerWindow === null ? 0 : scaled(limits.devicesPerWindow),
  }
}
