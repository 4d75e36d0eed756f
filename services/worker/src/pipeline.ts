/*
 * The way of an element through a worker, for one workspace and lane. The stages in order:
 *
 *   fetch     fetch/      the oldest chunks of the owned partitions, into memory
 *   pack      batch/      one body of elements, in order for each customer
 *   reserve   budget/     a place in both budgets, under the gate
 *   send      send/       one attempt against MoEngage
 *   classify  classify/   its answer, or the lack of one, becomes an outcome
 *   decide    retry/      what the outcome leads to
 *   settle    settle/     finished elements leave their partitions, refused ones as dead letters
 *
 * `Pipeline` repeats fetch, pack and reserve, and keeps one flight for each batch; `deliver` repeats the rest
 * until every element of a flight's batch is settled.
 */
import { unexplainedHold } from '@relay/shared/gate/gate-state.js'
import { BUDGETS, perBudget, type Budget, type Cost } from '@relay/shared/budget/cost.js'
import type { PartitionQueue } from '@relay/shared/queue/partition-queue.js'
import { oldestMsOf, type Batch } from './batch/body.js'
import { isCrowded, pack, type PackLimits } from './batch/pack.js'
import { REDIS_RETRY_DELAY_MS, type Admitted } from './budget/admission.js'
import { BudgetPlanner } from './budget/budget-planner.js'
import { Fetcher, loadedBytes, type FetcherOptions, type Served } from './fetch/fetcher.js'
import type { PartitionWindow } from './fetch/window.js'
import { Flight, type FlightOptions, type Ticket } from './flight.js'
import { WakeUp } from './wake-up.js'

export interface PipelineOptions extends FlightOptions, FetcherOptions {
  /** Called when nothing of a window is in flight any more, or can be. */
  readonly onIdle: (window: PartitionWindow) => void
}

/** A packed batch. */
interface Choice {
  readonly batch: Batch
  /** Everything that waits is in it, as far as it can be paid for. */
  readonly whole: boolean
}

type Step = { readonly retryWith: Cost } | { readonly waitMs: number }

/** A body at least this full is worth its request when budget is short. */
const WORTHWHILE = 0.5
/** A whole body is worth waiting for this share of a window. */
const SOON = 0.02
/** Budget that stays too little for that for this share of a window is spent at once: it would be lost. */
const LONG = 0.05
/** A body at least this full counts as full. */
const FULL = 0.95
/** Loaded bytes that still make a body, although a chunk keeps its bytes until all of it is settled. */
const A_BODY_LEFT = 1.25
/** Bodies to which a partition is refilled while memory is left: each look is a script and a system call. */
const AHEAD = 4
/** While memory is scarce, a lane loads and sends one body in its turn, or gives up the turn after this, ms. */
const SCARCE_TURN_MS = 25
/** Tries per round to fit a body into a short budget. */
const FITTINGS = 4
const MAX_WAIT_MS = 1_000

/** Sends, classifies, decides and settles, until nothing of the flight's batch is left. */
export async function deliver(flight: Flight, granted: Ticket | null): Promise<void> {
  let ticket = granted ?? (await flight.reserve())
  while (ticket !== null) {
    const taken = await flight.take(ticket)
    if (taken !== null) {
      try {
        const attempt = await flight.send(taken.batch, ticket)
        const outcome = flight.classify(attempt)
        const decision = await flight.decide(attempt, outcome)
        await flight.settle(attempt, decision)
      } finally {
        taken.end()
      }
    }
    ticket = await flight.reserve()
  }
}

/** Forms batches from the owned partitions of one workspace and lane, and starts their flights. */
export class Pipeline {
  readonly #options: PipelineOptions
  readonly #fetcher: Fetcher
  readonly #planner: BudgetPlanner
  readonly #wakeUp = new WakeUp()
  readonly #flights = new Set<Promise<void>>()
  readonly #pauses = new Set<WakeUp>()
  #stopped = false

