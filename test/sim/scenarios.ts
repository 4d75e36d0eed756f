import type { Random } from '@relay/shared/random.js'
import { between, pick } from '../chaos/random.js'
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
}

const LOAD: Load = {
  ...{ producers: 5, everyMs: 1_200, maxElements: 4, customers: 6 },
  ...{ backfill: 0.2, users: 0.2, bad: 0, quiet: [] },
}

const MINUTES = 60_000

const BASE = {
  ...{ durationMs: 5 * MINUTES, workers: 3, apis: 2, load: LOAD },
  /*
   * A worker that is killed or frozen is distrusted for one lease (15 s); a session that Redis forgot, for one
   * more. A held gate probes after 60 s at the latest. A ledger that lost a worker opens after request timeout,
   * grace and one window: 10 + 5 + 60 s.
   */
  ...{ drainedWithinMs: 240_000, stallMs: 180_000 },
}

/** Faults of these kinds, every `minMs` to `maxMs`. */
function every(minMs: number, maxMs: number, kinds: readonly FaultKind[]): Scenario['faults'] {
  return (random, durationMs) => {
    const faults: Fault[] = []
    let atMs = 5_000 + between(random, minMs, maxMs)
    for (; atMs < durationMs; atMs += between(random, minMs, maxMs)) {
      faults.push({ atMs, kind: pick(random, kinds) })
    }
    return faults
  }
}

const NO_FAULTS = () => []

const MIXED: readonly FaultKind[] = [
  ...(['kill', 'stop', 'add', 'freeze', 'freeze-api', 'cut', 'deaf', 'cut-after-settle'] as const),
  ...(['redis-hang', 'redis-slow', 'redis-restart', 'redis-forget', 'redis-clock'] as const),
  ...(['vendor', 'vendor', 'vendor', 'wall-clock', 'workspace'] as const),
]

export const SCENARIOS = {
  control: {
    ...BASE,
    what: 'no fault at all',
    faults: NO_FAULTS,
    ...{ drainedWithinMs: 5_000, stallMs: 3_000 },
  },
  mixed: {
    ...BASE,
    what: 'every fault of processes, Redis, MoEngage, clocks and the workspaces file; two quiet times',
    load: { ...LOAD, quiet: [[60_000, 110_000], [200_000, 245_000]] }, // prettier-ignore
    faults: every(3_000, 25_000, MIXED),
  },
} satisfies Record<string, Scenario>
