import type { Actor, World } from './world.js'

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
 * make a run depend on more than its seed, so it throws. Returns how to undo it.
 */
export function installTimers(world: World): () => void {
  Object.assign(globalThis, virtualTimers(world))
  const forbidden =
    <T>(what: string, otherwise: () => T) =>
    () => {
      if (world.current !== null) throw new Error(`${what} in the core of ${world.current.name}`)
      return otherwise()
    }
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

function virtualTimers(world: World) {
  const starts =
    (start: (actor: Actor, run: () => void, ms: number, timer: Timer) => void, otherwise: Start) =>
    (run: Run, ms = 0, ...args: unknown[]) => {
      const actor = world.current
      if (actor === null) return otherwise(run, ms, ...args)
      const timer = new Timer()
      const call = () => run(...args)
      start(actor, call, ms >= 1 && ms <= 2_147_483_647 ? ms : 1, timer)
      return timer
    }
  const clears = (otherwise: (timer: never) => void) => (timer: unknown) => {
    if (!(timer instanceof Timer)) otherwise(timer as never)
    else if (timer.event !== null) timer.event.cancelled = true
  }
  return {
    setTimeout: starts((actor, run, ms, timer) => {
      timer.event = world.in(ms + actor.scheduling.next() * MAX_LATE_MS, actor, run)
    }, real.setTimeout),
    setInterval: starts((actor, run, ms, timer) => {
      const again = (): void => {
        timer.event = world.in(ms, actor, () => {
          again()
          run()
        })
      }
      again()
    }, real.setInterval),
    setImmediate: (run: Run, ...args: unknown[]) =>
      starts(
        (actor, call, _, timer) => {
          timer.event = world.in(IMMEDIATE_MS, actor, call)
        },
        (later, _, ...rest) => real.setImmediate(later, ...rest),
      )(run, 0, ...args),
    clearTimeout: clears(real.clearTimeout),
    clearInterval: clears(real.clearInterval),
    clearImmediate: clears(real.clearImmediate),
  }
}
