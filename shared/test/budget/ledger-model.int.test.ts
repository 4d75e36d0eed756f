import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { Ledger, type LedgerUse } from '../../src/budget/ledger.js'
import { NO_COST, type Cost } from '../../src/budget/cost.js'
import type { Lane } from '../../src/element.js'
import { seededRandom } from '../../src/seeded-random.js'
import { connectStepped, type SteppedRedis } from '../redis/stepped-redis.js'

/**
 * The ledger in a simulated day: its scripts run in a real Redis, but on a clock of the test's.
 * The oracle knows nothing of the ledger: it is the list of what arrived at MoEngage, and when.
 */
const WINDOW_MS = 60_000
const TIMEOUT_MS = 10_000
const GRACE_MS = 5_000
const OPEN_MS = TIMEOUT_MS + GRACE_MS
const LIMITS: Cost = { users: 5_000, events: 20_000, devices: 0 }
const TIGHT: Cost = { users: 300, events: 300, devices: 0 }
const START_MS = 1_800_000_000_000
/** What is less does not show among the delays of commands. */
const SMALLEST_STEP_MS = 300
const LARGEST_STEP_MS = 3_600_000

interface Arrival {
  readonly atMs: number
  readonly users: number
  readonly events: number
}

/** Events in time order; a new one may be planned while one runs. */
class Agenda {
  #events: { atMs: number; act: () => Promise<void> }[] = []

  plan(atMs: number, act: () => Promise<void>): void {
    let i = this.#events.length
    while (i > 0 && (this.#events[i - 1]?.atMs ?? 0) > atMs) i -= 1
    this.#events.splice(i, 0, { atMs, act })
  }

  next() {
    return this.#events.shift()
  }
}

class Simulation {
  nowMs = START_MS
  steps = 0
  useAtLast: LedgerUse | null = null
  /** Reserved, less refunds. */
  granted: Cost = NO_COST
  readonly arrivals: Arrival[] = []
  readonly agenda = new Agenda()
  readonly waits: number[] = []
  readonly delivered: Record<Lane, number> = { realtime: 0, backfill: 0 }
  readonly #random: ReturnType<typeof seededRandom>
  /** One per process: each carries the ledger's time on by itself. */
  readonly #ledgers = new Map<string, Ledger>()
  readonly #redis: SteppedRedis
  readonly #prefix: string
  /** How often Redis' clock steps, per command. */
  #clockSteps: number
  #stepsMs = 0
  /** While an answer is read: how long it has lain there, as when its process was frozen. */
  #readLateMs = 0
  readonly #limits: Cost
  #ids = 0

  constructor(redis: SteppedRedis, seed: number, clockSteps: number, limits: Cost) {
    this.#limits = limits
    this.#redis = redis
    this.#prefix = `model-${seed}`
    this.#clockSteps = clockSteps
    this.#random = seededRandom(seed)
  }

  #ledger(name: string): Ledger {
    const monotonicMs = () => this.nowMs - START_MS + this.#readLateMs
    const clock = { nowMs: () => this.nowMs, monotonicMs }
    const ledger =
      this.#ledgers.get(name) ?? new Ledger(this.#redis.client, this.#prefix, 'MODEL', clock)
    this.#ledgers.set(name, ledger)
    return ledger
  }

  chance(): number {
    return this.#random.next()
  }

  between(from: number, to: number): number {
    return from + Math.floor(this.chance() * (to - from + 1))
  }

  /** Sets the scripts' clock, then runs one of them. */
  async call<T>(act: () => Promise<T>): Promise<T> {
    this.steps += 1
    if (this.chance() < this.#clockSteps) {
      const sign = this.chance() < 0.5 ? -1 : 1
      const span = LARGEST_STEP_MS / SMALLEST_STEP_MS
      this.#stepsMs += sign * SMALLEST_STEP_MS * span ** this.chance()
    }
    const set = this.#redis.setTime(this.nowMs + this.#stepsMs)
    const result = act()
    this.#readLateMs = this.chance() < 0.1 ? this.between(0, 4_000) : 0
    await set
    const value = await result
    this.#readLateMs = 0
    return value
  }

  /** A worker that always has something to send. */
  async worker(name: string, lane: Lane, jitterMs: number, sinceMs = this.nowMs): Promise<void> {
    const { users, events } = this.#limits
    const cost: Cost = {
      users: Math.min(users, this.between(0, 400)),
      events: Math.min(
        events,
        this.between(this.chance() < 0.1 ? 150 : 1, this.chance() < 0.05 ? 1_500 : 400),
      ),
      devices: 0,
    }
    await this.ask(name, lane, jitterMs, cost, sinceMs)
  }

  async ask(name: string, lane: Lane, jitterMs: number, cost: Cost, sinceMs: number) {
    this.#ids += 1
    const id = `${name}-${this.#ids}`
    const half = {
      users: Math.ceil(cost.users / 2),
      events: Math.ceil(cost.events / 2),
      devices: 0,
    }
    const grant = await this.call(() =>
      this.#ledger(name).reserve({
        ...{ id, lane, cost, limits: this.#limits, windowMs: WINDOW_MS, openMs: OPEN_MS },
        ...{ gateVersion: '0', runId: '', oldestMs: sinceMs, need: half },
        ...{ worker: name, waiter: name },
        ...{ backfillFloor: 0.1, realtimeHeadroom: 0.05, requestsAtOnce: 0 },
      }),
    )
    if (grant.outcome === 'granted') {
      this.waits.push(this.nowMs - sinceMs)
      this.delivered[lane] += cost.events
      this.#count(cost, 1)
      this.#send(name, id, cost, jitterMs)
      const thinkMs = this.between(0, jitterMs)
      this.agenda.plan(this.nowMs + thinkMs, () => this.worker(name, lane, jitterMs))
      return
    }
    if (grant.outcome !== 'wait') throw new Error(`unexpected ${grant.outcome}`)
    const againMs = Math.min(1_000, Math.max(1, grant.waitMs)) + this.between(0, 20)
    const next = this.#limits === TIGHT ? settledFor(cost, grant.free) : cost
    this.agenda.plan(this.nowMs + againMs, () => this.ask(name, lane, jitterMs, next, sinceMs))
  }

