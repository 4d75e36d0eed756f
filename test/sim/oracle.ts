import type { Posted } from './load.js'
import type { Limits, VendorRequest, VendorObserver } from './moengage.js'
import { lastMomentOf } from './moengage.js'
import type { SimRedisServer } from './redis-server.js'
import { APP_ID, PREFIX } from './system.js'
import type { World } from './world.js'
import type { Argument, Raw } from './wire.js'

/** What relay promises, by name. */
export type Law =
  | 'overlap'
  | 'budget'
  | 'customer limit'
  | 'wait'
  | 'project'
  | 'order'
  | 'final value'
  | 'lost'
  | 'repeated'
  | 'settle undone'
  | 'fence'
  | 'backlog'
  | 'active set'
  | 'ledger'
  | 'stall'
  | 'drain'
  | 'dead letter'
  | 'forgotten customer'
  | 'answer'
  | 'crash'

export interface Violation {
  readonly atMs: number
  readonly law: Law
  readonly detail: string
  /** Lines of the trace before it. */
  readonly line: number
}

/** State of the partitions and of the ledger, read in one step. */
const LOOK = `local partitions, marks, keys = {}, {}, redis.call('KEYS', ARGV[1] .. ':{*/*}:relay')
table.sort(keys)
for _, key in ipairs(keys) do
  local base = string.sub(key, 1, -6)
  local tag = string.match(base, '{(.-)}')
  local sums, jobs = { 0, 0, 0, 0 }, redis.call('LRANGE', base .. 'wait', 0, -1)
  for _, id in ipairs(jobs) do
    local i = 1
    local job = redis.call('HMGET', base .. id, 'counts', 'done')
    if job[2] then marks[#marks + 1] = base .. id; marks[#marks + 1] = job[2] end
    for n in string.gmatch(job[1] or '', '%d+') do
      sums[i] = sums[i] + tonumber(n); i = i + 1
    end
  end
  local said = redis.call('HMGET', key, 'bytes', 'user', 'event', 'device')
  for i = 1, 4 do said[i] = said[i] or '0' end
  partitions[#partitions + 1] = { tag, #jobs, table.concat(sums, ','), table.concat(said, ','),
    redis.call('ZSCORE', ARGV[1] .. ':{deployment}:dirty', tag) and 1 or 0 }
end
local ledger, sums = ARGV[1] .. ':{' .. ARGV[2] .. '}:ledger', { 0, 0, 0, 0, 0, 0 }
for _, cost in ipairs(redis.call('HVALS', ledger .. ':cost')) do
  local i, lane = 1, string.match(cost, '[^,]+$')
  for n in string.gmatch(cost, '%d+') do
    sums[i] = sums[i] + tonumber(n)
    if lane == 'backfill' then sums[3 + i] = sums[3 + i] + tonumber(n) end
    i = i + 1
  end
end
local said = redis.call('HMGET', ledger, 'users', 'events', 'devices',
  'backfill_users', 'backfill_events', 'backfill_devices')
for i = 1, 6 do said[i] = said[i] or '0' end
return { partitions, table.concat(sums, ','), table.concat(said, ','), marks }`

const LOOK_EVERY_MS = 500
const WINDOW_MS = 60_000
/** A post without an answer may still be stored for this long: the add's own deadline, and a margin, ms. */
const LATE_ADD_MS = 700

interface Waiting {
  readonly tag: string
  readonly chunks: number
}

export interface CustomerLimit {
  readonly units: number
  readonly windowMs: number
}

export interface OracleOptions {
  readonly world: World
  readonly redis: SimRedisServer
  readonly limits: Limits
  /** Units of one customer in any window of this length. */
  readonly customerLimits: readonly CustomerLimit[]
  /** Whether nothing keeps partitions from being served now. */
  readonly isWell: () => boolean
  readonly stallMs: number
}

