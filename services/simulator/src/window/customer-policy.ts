import type { CustomerLimit } from '@relay/shared/config/customer-limits.js'
import { SlidingWindow } from './windows.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** A breach of a window up to this long blocks for an hour, of a longer one for a day. help, FUP. */
const SHORT_WINDOW_MS = 300_000
/** After this many breaches in a row the block lasts seven days. help, FUP. */
const BREACHES_IN_A_ROW = 3
const LONG_BLOCK_MS = 7 * DAY_MS

/** A customer exceeded a limit: its data is dropped until then. */
export interface Breach {
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
