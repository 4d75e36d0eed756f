import type { Random } from '@relay/shared/random.js'
import { between, pick } from '@relay/shared/seeded-random.js'
import type { Fault, FaultKind } from './faults.js'
import type { Load } from './load.js'

export interface Scenario {
  readonly what: string
  readonly durationMs: number
  readonly workers: number
  readonly apis: number
  readonly load: Load
  readonly environment?: Readonly<Record<string, string>>
  readonly faults: (random: Random, durationMs: number) => readonly Fault[]
  /** All is delivered this long after the last fault is healed, ms. */
  readonly drainedWithinMs: number
  /** No partition with elements stands still for longer while MoEngage and Redis are well, ms. */
  readonly stallMs: number
  /** Whether a fault explains that an element arrives twice. */
  readonly mayRepeat: boolean
  /** Longest time from an answer to the effect of elements of customers that are not busy, ms. */
  readonly waitMs: number
}

const LOAD: Load = {
  ...{ producers: 5, everyMs: 1_200, maxElements: 4, customers: 6 },
  ...{ backfill: 0.2, users: 0.2, bad: 0, projects: [], busy: 0, quiet: [] },
}

const MINUTES = 60_000

const BASE = {
  ...{ durationMs: 5 * MINUTES, workers: 3, apis: 2, load: LOAD },
  /*
   * A worker that is killed or frozen is distrusted for one lease (15 s); a session that Redis forgot, for one
   * more. A held gate probes after 60 s at the latest. A ledger that lost a worker opens after request timeout,
   * grace and one window: 10 + 5 + 60 s.
   */
  ...{ drainedWithinMs: 240_000, stallMs: 180_000, mayRepeat: true, waitMs: Infinity },
}

/** Faults of these kinds, every `minMs` to `maxMs`. */
function every(minMs: number, maxMs: number, kinds: readonly FaultKind[]): Scenario['faults'] {
  return (random, durationMs) => {
    const faults: Fault[] = []
    let atMs = 3_000 + between(random, minMs, maxMs)
    for (; atMs < durationMs; atMs += between(random, minMs, maxMs)) {
      faults.push({ atMs, kind: pick(random, kinds) })
    }
    return faults
  }
}

const MIXED: readonly FaultKind[] = [
  ...(['kill', 'stop', 'add', 'freeze', 'freeze-api', 'cut', 'deaf', 'cut-after-settle'] as const),
  ...(['redis-hang', 'redis-slow', 'redis-restart', 'redis-forget', 'redis-clock'] as const),
  ...(['vendor', 'vendor', 'vendor', 'wall-clock', 'workspace'] as const),
]

/** Budgets that the load exceeds from time to time; the backlog is delivered afterwards. */
const TIGHT = { MOENGAGE_EVENTS_PER_MINUTE: '300', MOENGAGE_USERS_PER_MINUTE: '100' }

/** Two projects, and customers that exceed the limits of one. */
const PORTFOLIO = {
  ...{ ...BASE, durationMs: 3 * MINUTES, drainedWithinMs: 15 * MINUTES, stallMs: 6 * MINUTES },
  load: { ...LOAD, ...{ producers: 3, everyMs: 600, maxElements: 8, projects: ['eu', 'us'], busy: 0.6 } }, // prettier-ignore
  environment: { MOENGAGE_CUSTOMER_LIMITS: '100/20,200/60' },
}

