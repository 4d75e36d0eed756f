import type { Random } from '@relay/shared/random.js'
import { between, pick } from '@relay/shared/seeded-random.js'
import { MODES, type MoEngage, type Mode } from './moengage.js'
import type { SimRedisServer } from './redis-server.js'
import type { System } from './system.js'
import type { Actor, World } from './world.js'

/** One fault of a schedule. What it draws depends on its place in the schedule alone, so that others can be left out. */
export interface Fault {
  readonly atMs: number
  readonly kind: FaultKind
  readonly mode?: Mode
  readonly forMs?: number
  /** Where `aimed` strikes, and how; drawn if absent. */
  readonly point?: Strike['point']
  readonly how?: Strike['how']
}

interface Strike {
  readonly point: (typeof POINTS)[number]
  readonly how: 'cut' | 'kill' | 'freeze'
  readonly forMs: number
  readonly replacedMs: number
}

/** Scripts whose command has just left, and moments of a request. */
const POINTS = [
  ...(['settle', 'partial settle', 'claim', 'mark', 'reserve', 'customer-policy'] as const),
  ...(['add-chunk', 'last byte', 'sent'] as const),
]

export interface Stage {
  readonly world: World
  readonly system: System
  readonly redis: SimRedisServer
  readonly vendor: MoEngage
  /** What was acknowledged between these moments may be lost: Redis forgot it, ms. */
  readonly forgotten: { readonly fromMs: number; toMs: number }[]
  readonly operator: {
    act(action: 'pause' | 'forget' | 'replay' | 'purge', random: Random): string
    heal(): void
  }
}

type Apply = (stage: Stage, fault: Fault, random: Random) => string

const worker = ({ system }: Stage, random: Random) => pick(random, system.serving)
const process_ = ({ system }: Stage, random: Random) => pick(random, [...system.serving, ...system.apis]) // prettier-ignore

function freeze(actor: Actor, world: World, ms: number): string {
  actor.frozenUntilMs = world.nowMs + ms
  return `${actor.name} for ${ms} ms`
}

/** Starts a worker in a while: an orchestrator replaces what ended. */
function replace({ world, system }: Stage, afterMs: number): void {
  world.in(afterMs, null, () => system.startWorker())
}

/** Redis returns as it was a moment ago, with its clock stepped by `clockMs`. */
function forget(
  { world, redis, forgotten }: Stage,
  { forMs }: Fault,
  random: Random,
  clockMs: number,
): string {
  const ms = between(random, 20, 1_000)
  const downMs = forMs ?? between(random, 50, 3_000)
  const window = { fromMs: world.nowMs, toMs: Infinity }
  forgotten.push(window)
  world.in(0, null, () => redis.snapshot(), 'outside')
  const restart = () => {
    window.toMs = world.nowMs + ANSWERED_WITHIN_MS
    redis.stepClock(clockMs)
    return redis.restart(downMs, true)
  }
  world.in(ms, redis.actor, restart, 'outside')
  return `the last ${ms} ms, down for ${downMs} ms, clock by ${clockMs} ms`
}

/** Waits until a process comes to a point, and strikes it there. */
function aim(stage: Stage, fault: Fault, random: Random): string {
  const { world, system } = stage
  const { point, how, forMs, replacedMs }: Strike = {
    point: pick(random, POINTS),
    how: pick(random, ['cut', 'kill', 'freeze']),
    ...{ forMs: between(random, 500, 20_000), replacedMs: between(random, 500, 20_000) },
    ...fault,
  }
  const strike = (actor: Actor) => {
    world.log(`STRUCK at ${point}: ${how} ${actor.name}`)
    const mayDie = system.serving.length > 1 && system.serving.some((one) => one.actor === actor)
    if (how === 'cut') {
      actor.cutUntilMs = world.nowMs + forMs
      system.cut(actor)
    } else if (how === 'freeze' || !mayDie) freeze(actor, world, forMs)
    else {
      actor.kill()
      replace(stage, replacedMs)
    }
  }
  world.aims.push({ point, strike })
  return `${how} at ${point}`
}

