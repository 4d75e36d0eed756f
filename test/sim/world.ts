import { createHash } from 'node:crypto'
import type { Clock } from '@relay/shared/clock.js'
import type { Random } from '@relay/shared/random.js'
import { seededRandom } from '@relay/shared/seeded-random.js'

/** Wall clock at the start of every run, ms since 1970. */
export const EPOCH_MS = 1_760_000_000_000
/** Events at one moment after which a run is a busy loop. */
const MAX_AT_ONCE = 200_000
/** Commands within this time of each other share one write to Redis: no reply can be heard earlier, ms. */
const TOGETHER_MS = 0.045

/** A command for Redis: sent now, its reply dealt with when those before it were. */
export interface Sent {
  readonly raw: Promise<unknown>
  readonly done: (raw: unknown) => void
}

interface Event {
  atMs: number
  /** Order among events of one moment. */
  order: number
  readonly actor: Actor | null
  readonly run: () => unknown
  /** `outside`: the world stands still until its promise resolves. `redis`: returns what it sent. */
  readonly kind: 'plain' | 'outside' | 'redis'
  cancelled: boolean
}

/** A process that can die, freeze, or have a wrong wall clock. Its timers share its fate. */
export class Actor {
  readonly name: string
  readonly clock: Clock
  readonly random: Random
  alive = true
  frozenUntilMs = 0
  /** No connection to Redis is established before. */
  cutUntilMs = 0
  wallSkewMs = 0
  readonly onKill: (() => void)[] = []
  /** What happened while it was frozen. */
  readonly deferred: Event[] = []
  /** When its next timer fires too late, and by how much. */
  readonly scheduling: Random

  constructor(world: World, name: string) {
    this.name = name
    this.random = world.stream(`random/${name}`)
    this.scheduling = world.stream(`scheduling/${name}`)
    const bornMs = world.nowMs
    this.clock = {
      nowMs: () => Math.floor(EPOCH_MS + world.nowMs + this.wallSkewMs),
      monotonicMs: () => 1_000 + world.nowMs - bornMs,
    }
  }

  kill(): void {
    this.alive = false
    for (const end of this.onKill) end()
  }
}

/** Virtual time: one event after the other, each with all its microtasks, in an order that the seed decides. */
export class World {
  nowMs = 0
  /** Whose event is running; its timers are virtual. */
  current: Actor | null = null
  events = 0
  readonly lines: string[] = []
  /** Sends the commands that were queued for Redis. */
  flush: () => void = () => undefined
  readonly #seed: number
  readonly #queue: Event[] = []
  readonly #hash = createHash('sha256')
  #order = 0
  #atOnce = 0

  constructor(seed: number) {
    this.#seed = seed
  }

  /** An independent sequence of random numbers: drawing from one changes no other. */
  stream(name: string): Random {
    const digest = createHash('sha256')
      .update(`${String(this.#seed)}/${name}`)
      .digest()
    return seededRandom(digest.readInt32LE(0))
  }

  log(text: string): void {
    const line = `${this.nowMs.toFixed(3)} ${text}`
    this.#hash.update(line).update('\n')
    this.lines.push(line)
  }

  /** Digest of all lines so far. */
  get trace(): string {
    return this.#hash.copy().digest('hex').slice(0, 16)
  }