/** Watches MoEngage and Redis, and judges what it saw. It shares no code with relay. */
export class Oracle implements VendorObserver {
  readonly violations: Violation[] = []
  /** When an element first took effect: its place among all. */
  readonly first = new Map<string, { readonly place: number; readonly atMs: number }>()
  /** Elements that took effect again. */
  again = 0
  waiting: readonly Waiting[] = []
  longestStallMs = 0
  readonly #options: OracleOptions
  /** Requests that MoEngage may still process. */
  readonly #pending = new Set<VendorRequest>()
  /** Per customer, the elements of each request that took effect, in order. */
  readonly #effects = new Map<string, number[][]>()
  readonly #charged: { readonly atMs: number; readonly cost: Limits }[] = []
  /** What each customer was charged. */
  readonly #units = new Map<string, { readonly atMs: number; readonly units: number }[]>()
  readonly #marks = new Map<string, Buffer>()
  /** The claim of each partition that was made last, by Redis' run and key. */
  readonly #owners = new Map<string, string>()
  readonly #stillSinceMs = new Map<string, number>()
  readonly #stalled = new Set<string>()
  /** Customers whose erasure is done: the newest element that it covers. */
  readonly #erased = new Map<string, number>()

  constructor(options: OracleOptions) {
    this.#options = options
    options.redis.observers.push((name, args, reply) => {
      if (name === 'settle') this.#settled(args, reply)
      if (name === 'claim') this.#claimed(args, reply)
    })
    this.#lookAgain()
  }

  violate(law: Law, detail: string): void {
    const { world } = this.#options
    const line = world.lines.length
    world.log(`LAW BROKEN ${law}: ${detail}`)
    this.violations.push({ atMs: world.nowMs, law, detail, line })
  }

  /** No worker may send the customer's elements up to number `n`. */
  erased(customer: string, n: number): void {
    this.#erased.set(customer, n)
  }