export const FAULTS = {
  kill: (stage, _, random) => {
    const { actor } = worker(stage, random)
    if (stage.system.serving.length < 2) return 'spared the last one'
    actor.kill()
    replace(stage, between(random, 500, 40_000))
    return actor.name
  },
  stop: (stage, _, random) => {
    const stopped = worker(stage, random)
    stage.system.stopWorker(stopped)
    replace(stage, between(random, 100, 5_000))
    return stopped.actor.name
  },
  add: ({ system }) => {
    if (system.serving.length >= MAX_WORKERS) return 'enough workers'
    system.startWorker()
    return ''
  },
  freeze: (stage, { forMs }, random) =>
    freeze(worker(stage, random).actor, stage.world, forMs ?? between(random, 500, 40_000)),
  'freeze-api': (stage, _, random) =>
    freeze(pick(random, stage.system.apis).actor, stage.world, between(random, 200, 10_000)),
  'redis-hang': ({ world, redis }, { forMs }, random) =>
    freeze(redis.actor, world, forMs ?? between(random, 500, 6_000)),
  'redis-slow': ({ world, redis }, _, random) => {
    redis.slowUntilMs = world.nowMs + between(random, 1_000, 10_000)
    return ''
  },
  'redis-restart': ({ world, redis }, { forMs }, random) => {
    const downMs = forMs ?? between(random, 50, 4_000)
    world.in(0, redis.actor, () => redis.restart(downMs, false), 'outside')
    return `down for ${downMs} ms`
  },
  'redis-forget': (stage, fault, random) => forget(stage, fault, random, 0),
  /** To a replica that lags, and whose clock differs. */
  'redis-failover': (stage, fault, random) =>
    forget(stage, fault, random, between(random, -2_000, 2_000)),
  cut: (stage, { forMs }, random) => {
    const cut = process_(stage, random)
    cut.actor.cutUntilMs = stage.world.nowMs + (forMs ?? between(random, 100, 8_000))
    cut.client.connection?.close('cut')
    if ('subscriber' in cut) cut.subscriber.connection?.close('cut')
    return cut.actor.name
  },
  'cut-api': ({ world, system }, _, random) => {
    const { actor, client } = pick(random, system.apis)
    actor.cutUntilMs = world.nowMs + between(random, 10, 1_500)
    client.connection?.close('cut')
    return actor.name
  },
  'cut-after-settle': ({ world, system }) => {
    world.aims.push({ point: 'partial settle', strike: (actor) => system.cut(actor) })
    return ''
  },
  aimed: (stage, fault, random) => aim(stage, fault, random),
  deaf: (stage, _, random) => {
    const { actor, subscriber } = worker(stage, random)
    if (subscriber.connection !== null) subscriber.connection.isDeaf = true
    return actor.name
  },
  vendor: ({ world, vendor }, { mode, forMs }, random) => {
    const drawn = mode ?? pick(random, MODES)
    const ms = forMs ?? between(random, 3_000, 30_000)
    vendor.mode = drawn
    world.in(ms, null, () => {
      if (vendor.mode === drawn) vendor.mode = 'ok'
      world.log('moengage is well again')
    })
    return `${drawn} for ${ms} ms`
  },
  workspace: ({ world, system }, { forMs }, random) => {
    if (!system.isConfigured) return 'is away already'
    const ms = forMs ?? between(random, 500, 20_000)
    system.configure(false)
    world.in(ms, null, () => system.configure(true))
    return `for ${ms} ms`
  },
  'redis-clock': ({ redis }, _, random) => {
    const ms = between(random, -20_000, 20_000)
    redis.stepClock(ms)
    return `by ${ms} ms`
  },
  'wall-clock': (stage, _, random) => {
    const { actor } = process_(stage, random)
    const ms = between(random, -60_000, 60_000)
    actor.wallSkewMs += ms
    return `${actor.name} by ${ms} ms`
  },
  partitions: (stage, _, random) => {
    const { system } = stage
    system.partitions = pick(random, [2, 3, 5, 8, 12])
    // As a rollout does: one after the other, each with the new number.
    system.serving.forEach((old, i) => {
      stage.world.in(i * 3_000, null, () => {
        if (!old.isStopping && old.actor.alive) system.stopWorker(old)
        system.startWorker()
      })
    })
    return String(system.partitions)
  },
  pause: ({ operator }, _, random) => operator.act('pause', random),
  forget: ({ operator }, _, random) => operator.act('forget', random),
  replay: ({ operator }, _, random) => operator.act('replay', random),
  purge: ({ operator }, _, random) => operator.act('purge', random),
} satisfies Record<string, Apply>

export type FaultKind = keyof typeof FAULTS

/** Workers at one time. */
const MAX_WORKERS = 7
/** An answer that had left a process when Redis forgot is heard within this time, ms. */
const ANSWERED_WITHIN_MS = 50

/** Puts a schedule on stage. `without`: places in it that are left out. */
export function scheduleFaults(
  stage: Stage,
  faults: readonly Fault[],
  without: ReadonlySet<number>,
): void {
  // prettier-ignore
  faults.forEach((fault, i) => {
    if (without.has(i)) return
    const random = stage.world.stream(`faults/${i}`)
    stage.world.at(fault.atMs, null, () => {
      const apply: Apply = FAULTS[fault.kind]
      const what = stage.system.serving.length === 0 ? 'nobody is there' : apply(stage, fault, random)
      stage.world.log(`FAULT ${i} ${fault.kind} ${what}`)
    })
  })
}