  at(atMs: number, actor: Actor | null, run: () => unknown, kind: Event['kind'] = 'plain'): Event {
    const order = this.#order++
    const event = { atMs: Math.max(atMs, this.nowMs), order, actor, run, kind, cancelled: false }
    push(this.#queue, event)
    return event
  }

  in(ms: number, actor: Actor | null, run: () => unknown, kind: Event['kind'] = 'plain'): Event {
    return this.at(this.nowMs + ms, actor, run, kind)
  }

  /** Ends a freeze: what happened meanwhile happens now, in the same order. */
  thaw(actor: Actor): void {
    actor.frozenUntilMs = this.nowMs
    for (const event of actor.deferred.splice(0)) {
      event.atMs = this.nowMs
      event.order = this.#order++
      push(this.#queue, event)
    }
  }

  /** Runs events until `untilMs`. */
  async run(untilMs: number): Promise<void> {
    for (;;) {
      const next = this.#queue[0]
      if (next === undefined || next.atMs > untilMs) break
      const event = pop(this.#queue)
      if (event.cancelled || event.actor?.alive === false) continue
      if (event.actor !== null && event.actor.frozenUntilMs > event.atMs) {
        this.#defer(event, event.actor)
        continue
      }
      this.#advance(event)
      if (event.kind === 'redis') await this.#together(event)
      else await this.#execute(event)
    }
    this.nowMs = Math.max(this.nowMs, untilMs)
  }

  async #execute({ kind, actor, run }: Event): Promise<void> {
    this.current = kind === 'outside' ? null : actor
    const result = run()
    if (kind === 'outside') await result
    // All its microtasks have run by then.
    await new Promise((resolve) => real.setImmediate(resolve))
    this.current = null
  }

  async #together(first: Event): Promise<void> {
    const sent: Sent[] = []
    const lastMs = first.atMs + TOGETHER_MS
    for (let event = first; ; event = pop(this.#queue)) {
      this.#advance(event)
      const command = event.run() as Sent | null
      if (command !== null) sent.push(command)
      const next = this.#queue[0]
      if (next?.kind !== 'redis' || next.cancelled || next.atMs > lastMs) break
    }
    if (sent.length === 0) return
    this.flush()
    const replies = await Promise.all(sent.map(({ raw }) => raw))
    sent.forEach(({ done }, i) => {
      done(replies[i])
    })
  }

  #advance({ atMs, actor }: Event): void {
    this.#atOnce = atMs === this.nowMs ? this.#atOnce + 1 : 0
    if (this.#atOnce > MAX_AT_ONCE) throw new Error(`busy loop in ${actor?.name ?? 'the harness'}`)
    this.nowMs = atMs
    this.events += 1
  }

  #defer(event: Event, actor: Actor): void {
    actor.deferred.push(event)
    if (actor.deferred.length === 1) this.#thawLater(actor)
  }

  #thawLater(actor: Actor): void {
    this.at(actor.frozenUntilMs, null, () => {
      if (actor.frozenUntilMs > this.nowMs) this.#thawLater(actor)
      else this.thaw(actor)
    })
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}

/** A binary heap by time and order. */
function push(heap: Event[], event: Event): void {
  let i = heap.length
  heap.push(event)
  while (i > 0) {
    const above = (i - 1) >> 1
    const parent = heap[above] as Event
    if (!isBefore(event, parent)) break
    heap[i] = parent
    i = above
  }
  heap[i] = event
}

function pop(heap: Event[]): Event {
  const top = heap[0] as Event
  const last = heap.pop() as Event
  if (heap.length === 0) return top
  let i = 0
  for (;;) {
    let below = 2 * i + 1
    const left = heap[below]
    if (left === undefined) break
    const right = heap[below + 1]
    if (right !== undefined && isBefore(right, left)) below += 1
    const child = heap[below] as Event
    if (!isBefore(child, last)) break
    heap[i] = child
    i = below
  }
  heap[i] = last
  return top
}

const real = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
  setImmediate: globalThis.setImmediate,
  clearImmediate: globalThis.clearImmediate,
  now: Date.now,
  performanceNow: performance.now.bind(performance),
  random: Math.random,
}

/** Real milliseconds, for measuring the simulation itself. */
export const realMs = real.performanceNow

class Timer {
  event: { cancelled: boolean } | null = null
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
  hasRef(): boolean {
    return true
  }
}

/** Longest lateness of a timer, ms. */
const MAX_LATE_MS = 0.3
const IMMEDIATE_MS = 0.01

type Run = (...args: unknown[]) => void
type Start = (run: Run, ms?: number, ...args: unknown[]) => unknown

/**
 * Replaces the process' timers: one that is started while an actor's event runs belongs to that actor and
 * to virtual time; all others stay real. Reading the real clock or real randomness inside an event would
 * make a run depend on more than its seed, so it throws.
 */
export function installTimers(world: World): () => void {
  const starts =
    (
      start: (actor: Actor, run: () => void, ms: number, timer: Timer) => void,
      otherwise: Start,
    ): Start =>
    // prettier-ignore
    (run, ms = 0, ...args) => {
      const actor = world.current
      if (actor === null) return otherwise(run, ms, ...args)
      const timer = new Timer()
      start(actor, () => { run(...args) }, ms >= 1 && ms <= 2_147_483_647 ? ms : 1, timer) // prettier-ignore
      return timer
    }
  const clears = (otherwise: (timer: never) => void) => (timer: unknown) => {
    if (!(timer instanceof Timer)) otherwise(timer as never)
    else if (timer.event !== null) timer.event.cancelled = true
  }
  const forbidden =
    <T>(what: string, otherwise: () => T) =>
    () => {
      if (world.current !== null) throw new Error(`${what} in the core of ${world.current.name}`)
      return otherwise()
    }
  Object.assign(globalThis, {
    setTimeout: starts(
      (actor, run, ms, timer) => {
        timer.event = world.in(ms + actor.scheduling.next() * MAX_LATE_MS, actor, run)
      },
      real.setTimeout as unknown as Start,
    ),
    setInterval: starts(
      (actor, run, ms, timer) => {
        const again = (): void => {
          timer.event = world.in(ms, actor, () => {
            again()
            run()
          })
        }
        again()
      },
      real.setInterval as unknown as Start,
    ),
    // prettier-ignore
    setImmediate: (run: Run, ...args: unknown[]) => {
      const actor = world.current
      if (actor === null) return real.setImmediate(run, ...args)
      const timer = new Timer()
      timer.event = world.in(IMMEDIATE_MS, actor, () => { run(...args) })
      return timer
    },
    clearTimeout: clears(real.clearTimeout),
    clearInterval: clears(real.clearInterval),
    clearImmediate: clears(real.clearImmediate),
  })
  Date.now = forbidden('Date.now', real.now)
  performance.now = forbidden('performance.now', real.performanceNow)
  Math.random = forbidden('Math.random', real.random)
  return () => {
    const { now, performanceNow, random, ...timers } = real
    Object.assign(globalThis, timers)
    Object.assign(performance, { now: performanceNow })
    Object.assign(Date, { now })
    Object.assign(Math, { random })
  }
}