  arrived(request: VendorRequest): void {
    const { project, projects } = request
    if ([...projects].some((one) => one !== project)) this.violate('project', `${request.id} for '${project}' carries '${[...projects].join(`', '`)}'`) // prettier-ignore
    const newest = newestOf(request)
    for (const other of this.#pending) {
      if (other.isProcessed || lastMomentOf(other) < this.#options.world.nowMs) {
        this.#pending.delete(other)
        continue
      }
      // The same elements again are the retry that relay promises. Only what is newer has to wait.
      for (const [customer, n] of newestOf(other)) {
        if ((newest.get(customer) ?? 0) <= n) continue
        const state = other.closedMs === null ? 'open' : `closed ${other.closedMs}`
        this.violate('overlap', `${customer}-${newest.get(customer)} in ${request.id} of ${request.worker} while ${other.id} of ${other.worker} with -${n} is pending (${state})`) // prettier-ignore
      }
    }
    for (const { customer, n } of request.elements) {
      if (n <= (this.#erased.get(customer) ?? 0)) this.violate('forgotten customer', `${customer}-${n}`) // prettier-ignore
    }
    this.#pending.add(request)
  }

  processed(request: VendorRequest, accepted: boolean): void {
    this.#charge(request.cost)
    if (this.#options.customerLimits.length > 0) this.#chargeCustomers(request.units)
    if (!accepted) return
    const byCustomer = new Map<string, number[]>()
    for (const { customer, n } of request.elements) {
      const key = nameOf({ customer, n })
      if (this.first.has(key)) this.again += 1
      else this.first.set(key, { place: this.first.size, atMs: this.#options.world.nowMs })
      byCustomer.set(customer, [...(byCustomer.get(customer) ?? []), n])
    }
    for (const [customer, numbers] of byCustomer) {
      const effects = this.#effects.get(customer) ?? []
      effects.push(numbers)
      this.#effects.set(customer, effects)
    }
  }

  #charge(cost: Limits): void {
    const { world, limits } = this.#options
    this.#charged.push({ atMs: world.nowMs, cost })
    while ((this.#charged[0]?.atMs ?? Infinity) <= world.nowMs - WINDOW_MS) this.#charged.shift()
    for (const budget of ['users', 'events'] as const) {
      const sum = this.#charged.reduce((total, charged) => total + charged.cost[budget], 0)
      if (sum > limits[budget]) this.violate('budget', `${sum} ${budget} in one window, ${limits[budget]} are allowed`) // prettier-ignore
    }
  }

  #chargeCustomers(units: ReadonlyMap<string, number>): void {
    const { world, customerLimits } = this.#options
    for (const [customer, charge] of units) {
      const charged = [...(this.#units.get(customer) ?? []), { atMs: world.nowMs, units: charge }]
      this.#units.set(customer, charged)
      for (const limit of customerLimits) {
        const within = charged.filter(({ atMs }) => atMs > world.nowMs - limit.windowMs)
        const sum = within.reduce((total, one) => total + one.units, 0)
        if (sum > limit.units) this.violate('customer limit', `${sum} of ${customer} in ${limit.windowMs} ms, ${limit.units} are allowed`) // prettier-ignore
      }
    }
  }

  #claimed([, control = '']: readonly Argument[], reply: Raw): void {
    if (!Array.isArray(reply) || reply[0] !== 1) return
    this.#owners.set(`${this.#options.redis.run} ${String(control)}`, String(reply[1]))
  }

  #settled(args: readonly Argument[], reply: Raw): void {
    if (!Array.isArray(reply) || String(reply[0]) !== 'settled') return
    const [, wait = '', control = '', claim = ''] = args
    const owner = this.#owners.get(`${this.#options.redis.run} ${String(control)}`)
    if (owner !== undefined && owner !== String(claim)) this.violate('fence', `${String(claim)} settles in ${String(control)}, which ${owner} has claimed`) // prettier-ignore
    this.#stillSinceMs.set(/\{(.*)\}/.exec(String(wait))?.[1] ?? '', this.#options.world.nowMs)
  }

  /** Bitmaps of settled elements only gain bits, as long as Redis forgets nothing. */
  #watchMarks(marks: readonly Raw[]): void {
    for (let i = 0; i + 1 < marks.length; i += 2) {
      const key = `${this.#options.redis.run} ${String(marks[i])}`
      const now = Buffer.from(marks[i + 1] as Buffer)
      const before = this.#marks.get(key)
      if (before?.some((bits, at) => (bits & ~(now[at] ?? 0)) !== 0) === true) {
        this.violate('settle undone', `${key}: ${before.toString('hex')} became ${now.toString('hex')}`) // prettier-ignore
      }
      this.#marks.set(key, now)
    }
  }

  #lookAgain(): void {
    this.#options.world.in(LOOK_EVERY_MS, null, () => this.look(), 'outside')
  }

  async look(): Promise<void> {
    const reply = await this.#options.redis.ask('EVAL', LOOK, 0, PREFIX, APP_ID)
    if (!Array.isArray(reply)) throw reply as Error
    const [partitions, costs, said, marks] = reply
    this.#watchMarks(marks as Raw[])
    if (String(costs) !== String(said)) this.violate('ledger', `reservations ${String(costs)}, sums ${String(said)}`) // prettier-ignore
    const waiting: Waiting[] = []
    for (const partition of partitions as Raw[][]) {
      const [tag = '', chunks = '', counted = '', claimed = '', active = ''] = partition.map(String)
      if (counted !== claimed) this.violate('backlog', `${tag} holds ${counted}, its counts say ${claimed}`) // prettier-ignore
      if (chunks === '0') continue
      if (active === '0')
        this.violate('active set', `${tag} holds ${chunks} chunks and is not in it`)
      waiting.push({ tag, chunks: Number(chunks) })
    }
    this.waiting = waiting
    this.#watchStalls()
    this.#lookAgain()
  }

  #watchStalls(): void {
    const { world, isWell, stallMs } = this.#options
    const tags = new Set(this.waiting.map(({ tag }) => tag))
    for (const tag of this.#stillSinceMs.keys()) if (!tags.has(tag) || !isWell()) this.#stillSinceMs.delete(tag) // prettier-ignore
    for (const tag of tags) {
      const sinceMs = this.#stillSinceMs.get(tag) ?? world.nowMs
      this.#stillSinceMs.set(tag, sinceMs)
      const stillMs = world.nowMs - sinceMs
      this.longestStallMs = Math.max(this.longestStallMs, stillMs)
      if (stillMs <= stallMs || this.#stalled.has(tag)) continue
      this.#stalled.add(tag)
      this.violate('stall', `${tag} since ${Math.round(sinceMs)}`)
    }
  }

  /** Acknowledged elements that neither took effect nor are excused. */
  missing(posted: readonly Posted[], isExcused: (element: Posted) => boolean): readonly Posted[] {
    return posted.filter(
      (one) => one.isAcked && !one.isBad && !this.first.has(nameOf(one)) && !isExcused(one),
    )
  }

  /**
   * Judges order, final values and waits, once all is delivered. Final values are judged among the elements
   * that Redis kept: an older one may be repeated after one that Redis forgot.
   */
  conclude(
    posted: readonly Posted[],
    {
      mayRepeat,
      waitMs,
      isForgotten,
    }: {
      readonly mayRepeat: boolean
      readonly waitMs: number
      readonly isForgotten: (element: Posted) => boolean
    },
  ): void {
    if (!mayRepeat && this.again > 0) this.violate('repeated', `${this.again} elements`)
    this.#judgeWaits(posted, waitMs)
    const byCustomer = new Map<string, Posted[]>()
    for (const element of posted) {
      if (!this.first.has(nameOf(element))) continue
      byCustomer.set(element.customer, [...(byCustomer.get(element.customer) ?? []), element])
    }
    for (const [customer, delivered] of byCustomer) {
      this.#judgeOrder(delivered.sort((a, b) => a.n - b.n))
      this.#judgeFinal(customer, delivered.filter((one) => one.isAcked && !isForgotten(one))) // prettier-ignore
    }
  }

  /** A customer at its limit delays no other. */
  #judgeWaits(posted: readonly Posted[], mostMs: number): void {
    const waitMs = (one: Posted) => (this.first.get(nameOf(one))?.atMs ?? 0) - one.endedMs
    const late = posted.filter((one) => one.isAcked && !one.isBusy && waitMs(one) > mostMs)
    const [example] = late
    if (example !== undefined) this.violate('wait', `${late.length} elements, such as ${nameOf(example)} for ${Math.round(waitMs(example))} ms`) // prettier-ignore
  }

  /** What was posted after another's end arrives after it. */
  #judgeOrder(delivered: readonly Posted[]): void {
    const placeOf = (element: Posted) => this.first.get(nameOf(element))?.place ?? 0
    for (const [i, later] of delivered.entries()) {
      const wrong = delivered.slice(0, i).find((earlier) => placeOf(earlier) > placeOf(later) && later.postedMs > this.#settledMs(earlier)) // prettier-ignore
      if (later.isAcked && wrong !== undefined) this.violate('order', `${nameOf(later)} before ${nameOf(wrong)}`) // prettier-ignore
    }
  }

  /** When an element is stored, or never will be. */
  #settledMs({ isAcked, isAnswered, postedMs, endedMs }: Posted): number {
    if (isAcked) return endedMs
    // The deadline of an add is a moment of Redis' clock.
    return isAnswered ? endedMs + LATE_ADD_MS + this.#options.redis.setBackMs(postedMs) : Infinity
  }

  #judgeFinal(customer: string, acked: readonly Posted[]): void {
    const known = new Set(acked.map(({ n }) => n))
    const last = (this.#effects.get(customer) ?? []).flat().findLast((n) => known.has(n))
    const newest = acked.at(-1)?.n
    if (last !== newest) this.violate('final value', `${customer} ends with ${last}, ${newest} is the newest`) // prettier-ignore
  }
}

function nameOf({ customer, n }: { readonly customer: string; readonly n: number }): string {
  return `${customer}-${n}`
}

function newestOf({ elements }: VendorRequest): Map<string, number> {
  const newest = new Map<string, number>()
  for (const { customer, n } of elements)
    newest.set(customer, Math.max(n, newest.get(customer) ?? 0))
  return newest
}