  constructor(options: PipelineOptions) {
    this.#options = options
    this.#fetcher = new Fetcher(options)
    const { runtime, budget } = options
    this.#planner = new BudgetPlanner({
      clock: runtime.clock,
      windowMs: runtime.config.budgetWindowMs,
      limits: () => budget.admission.limits(),
      perRequest: () => budget.admission.perRequest(),
    })
  }

  serve(window: PartitionWindow, queue: PartitionQueue): void {
    this.#fetcher.serve(window, queue)
    this.wake()
  }

  drop(window: PartitionWindow): void {
    this.#fetcher.drop(window)
    this.wake()
  }

  /** Something changed: work came, the gate opened, budget was freed. */
  wake(): void {
    this.#wakeUp.raise()
    for (const pause of this.#pauses) pause.raise()
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      const waitMs = await this.#options.memory.turns.take(() => this.#turn())
      if (waitMs > 0) await this.#wakeUp.wait(waitMs)
    }
  }

  /** Starts nothing new; resolves when all flights have ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.wake()
    await Promise.all(this.#flights)
  }

  /** One round. While memory is scarce, its flight too: with hundreds of lanes, few hold a batch at a time. */
  async #turn(): Promise<number> {
    const waitMs = await this.#round()
    const isLong = waitMs === 0 && this.#flights.size > 0 && this.#fetcher.isScarce()
    if (isLong) await this.#pause(SCARCE_TURN_MS)
    return waitMs
  }

  /** Tries to start one flight. Returns the wait before the next try, ms. */
  async #round(): Promise<number> {
    const free = this.#fetcher.free()
    if (free.length === 0) return this.#fetcher.nextFreeMs()
    if (!(await this.#refill(free))) return REDIS_RETRY_DELAY_MS
    const expired = await this.#expire(free)
    if (expired !== 'none') return expired === 'some' ? 0 : REDIS_RETRY_DELAY_MS
    for (const { window } of free) if (window.isUnreadable) this.#options.onIdle(window)
    const ready = free.filter(isReady)
    if (ready.length === 0) {
      // While memory is scarce, the next body is loaded once the last one has been sent, which wakes this.
      return free.some(({ window }) => window.hasWork) ? MAX_WAIT_MS : this.#fetcher.nextFreeMs()
    }
    const may = this.#options.budget.gate.mayStart()
    if (!may.go || may.probe) return this.#waitForGate(ready, may.go ? 0 : may.waitMs)
    const lingerMs = this.#lingerMs(ready)
    return lingerMs > 0 ? lingerMs : this.#packAndReserve(free)
  }

  /** Largest body at present, bytes. */
  get #bodyBytes(): number {
    return this.#options.budget.learned.bodyBytes
  }

  /** To load of each partition, bytes. */
  #aheadBytes(): number {
    return this.#bodyBytes * (this.#fetcher.isScarce() ? A_BODY_LEFT : AHEAD)
  }

  /** Reads more once less than one body of sendable elements is left. */
  #refill(free: readonly Served[]): Promise<boolean> {
    const enoughBytes = this.#bodyBytes * A_BODY_LEFT
    // Under a binding budget the oldest chunks go first, so each partition shows its own.
    const all = !this.#fetcher.isScarce() || this.#planner.isSaturated()
    return this.#fetch(free, enoughBytes, this.#aheadBytes(), all ? Infinity : enoughBytes)
  }

  async #fetch(
    served: readonly Served[],
    enoughBytes: number,
    wantBytes: number,
    totalBytes = Infinity,
  ): Promise<boolean> {
    const { erasures, settler } = this.#options.delivery
    // At least two bodies for all partitions together, regardless of other lanes, so that none stalls.
    const leastBytes = (this.#bodyBytes * 2) / served.length
    const target = { enoughBytes, wantBytes, leastBytes, watch: this.#watchAdds(served) }
    const isLoaded = await this.#fetcher.load(served, target, totalBytes)
    for (const { window } of served) erasures.apply(window)
    await Promise.all(served.map(({ window }) => settler.sweep(window)))
    const nowMs = this.#options.runtime.clock.monotonicMs()
    for (const { window } of served) {
      if (window.chunks.length > 0 && window.readyAtMs === 0) window.readyAtMs = nowMs
    }
    return isLoaded
  }

  /** While loaded elements may be held back, the next add has to wake this lane: others may be sent. Returns whether. */
  #watchAdds(served: readonly Served[]): boolean {
    const { policy } = this.#options.budget
    const isHeldBack =
      this.#planner.isShort() || this.#sendsUntried || policy.allowances() !== undefined
    if (isHeldBack) for (const { window } of served) window.stale ||= !window.watched
    return isHeldBack
  }

  /** Removes elements over the maximum age, regardless of the gate. */
  async #expire(served: readonly Served[]): Promise<'none' | 'some' | 'redis is away'> {
    const { maxAge } = this.#options.delivery
    const old = served.flatMap(({ window }) => maxAge.expiredIn(window))
    if (old.length === 0) return 'none'
    return maxAge.deadLetter(old, 0).then(
      () => 'some' as const,
      () => 'redis is away' as const,
    )
  }

  /** Whether an element that MoEngage has not refused may be sent although the workspace is held. */
  get #sendsUntried(): boolean {
    return unexplainedHold(this.#options.budget.gate.gate) !== null
  }

  /** The gate is not open: one flight waits at it, ready to be the probe; the rest stays put. */
  #waitForGate(ready: readonly Served[], dueMs: number): number {
    if (this.#flights.size > 0) return MAX_WAIT_MS
    const { budget, delivery } = this.#options
    const batch = this.#pack(ready, budget.admission.limits())
    if (batch.items.length === 0) return MAX_WAIT_MS
    // A new element need not wait, so the refused ones do not keep its place before their probe is due.
    if (this.#sendsUntried && dueMs > 0 && delivery.refusals.hasOnlySuspects(batch.items)) {
      return Math.min(dueMs, MAX_WAIT_MS)
    }
    this.#start(batch, null)
    return MAX_WAIT_MS
  }

  /**
   * Time to wait for a fuller body: 0 when idle, unless only user updates wait. They arrive in bursts, and
   * the updates of one user within the linger cost one update.
   */
  #lingerMs(ready: readonly Served[]): number {
    const { config, clock, shapes } = this.#options.runtime
    if (loadedBytes(ready) >= this.#bodyBytes) return 0
    const updatesOnly = () => ready.every(({ window }) => window.hasOnlyUpdates)
    if (this.#flights.size === 0 && !(shapes() !== null && updatesOnly())) return 0
    const since = Math.min(...ready.map(({ window }) => window.readyAtMs))
    return Math.max(0, Math.ceil(since + config.lingerMs - clock.monotonicMs()))
  }

  async #packAndReserve(served: readonly Served[]): Promise<number> {
    const sinceMs = this.#options.runtime.clock.monotonicMs()
    let affordable = this.#planner.next()
    for (let fitting = 0; fitting < FITTINGS; fitting += 1) {
      const { batch, whole } = await this.#fill(served, affordable)
      if (batch.items.length === 0) break
      const step = this.#act(served, batch, affordable, await this.#reserve(batch, whole))
      if ('waitMs' in step) return step.waitMs
      affordable = step.retryWith
    }
    // A shortage that ended while looking further ahead is over: waiting on would let others pass.
    return Math.min(MAX_WAIT_MS, this.#planner.shortForMs(sinceMs))
  }

  #act(served: readonly Served[], batch: Batch, tried: Cost, admitted: Admitted): Step {
    switch (admitted.outcome) {
      case 'granted': {
        this.#planner.granted(batch, this.#bodyBytes)
        const { id, deadlineMs } = admitted
        const ticket = { id, cost: batch.cost, deadlineMs, probeId: null }
        if (!this.#start(batch, ticket)) void this.#options.budget.admission.refund(id)
        return { waitMs: 0 }
      }
      case 'later':
        return { waitMs: admitted.waitMs }
      case 'short': {
        const short = BUDGETS.filter((budget) => batch.cost[budget] > admitted.free[budget])
        this.#planner.denied(short)
        return { retryWith: this.#settleFor(served, short, tried, admitted) }
      }
    }
  }

  /**
   * The cost to request after a denial: the free budget, if it makes a worthwhile body and a whole one is
   * not available soon; otherwise only elements of budgets that are not short.
   */
  #settleFor(
    served: readonly Served[],
    short: readonly Budget[],
    tried: Cost,
    { free, waitMs, needMs, allMs }: Extract<Admitted, { outcome: 'short' }>,
  ): Cost {
    const within = { ...tried }
    for (const budget of short) within[budget] = free[budget]
    const limits = this.#options.budget.admission.limits()
    const fitting = this.#pack(served, within)
    const { budgetWindowMs } = this.#options.runtime.config
    const least = needMs >= budgetWindowMs * LONG ? 0 : WORTHWHILE
    const worthwhile =
      fitting.bodyBytes >= this.#bodyBytes * WORTHWHILE ||
      short.some((budget) => fitting.cost[budget] >= Math.max(1, limits[budget] * least))
    const soon = allMs <= budgetWindowMs * SOON
    if (worthwhile && !soon) return within
    this.#planner.renounce(short, worthwhile ? Math.max(1, allMs) : waitMs)
    const without = { ...tried }
    for (const budget of short) without[budget] = 0
    return without
  }

  /**
   * Half of the free partitions when several bodies wait, so that requests overlap; otherwise all. While
   * budgets do not bind, a request exhausts one partition before the next, because every partition in a
   * request costs one script call to settle. Under a binding budget, the oldest chunks go first.
   */
  #spread(ready: readonly Served[]): Pick<PackLimits, 'mostWindows' | 'windowByWindow'> {
    const several = loadedBytes(ready) > 2 * this.#bodyBytes
    const mostWindows = several ? Math.ceil(ready.length / 2) : ready.length
    return { mostWindows, windowByWindow: !this.#planner.isSaturated() }
  }

  #pack(served: readonly Served[], affordable: Cost): Batch {
    const ready = served.filter(isReady)
    const { workspace, shapes } = this.#options.runtime
    const { policy } = this.#options.budget
    return pack(
      ready.map(({ window }) => window),
      {
        bodyBytes: this.#bodyBytes,
        affordable,
        most: this.#planner.most(),
        limits: workspace().limits,
        shapes: shapes(),
        allowances: policy.allowances(),
        ...this.#spread(ready),
      },
    )
  }

  /** Packs a body, and loads more while a budget or a customer's limit holds back the loaded elements. */
  async #fill(served: readonly Served[], affordable: Cost): Promise<Choice> {
    // What a round before this one loaded may all be held back.
    let wantBytes = Math.max(this.#aheadBytes(), ...served.map(({ window }) => window.loadedBytes))
    for (;;) {
      const batch = this.#pack(served, affordable)
      this.#watchAdds(served)
      const more = served.some(({ window }) => window.hasUnloaded)
      const full = batch.bodyBytes >= this.#bodyBytes * FULL || isCrowded(batch)
      if (full || !more) return { batch, whole: !more }
      const before = loadedBytes(served)
      wantBytes *= 2
      const loaded = await this.#fetch(served, wantBytes, wantBytes)
      if (!loaded || loadedBytes(served) === before) return { batch, whole: false }
    }
  }

  #reserve(batch: Batch, whole: boolean): Promise<Admitted> {
    const half = this.#bodyBytes * WORTHWHILE
    const share = whole && batch.bodyBytes < half ? 1 : Math.min(1, half / batch.bodyBytes)
    return this.#options.budget.admission.ask({
      lane: this.#options.lane,
      cost: batch.cost,
      need: perBudget((budget) => Math.ceil(batch.cost[budget] * share)),
      oldestMs: oldestMsOf(batch),
      queue: true,
    })
  }

  /** Returns false when another delivery of this process has one of the partitions by now. */
  #start(batch: Batch, ticket: Ticket | null): boolean {
    const windows = new Set(batch.items.map(({ window }) => window))
    const open = this.#stopped
      ? null
      : this.#options.inFlight.begin([...windows].map(({ tag }) => tag))
    if (open === null) return false
    for (const window of windows) {
      window.readyAtMs = 0
      this.#fetcher.begun(window)
    }
    const flight = new Flight(this.#options, (ms) => this.#pause(ms), batch, open)
    const done = deliver(flight, ticket).finally(() => {
      open.end()
      this.#flights.delete(done)
      // Nothing was settled that would have said whether more waits.
      for (const { window, chunk, index } of batch.items)
        if (!chunk.isDone(index)) window.stale = true
      for (const window of windows) this.#options.onIdle(window)
      this.wake()
    })
    this.#flights.add(done)
    return true
  }

  async #pause(ms: number): Promise<void> {
    const wakeUp = new WakeUp()
    this.#pauses.add(wakeUp)
    await wakeUp.wait(ms)
    this.#pauses.delete(wakeUp)
  }
}

function isReady({ window }: Served): boolean {
  return window.chunks.length > 0 && !window.lost
}
