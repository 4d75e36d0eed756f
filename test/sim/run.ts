import { scheduleFaults, type Stage } from './faults.js'
import { Producers, type Posted } from './load.js'
import { MoEngage } from './moengage.js'
import { Operator } from './operator.js'
import { Oracle, type CustomerLimit, type Violation } from './oracle.js'
import { SimRedisServer } from './redis-server.js'
import type { OwnTime } from './own-time.js'
import type { Relay } from './relay.js'
import type { Scenario } from './scenarios.js'
import { System } from './system.js'
import type { Wire } from './wire.js'
import { installTimers, realMs } from './timers.js'
import { World } from './world.js'

export interface RunOptions {
  readonly relay: Relay
  readonly wire: Wire
  readonly own: OwnTime | null
  readonly scenario: Scenario
  readonly seed: number
  /** Places of the schedule that are left out. */
  readonly without: ReadonlySet<number>
}

export interface Report {
  readonly seed: number
  readonly trace: string
  readonly violations: readonly Violation[]
  readonly lines: readonly string[]
  readonly faults: number
  readonly acked: number
  readonly requests: number
  readonly again: number
  readonly longestStallMs: number
  readonly simulatedMs: number
  readonly realMs: number
  readonly commands: number
}

const LIMITS = { users: 5_000, events: 20_000 }
const STEP_MS = 1_000

export async function runSeed(options: RunOptions): Promise<Report> {
  const { wire, scenario, seed, without } = options
  const startedMs = realMs()
  const commandsBefore = wire.commands
  const world = new World(seed)
  const restore = installTimers(world)
  await wire.call('FLUSHALL')
  await wire.call('SELECT', 0)
  const set = setUp(world, options)
  const { stage, oracle, producers } = set
  const faults = scenario.faults(world.stream('schedule'), scenario.durationMs)
  scheduleFaults(stage, faults, without)
  const onRejection = (error: unknown) =>
    oracle.violate('crash', error instanceof Error ? (error.stack ?? '') : String(error))
  process.on('unhandledRejection', onRejection)
  try {
    await world.run(scenario.durationMs)
    heal(stage)
    // A run that broke a law has said enough.
    if (oracle.violations.length === 0) await drain(set, scenario)
  } finally {
    process.off('unhandledRejection', onRejection)
    restore()
  }
  return {
    ...{ seed, trace: world.trace, violations: oracle.violations, lines: world.lines },
    ...{ faults: faults.length, requests: stage.vendor.requests, again: oracle.again },
    acked: producers.posted.filter(({ isAcked }) => isAcked).length,
    ...{ longestStallMs: oracle.longestStallMs, simulatedMs: world.nowMs },
    ...{ realMs: realMs() - startedMs, commands: wire.commands - commandsBefore },
  }
}

interface Set {
  readonly stage: Stage
  readonly oracle: Oracle
  readonly producers: Producers
  readonly operator: Operator
}

function setUp(world: World, { relay, wire, own, scenario }: RunOptions): Set {
  const redis = new SimRedisServer(world, wire, own)
  const { environment = {} } = scenario
  const limits = {
    users: Number(environment.MOENGAGE_USERS_PER_MINUTE ?? LIMITS.users),
    events: Number(environment.MOENGAGE_EVENTS_PER_MINUTE ?? LIMITS.events),
  }
  const oracle: Oracle = new Oracle({
    ...{ world, redis, limits, stallMs: scenario.stallMs },
    customerLimits: customerLimitsIn(environment.MOENGAGE_CUSTOMER_LIMITS ?? ''),
    isWell: () =>
      vendor.mode === 'ok' &&
      !redis.isDown &&
      redis.actor.frozenUntilMs <= world.nowMs &&
      system.isConfigured &&
      !operator.isPaused,
  })
  const vendor: MoEngage = new MoEngage(world, oracle)
  const system: System = new System({
    ...{ world, relay, redis, vendor, environment },
    onFailed: (error) => oracle.violate('crash', String(error)),
  })
  for (let i = 0; i < scenario.workers; i++) system.startWorker()
  for (let i = 0; i < scenario.apis; i++) system.startApi()
  const producers = new Producers(world, system, scenario, (refusal) =>
    oracle.violate('answer', JSON.stringify(refusal)),
  )
  const { posted } = producers
  const operator: Operator = new Operator({ world, relay, system, redis, oracle, posted })
  const stage: Stage = { world, system, redis, vendor, operator, forgotten: [] }
  return { stage, oracle, producers, operator }
}

/** As `units/seconds`, separated by commas. */
function customerLimitsIn(text: string): CustomerLimit[] {
  const limits = [...text.matchAll(/(\d+)\/(\d+)/g)]
  return limits.map(([, units, seconds]) => ({
    units: Number(units),
    windowMs: Number(seconds) * 1_000,
  }))
}

/** Ends every fault. */
function heal({ world, system, redis, vendor, operator }: Stage): void {
  world.log('HEALED')
  vendor.mode = 'ok'
  world.aims.length = 0
  if (!system.isConfigured) system.configure(true)
  operator.heal()
  for (const actor of [
    redis.actor,
    ...[...system.workers, ...system.apis].map((one) => one.actor),
  ]) {
    world.thaw(actor)
  }
  if (system.serving.length < 2) system.startWorker()
}

/** Waits until everything is delivered, and judges it. */
async function drain(
  { stage, oracle, producers, operator }: Set,
  scenario: Scenario,
): Promise<void> {
  const { posted } = producers
  const { world, forgotten } = stage
  const isForgotten = ({ postedMs, endedMs }: Posted) =>
    forgotten.some(({ fromMs, toMs }) => endedMs >= fromMs && postedMs <= toMs)
  const isExcused = (element: Posted) => operator.mayBeErased(element) || isForgotten(element)
  const untilMs = world.nowMs + scenario.drainedWithinMs
  let missing = oracle.missing(posted, isExcused)
  while (world.nowMs < untilMs && (missing.length > 0 || oracle.waiting.length > 0)) {
    await world.run(world.nowMs + STEP_MS)
    missing = oracle.missing(posted, isExcused)
  }
  const [example] = missing
  if (oracle.waiting.length > 0) oracle.violate('drain', JSON.stringify(oracle.waiting))
  else if (example !== undefined) oracle.violate('lost', `${missing.length} acknowledged elements, such as ${example.customer}-${example.n} of ${Math.round(example.endedMs)}`) // prettier-ignore
  oracle.conclude(posted, { ...scenario, isForgotten })
  await operator.conclude(isExcused)
}
