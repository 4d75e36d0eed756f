import type { Cost } from '../vendor/body.js'
import { FixedWindow, SlidingWindow } from './windows.js'

export type WindowMode = 'sliding' | 'fixed'
export const BUDGETS = ['users', 'events', 'devices'] as const
export type BudgetName = (typeof BUDGETS)[number]

/** Maximum units per window; null if there is no separate budget (devices then count as users). */
export interface BudgetLimits {
  readonly users: number
  readonly events: number
  readonly devices: number | null
}

export interface BudgetReading {
  readonly limit: number | null
  /** In the window that ends now. */
  readonly used: number
  /** Fullest sliding window of accepted units, in either mode. */
  readonly peak: number
  /** The same over all well-formed requests, for any answer. */
  readonly peakArrived: number
}

/** The values of the rate-limit headers, for the budget with the smallest share left. */
export interface BudgetGauge {
  readonly limit: number
  readonly remaining: number
  readonly resetMs: number
  readonly windowMs: number
}

interface Meter {
  readonly accepted: SlidingWindow
  readonly arrived: SlidingWindow
  readonly fixed: FixedWindow
}

/** The budgets of one workspace, counted at arrival. */
export class WorkspaceBudgets {
  readonly windowMs: number
  readonly #meters: Readonly<Record<BudgetName, Meter>>

  constructor(windowMs: number) {
    this.windowMs = windowMs
    const meter = (): Meter => ({
      accepted: new SlidingWindow(windowMs),
      arrived: new SlidingWindow(windowMs),
      fixed: new FixedWindow(windowMs),
    })
    this.#meters = { users: meter(), events: meter(), devices: meter() }
  }

  /** Records the arrival of a request, before it is checked. */
  arrive(nowMs: number, cost: Cost, limits: BudgetLimits): void {
    const charge = chargeOf(cost, limits)
    for (const name of BUDGETS) this.#meters[name].arrived.add(nowMs, charge[name])
  }

  hasRoom(nowMs: number, cost: Cost, limits: BudgetLimits, mode: WindowMode): boolean {
    const charge = chargeOf(cost, limits)
    return BUDGETS.every((name) => {
      const limit = limits[name]
      return limit === null || this.#used(name, nowMs, mode) + charge[name] <= limit
    })
  }

  accept(nowMs: number, cost: Cost, limits: BudgetLimits): void {
    const charge = chargeOf(cost, limits)
    for (const name of BUDGETS) {
      this.#meters[name].accepted.add(nowMs, charge[name])
      this.#meters[name].fixed.add(nowMs, charge[name])
    }
  }

  read(nowMs: number, limits: BudgetLimits, mode: WindowMode): Record<BudgetName, BudgetReading> {
    const read = (name: BudgetName): BudgetReading => ({
      limit: limits[name],
      used: this.#used(name, nowMs, mode),
      peak: this.#meters[name].accepted.peak,
      peakArrived: this.#meters[name].arrived.peak,
    })
    return { users: read('users'), events: read('events'), devices: read('devices') }
  }

  gauge(nowMs: number, limits: BudgetLimits, mode: WindowMode): BudgetGauge {
    const gauges = BUDGETS.flatMap((name) => {
      const limit = limits[name]
      if (limit === null) return []
      const remaining = Math.max(0, limit - this.#used(name, nowMs, mode))
      const { windowMs } = this
      const slidingMs = this.#meters[name].accepted.firstLeavesInMs(nowMs)
      const resetMs = mode === 'sliding' ? slidingMs : windowMs - (nowMs % windowMs)
      return [{ limit, remaining, resetMs, windowMs }]
    })
    const [first, ...rest] = gauges
    if (first === undefined) throw new Error('a workspace has a budget of users')
    const left = (gauge: BudgetGauge): number => gauge.remaining / gauge.limit
    return rest.reduce((least, gauge) => (left(gauge) < left(least) ? gauge : least), first)
  }

  forgetPeaks(nowMs: number): void {
    for (const { accepted, arrived } of Object.values(this.#meters)) {
      accepted.forgetPeak(nowMs)
      arrived.forgetPeak(nowMs)
    }
  }

  #used(name: BudgetName, nowMs: number, mode: WindowMode): number {
    const meter = this.#meters[name]
    return mode === 'sliding' ? meter.accepted.used(nowMs) : meter.fixed.used(nowMs)
  }
}

function chargeOf({ users, events, devices }: Cost, limits: BudgetLimits): Cost {
  if (limits.devices !== null) return { users, events, devices }
  return { users: users + devices, events, devices: 0 }
}
