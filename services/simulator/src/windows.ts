import type { CustomerLimit } from '@relay/shared/config/customer-limits.js'
import type { BudgetGauge } from './vendor/answers.js'
import type { Cost } from './vendor/body.js'

type WindowMode = 'sliding' | 'fixed'
const BUDGETS = ['users', 'events', 'devices'] as const
type BudgetName = (typeof BUDGETS)[number]

/** Maximum units per window; null if there is no separate budget (devices then count as users). */
interface BudgetLimits {
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

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** A breach of a window up to this long blocks for an hour, of a longer one for a day. help, FUP. */
const SHORT_WINDOW_MS = 300_000
/** After this many breaches in a row the block lasts seven days. help, FUP. */
const BREACHES_IN_A_ROW = 3
const LONG_BLOCK_MS = 7 * DAY_MS

/** A customer exceeded a limit: its data is dropped until then. */
interface Breach {
  readonly customer: string
  readonly limit: CustomerLimit
  readonly atMs: number
  readonly blockedUntilMs: number
}

interface Customer {
  readonly windows: readonly SlidingWindow[]
  blockedUntilMs: number
  breaches: number
}

/** MoEngage's per-customer policy: counts arrivals per customer of a workspace in every window. */
export class CustomerPolicy {
  readonly #limits: readonly CustomerLimit[]
  readonly #customers = new Map<string, Customer>()
  readonly breaches: Breach[] = []

  constructor(limits: readonly CustomerLimit[]) {
    this.#limits = limits
  }

  /** Counts units of a customer; returns whether the policy drops them. */
  arrive(nowMs: number, customer: string, units: number): boolean {
    if (this.#limits.length === 0) return false
    const own = this.#customerOf(customer)
    for (const window of own.windows) window.add(nowMs, units)
    if (nowMs < own.blockedUntilMs) return true
    const broken = this.#limits.find((limit, i) => (own.windows[i]?.used(nowMs) ?? 0) > limit.units)
    if (broken === undefined) return false
    own.breaches += 1
    own.blockedUntilMs = nowMs + blockMs(broken, own.breaches)
    const { blockedUntilMs } = own
    this.breaches.push({ customer, limit: broken, atMs: nowMs, blockedUntilMs })
    return true
  }

  /** The largest sum of any customer in any window, by limit. */
  peaks(): (CustomerLimit & { readonly peak: number })[] {
    return this.#limits.map((limit, i) => {
      let peak = 0
      for (const { windows } of this.#customers.values()) {
        peak = Math.max(peak, windows[i]?.peak ?? 0)
      }
      return { ...limit, peak }
    })
  }

  #customerOf(customer: string): Customer {
    const known = this.#customers.get(customer)
    if (known !== undefined) return known
    const windows = this.#limits.map(({ windowMs }) => new SlidingWindow(windowMs))
    const own = { windows, blockedUntilMs: -Infinity, breaches: 0 }
    this.#customers.set(customer, own)
    return own
  }
}

function blockMs({ windowMs }: CustomerLimit, breaches: number): number {
  if (breaches % BREACHES_IN_A_ROW === 0) return LONG_BLOCK_MS
  return windowMs <= SHORT_WINDOW_MS ? HOUR_MS : DAY_MS
}

/**
 * Sums over every window of `windowMs`, exactly: a window is half-open, [start, start + windowMs),
 * so two moments share one if they are less than `windowMs` apart. Moments never go backwards.
 */
export class SlidingWindow {
  readonly windowMs: number
  #moments: { readonly atMs: number; readonly units: number }[] = []
  #head = 0
  #sum = 0
  /** The largest sum of any window so far. */
  peak = 0

  constructor(windowMs: number) {
    this.windowMs = windowMs
  }

  /** Units in the window that ends with this moment. */
  used(nowMs: number): number {
    let oldest = this.#moments[this.#head]
    while (oldest !== undefined && oldest.atMs <= nowMs - this.windowMs) {
      this.#sum -= oldest.units
      this.#head += 1
      oldest = this.#moments[this.#head]
    }
    if (this.#head > 1024 && this.#head * 2 > this.#moments.length) {
      this.#moments = this.#moments.slice(this.#head)
      this.#head = 0
    }
    return this.#sum
  }

  /** Time until the oldest counted units leave the window, ms; 0 if there are none. */
  firstLeavesInMs(nowMs: number): number {
    if (this.used(nowMs) === 0) return 0
    return (this.#moments[this.#head]?.atMs ?? nowMs) + this.windowMs - nowMs
  }

  add(nowMs: number, units: number): void {
    if (units === 0) return
    const used = this.used(nowMs)
    this.#moments.push({ atMs: nowMs, units })
    this.#sum = used + units
    this.peak = Math.max(this.peak, this.#sum)
  }

  forgetPeak(nowMs: number): void {
    this.peak = this.used(nowMs)
  }
}

/** Sums over windows that begin at multiples of `windowMs` of the wall clock ("per minute"). */
export class FixedWindow {
  readonly windowMs: number
  #index = -1
  #sum = 0

  constructor(windowMs: number) {
    this.windowMs = windowMs
  }

  used(nowMs: number): number {
    const index = Math.floor(nowMs / this.windowMs)
    if (index !== this.#index) {
      this.#index = index
      this.#sum = 0
    }
    return this.#sum
  }

  add(nowMs: number, units: number): void {
    this.#sum = this.used(nowMs) + units
  }
}