export const SCENARIOS = {
  mixed: {
    ...BASE,
    what: 'every fault of processes, Redis, MoEngage, clocks and the workspaces file; two quiet times',
    load: { ...LOAD, quiet: [[60_000, 110_000], [200_000, 245_000]] }, // prettier-ignore
    faults: every(3_000, 25_000, MIXED),
  },
  brief: {
    ...BASE,
    what: 'the same faults, many in twenty seconds: for every run of the tests',
    durationMs: 20_000,
    load: { ...LOAD, everyMs: 600, bad: 0.01 },
    faults: every(500, 4_000, MIXED),
  },
  stalled: {
    ...BASE,
    what: 'MoEngage answers late, never, or with errors, while workers come and go',
    faults: every(4_000, 20_000, ['vendor', 'vendor', 'stop', 'add', 'cut', 'freeze']),
  },
  forget: {
    ...BASE,
    what: 'Redis restarts and forgets its last seconds',
    faults: every(8_000, 30_000, ['redis-forget', 'redis-restart', 'vendor']),
  },
  workspace: {
    ...BASE,
    what: 'the workspace is removed and put back while MoEngage is slow',
    faults: (random, durationMs) => {
      const faults: Fault[] = []
      for (let atMs = 5_000; atMs < durationMs; atMs += between(random, 20_000, 40_000)) {
        faults.push({ atMs, kind: 'vendor', mode: 'slow', forMs: 12_000 })
        const removedMs = atMs + between(random, 100, 9_000)
        faults.push({ atMs: removedMs, kind: 'workspace', forMs: between(random, 100, 15_000) })
      }
      return faults
    },
  },
  quiet: {
    ...BASE,
    what: 'long times without posts, outages of MoEngage, workers that come and go',
    load: { ...LOAD, everyMs: 400, quiet: [[22_000, 110_000], [112_000, 200_000], [202_000, 290_000]] }, // prettier-ignore
    faults: every(5_000, 20_000, ['vendor', 'kill', 'stop', 'add', 'freeze']),
  },
  budget: {
    ...BASE,
    what: 'tight budgets, clock steps, restarts of Redis, lost answers',
    environment: TIGHT,
    // Backfill gets a tenth of the budget while realtime could use all.
    ...{ drainedWithinMs: 15 * MINUTES, stallMs: 6 * MINUTES },
    load: { ...LOAD, everyMs: 2_500, producers: 4 },
    faults: every(8_000, 30_000, ['kill', 'vendor', 'redis-restart', 'redis-forget', 'cut', 'redis-hang', 'redis-clock']), // prettier-ignore
  },
  partitions: {
    ...BASE,
    what: 'the number of partitions changes, worker by worker',
    faults: every(15_000, 50_000, ['partitions', 'partitions', 'vendor', 'kill', 'redis-restart']),
  },
  operators: {
    ...BASE,
    what: 'operators pause, resume, forget, replay and purge while workers and MoEngage fail',
    load: { ...LOAD, bad: 0.01 },
    faults: every(3_000, 15_000, ['pause', 'forget', 'forget', 'replay', 'purge', 'kill', 'stop', 'cut', 'vendor', 'redis-restart']), // prettier-ignore
  },
  split: {
    ...BASE,
    what: 'MoEngage refuses elements, so requests are divided; connections end just after a settle',
    load: { ...LOAD, everyMs: 1_500, maxElements: 30, bad: 0.02 },
    faults: every(1_500, 5_000, ['cut-after-settle']),
  },
  portfolio: {
    ...PORTFOLIO,
    what: 'two projects, customers at their limit in both lanes; workers end, Redis forgets, customers are erased',
    faults: every(2_000, 12_000, ['kill', 'stop', 'add', 'freeze', 'cut', 'aimed', 'redis-restart', 'redis-forget', 'vendor', 'forget']), // prettier-ignore
  },
  aimed: {
    ...BASE,
    what: 'processes are cut off, killed or frozen just after a settle, claim, mark or reserve, or by a last byte',
    load: { ...LOAD, bad: 0.01 },
    faults: (random, durationMs) => [
      ...every(500, 4_000, ['aimed', 'aimed', 'aimed', 'stop', 'add'])(random, durationMs),
      ...every(20_000, 40_000, ['vendor'])(random, durationMs),
    ],
  },
  failover: {
    ...BASE,
    what: 'Redis fails over to a replica that lags and whose clock differs',
    faults: every(8_000, 30_000, ['redis-failover', 'redis-failover', 'kill', 'cut', 'vendor']),
  },
  steps: {
    ...PORTFOLIO,
    what: "the load of portfolio while Redis' clock steps, and Redis fails over",
    faults: every(5_000, 20_000, ['redis-clock', 'redis-failover', 'kill']),
  },
  saturated: {
    ...BASE,
    what: 'more than the budgets allow, for minutes: late and lost answers, restarts of Redis, frozen workers',
    durationMs: 3 * MINUTES,
    environment: TIGHT,
    ...{ drainedWithinMs: 40 * MINUTES, stallMs: 10 * MINUTES },
    faults: every(3_000, 15_000, ['vendor', 'vendor', 'freeze', 'kill', 'cut', 'redis-forget', 'redis-restart']), // prettier-ignore
  },
  erased: {
    ...BASE,
    what: 'customers are erased while workers that hold their elements are cut off, killed or frozen',
    faults: (random, durationMs) => [
      ...every(2_000, 8_000, ['aimed', 'forget', 'forget'])(random, durationMs),
      ...every(4_000, 12_000, ['aimed'])(random, durationMs).flatMap((fault) => [
        { ...fault, point: 'last byte' as const, how: 'freeze' as const, forMs: 9_000 },
        ...[1_500, 1_600, 1_700].map((ms) => ({ ...fault, kind: 'forget' as const, atMs: fault.atMs + ms })), // prettier-ignore
      ]),
    ],
  },
  outlived: {
    ...BASE,
    what: 'workers lose Redis for longer than their lease with a request in progress; MoEngage is slow',
    faults: (random, durationMs) => [
      { atMs: 3_000, kind: 'vendor', mode: 'slow', forMs: durationMs },
      ...every(4_000, 12_000, ['aimed'])(random, durationMs).map((fault) => {
        const point = pick(random, ['reserve', 'last byte', 'sent'] as const)
        return { ...fault, point, how: 'cut' as const, forMs: between(random, 15_000, 30_000) }
      }),
    ],
  },
  alone: {
    ...BASE,
    what: 'one worker; the workspace is removed and put back while a request is open; nothing is posted afterwards',
    ...{ durationMs: MINUTES, workers: 1 },
    load: { ...LOAD, everyMs: 300, quiet: [[15_000, MINUTES]] }, // prettier-ignore
    faults: (random) => [
      { atMs: 14_000, kind: 'vendor', mode: 'slow', forMs: 5_000 },
      { atMs: 14_500 + between(random, 0, 3_000), kind: 'workspace', forMs: between(random, 100, 3_000) }, // prettier-ignore
    ],
  },
  blamed: {
    ...BASE,
    what: 'MoEngage refuses everything for a while: only what it refuses alone is a dead letter',
    load: { ...LOAD, bad: 0.01 },
    faults: (random, durationMs) =>
      every(8_000, 30_000, ['vendor'])(random, durationMs).map((fault) => {
        return { ...fault, mode: 'strange', forMs: between(random, 1_000, 8_000) }
      }),
  },
  rolling: {
    ...BASE,
    what: 'workers start and stop in good order, MoEngage refuses elements: nothing arrives twice',
    load: { ...LOAD, everyMs: 400, bad: 0.01 },
    faults: every(2_000, 10_000, ['stop', 'stop', 'add']),
    mayRepeat: false,
  },
  repeated: {
    ...BASE,
    what: 'posts are repeated with their key after lost answers: nothing arrives twice',
    faults: every(1_000, 5_000, ['cut-api', 'cut-api', 'freeze-api']),
    mayRepeat: false,
  },
} satisfies Record<string, Scenario>

export type ScenarioName = keyof typeof SCENARIOS

/** The same load without a fault, within bounds that only relay itself can exceed. */
export function controlOf(scenario: Scenario): Scenario {
  const isTight = scenario.environment !== undefined
  return {
    ...scenario,
    faults: () => [],
    ...{ mayRepeat: false, waitMs: scenario.load.busy > 0 ? 3_000 : Infinity },
    // A free partition is claimed within a second, even if workers compute different shares.
    ...(isTight ? {} : { drainedWithinMs: 10_000, stallMs: 3_000 }),
  }
}