  #count({ users, events }: Cost, sign: number): void {
    const { granted } = this
    const devices = granted.devices
    this.granted = { users: granted.users + sign * users, events: granted.events + sign * events, devices } // prettier-ignore
  }

  /** The request's way: it arrives or not, is answered or not. */
  #send(name: string, id: string, cost: Cost, jitterMs: number): void {
    const { users, events } = cost
    const fate = this.chance()
    const arrive = (afterMs: number): void => {
      this.arrivals.push({ atMs: this.nowMs + afterMs, users, events })
    }
    if (fate < 0.02) {
      this.agenda.plan(this.nowMs + 1, async () => {
        await this.call(() => this.#ledger(name).refund(id))
        this.#count(cost, -1)
      })
    } else if (fate < 0.07) {
      // No answer is ever read; it may count until its connection is long closed.
      if (fate < 0.06) arrive(this.between(0, OPEN_MS))
    } else {
      const arrivesMs = this.between(0, jitterMs)
      const answeredMs = arrivesMs + this.between(0, jitterMs)
      arrive(arrivesMs)
      this.agenda.plan(this.nowMs + answeredMs, async () => {
        await this.call(() => this.#ledger(name).answered(id, WINDOW_MS))
      })
    }
  }

  async run(steps: number): Promise<void> {
    while (this.steps < steps) {
      const event = this.agenda.next()
      if (event === undefined) return
      this.nowMs = Math.max(this.nowMs, event.atMs)
      await event.act()
    }
  }

  /** Lets everything that is counted run out, on a clock that steps no more, and looks what is left. */
  async runOut(): Promise<void> {
    this.nowMs += OPEN_MS + WINDOW_MS + 1
    this.#clockSteps = 0
    this.useAtLast = await this.call(() => this.#ledger('reader').use())
  }
}

/** What a worker asks for next: a part where the ledger says that it is free, else the same again. */
function settledFor(cost: Cost, free: Cost): Cost {
  const users = Math.min(cost.users, free.users)
  const events = Math.min(cost.events, free.events)
  return users + events > 0 ? { users, events, devices: 0 } : cost
}

/** The largest sum of arrivals in any window. */
function busiestWindow(arrivals: readonly Arrival[], budget: 'users' | 'events'): number {
  const sorted = [...arrivals].sort((a, b) => a.atMs - b.atMs)
  let from = 0
  let sum = 0
  let most = 0
  for (const arrival of sorted) {
    sum += arrival[budget]
    while ((sorted[from]?.atMs ?? Infinity) <= arrival.atMs - WINDOW_MS) {
      sum -= sorted[from]?.[budget] ?? 0
      from += 1
    }
    most = Math.max(most, sum)
  }
  return most
}

interface Run {
  readonly seed: number
  readonly jitterMs: number
  readonly steps: number
  /** Redis' clock steps by 0.3 s to an hour, forward and back, once in so many commands. */
  readonly clockStepEvery: number
  readonly limits?: Cost
}

const RUNS: readonly Run[] = [
  { seed: 1, jitterMs: 300, steps: 25_000, clockStepEvery: Infinity },
  { seed: 2, jitterMs: 50, steps: 25_000, clockStepEvery: Infinity },
  { seed: 3, jitterMs: 4_000, steps: 25_000, clockStepEvery: Infinity },
  { seed: 4, jitterMs: 1_000, steps: 25_000, clockStepEvery: Infinity },
  { seed: 5, jitterMs: 300, steps: 12_000, clockStepEvery: 400 },
  { seed: 6, jitterMs: 2_000, steps: 12_000, clockStepEvery: 40 },
  { seed: 7, jitterMs: 1_000, steps: 4_000, clockStepEvery: Infinity, limits: TIGHT },
  { seed: 8, jitterMs: 1_000, steps: 4_000, clockStepEvery: 40, limits: TIGHT },
]

async function simulate(url: string, run: Run): Promise<Simulation> {
  const { seed, jitterMs, steps, clockStepEvery, limits = LIMITS } = run
  const redis = await connectStepped(url, `clock-${seed}`)
  try {
    const simulation = new Simulation(redis, seed, 1 / clockStepEvery, limits)
    const lanes = ['realtime', 'realtime', 'realtime', 'backfill'] as const
    for (const [i, lane] of lanes.entries()) {
      const name = `w${i}`
      simulation.agenda.plan(START_MS + i, () => simulation.worker(name, lane, jitterMs))
    }
    await simulation.run(steps)
    await simulation.runOut()
    return simulation
  } finally {
    redis.client.disconnect()
  }
}

describe('the budget ledger', () => {
  let redis: TestRedis
  const simulations = new Map<Run, Promise<Simulation>>()

  // All at once: each waits for Redis most of its time.
  beforeAll(async () => {
    redis = await startRedis({ appendonly: false })
    for (const run of RUNS) {
      const simulation = simulate(redis.url, run)
      simulation.catch(() => undefined)
      simulations.set(run, simulation)
    }
  })

  afterAll(async () => {
    await Promise.allSettled(simulations.values())
    await redis.stop()
  })

  test.each(RUNS)(
    'no window is exceeded, nothing leaks and no waiter starves (%j)',
    async (run) => {
      const simulation = await simulations.get(run)
      if (simulation === undefined) throw new Error('not begun')
      expect(simulation.steps).toBeGreaterThanOrEqual(run.steps)
      const { users, events } = run.limits ?? LIMITS
      expect(busiestWindow(simulation.arrivals, 'users')).toBeLessThanOrEqual(users)
      expect(busiestWindow(simulation.arrivals, 'events')).toBeLessThanOrEqual(events)
      // Where a request may need a whole limit, it waits for all others' to expire, one after another.
      const longestMs = run.limits === undefined ? 3 * WINDOW_MS : 5 * (OPEN_MS + WINDOW_MS)
      expect(Math.max(...simulation.waits)).toBeLessThanOrEqual(longestMs)
      expect(simulation.delivered.backfill).toBeGreaterThan(0)
      // After everything has run out, all of the budget is there again.
      const { granted } = simulation
      expect(simulation.useAtLast).toEqual({ used: NO_COST, granted, open: NO_COST })
    },
    120_000,
  )
})
