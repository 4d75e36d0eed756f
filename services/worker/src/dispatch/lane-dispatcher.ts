import { BUDGETS, type Budget, type Cost } from '@relay/shared/budget/cost.js'
import type { PartitionQueue } from '@relay/shared/queue/partition-queue.js'
import { batchOf, ENVELOPE_BYTES, pack, type Batch } from '../batch/pack.js'
import { evenShare } from '../budget/sizing.js'
import { loadWindow, type WindowMemory } from '../fetch/loader.js'
import type { PartitionWindow } from '../fetch/window.js'
import { Signal } from '../signal.js'
import { Flight, type FlightContext, type Ticket } from './flight.js'

export interface LaneDispatcherOptions {
  readonly context: Omit<FlightContext, 'pause'>
  readonly lingerMs: number
  readonly memory: WindowMemory
  /** Largest body at present, bytes. */
  readonly bodyBytes: () => number
  /** Called when nothing of a window is under way any more. */
  readonly onIdle: (window: PartitionWindow) => void
  /** Whether a partition may be served: older generations of its workspace go first. */
  readonly mayServe: (window: PartitionWindow) => boolean
}

interface Served {
  readonly window: PartitionWindow
  readonly queue: PartitionQueue
}

/** What a packed batch misses, if it is not what it could be. */
interface Choice {
  readonly batch: Batch
  /** Everything that could be had is in it. */
  readonly whole: boolean
}

/** A body at least this full is worth its request when budget is short. */
const WORTHWHILE = 0.5
/** Redis did not answer; pause before the next look, ms. */
const REDIS_AWAY_MS = 250
/** How often to try what a short budget leaves, per round. */
const FITTINGS = 4
const LONGEST_WAIT_MS = 1_000
const NEVER = -Infinity
/** After waiting for this share of a window, half a body will do. */
const PATIENCE = 0.05
/** A body at least this full tells what a full one takes of the budgets. */
const FULL = 0.95

/** Serves the owned partitions of one workspace and lane: forms batches and starts their flights. */
export class LaneDispatcher {
  readonly #o: LaneDispatcherOptions
  readonly #signal = new Signal()
  readonly #served = new Map<PartitionWindow, Served>()
  readonly #flights = new Set<Promise<void>>()
  /** Budgets that were short: until when not to try them again, and since when; monotonic ms. */
  readonly #shortUntilMs: Record<Budget, number> = { users: 0, events: 0, devices: 0 }
  readonly #shortSinceMs: Record<Budget, number> = { users: 0, events: 0, devices: 0 }
  /** When a budget was last short, monotonic ms: for one window it counts as saturated. */
  readonly #lastShortMs: Record<Budget, number> = { users: NEVER, events: NEVER, devices: NEVER }
  /** What a full body took of each budget, smoothed. */
  readonly #perBody: Record<Budget, number> = { users: 0, events: 0, devices: 0 }
  #stopped = false
  #pauses = new Set<Signal>()

  constructor(options: LaneDispatcherOptions) {
    this.#o = options
  }

  get idle(): boolean {
    return this.#flights.size === 0
  }

  serve(window: PartitionWindow, queue: PartitionQueue): void {
    this.#served.set(window, { window, queue })
    this.#o.memory.add(window)
    this.wake()
  }

  forget(window: PartitionWindow): void {
    this.#served.delete(window)
    this.#o.memory.remove(window)
    this.wake()
  }

  /** Something changed: work came, the gate opened, budget was freed. */
  wake(): void {
    this.#signal.raise()
    for (const pause of this.#pauses) pause.raise()
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      const waitMs = await this.#round()
      if (waitMs > 0) await this.#signal.wait(waitMs)
    }
  }

  /** Starts nothing new; resolves when all flights have ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.wake()
    await Promise.all(this.#flights)
  }

  /** One try to start a request. Returns how long to wait before the next, ms. */
  async #round(): Promise<number> {
    const free = this.#free()
    if (free.length === 0) return Infinity
    const { gate } = this.#o.context
    if (!(await this.#load(free, this.#o.bodyBytes() * 2))) return REDIS_AWAY_MS
    const ready = free.filter(({ window }) => window.chunks.length > 0 && !window.lost)
    if (ready.length === 0) return this.#free().length > 0 ? 0 : Infinity
    const may = gate.mayStart()
    if (!may.go || may.probe) return this.#waitForGate(ready)
    return this.#startNext(ready)
  }

  #free(): Served[] {
    return [...this.#served.values()].filter(
      ({ window }) =>
        !window.busy &&
        !window.lost &&
        !window.retiring &&
        window.hasWork &&
        this.#o.mayServe(window),
    )
  }

  async #load(served: readonly Served[], wantBytes: number): Promise<boolean> {
    const target = { wantBytes, leastBytes: this.#o.bodyBytes() * 2 }
    const results = await Promise.all(
      served.map(({ window, queue }) => loadWindow(window, queue, target, this.#o.memory)),
    )
    const nowMs = this.#o.context.clock.monotonicMs()
    for (const { window } of served) {
      if (window.chunks.length > 0 && window.readyAtMs === 0) window.readyAtMs = nowMs
    }
    return results.every(Boolean)
  }

  /** The gate is not open: one flight waits at it, ready to be the probe; the rest stays put. */
  #waitForGate(ready: readonly Served[]): number {
    if (this.#flights.size === 0) {
      const batch = this.#pack(ready, this.#o.context.admission.limits())
      if (batch.items.length > 0) this.#start(batch, null)
    }
    return LONGEST_WAIT_MS
  }

  async #startNext(ready: readonly Served[]): Promise<number> {
    const chosen = this.#choose(ready)
    const lingerMs = this.#lingerMs(chosen)
    if (lingerMs > 0) return lingerMs
    let affordable = this.#affordable()
    let waitMs = this.#shortestShortMs()
    for (let fitting = 0; fitting < FITTINGS; fitting += 1) {
      const { batch, whole } = await this.#fill(chosen, affordable)
      if (batch.items.length === 0) return waitMs
      const admitted = await this.#ask(batch, whole)
      switch (admitted.outcome) {
        case 'granted':
          this.#noteFullBody(batch)
          for (const budget of BUDGETS) if (batch.cost[budget] > 0) this.#shortSinceMs[budget] = 0
          this.#start(batch, { id: admitted.id, deadlineMs: admitted.deadlineMs, probeId: null })
          return 0
        case 'later':
          return admitted.waitMs
        case 'short': {
          waitMs = admitted.waitMs
          const next = this.#afterShortage(chosen, batch, affordable, admitted.free, waitMs)
          if (next === null) return waitMs
          affordable = next
        }
      }
    }
    return waitMs
  }

  /** Oldest first; half of the free ones when several bodies wait, so that requests overlap. */
  #choose(ready: readonly Served[]): readonly Served[] {
    const oldestFirst = [...ready].sort((a, b) => a.window.oldestMs - b.window.oldestMs)
    const waitingBytes = ready.reduce((sum, { window }) => sum + window.loadedBytes, 0)
    const several = waitingBytes > 2 * this.#o.bodyBytes()
    return several ? oldestFirst.slice(0, Math.ceil(oldestFirst.length / 2)) : oldestFirst
  }

  /** How long to wait for a fuller body: not at all when idle. */
  #lingerMs(chosen: readonly Served[]): number {
    if (this.#flights.size === 0) return 0
    const bytes = chosen.reduce((sum, { window }) => sum + window.loadedBytes, 0)
    if (bytes >= this.#o.bodyBytes()) return 0
    const since = Math.min(...chosen.map(({ window }) => window.readyAtMs))
    return Math.max(0, Math.ceil(since + this.#o.lingerMs - this.#o.context.clock.monotonicMs()))
  }

  #affordable(): Cost {
    const nowMs = this.#o.context.clock.monotonicMs()
    const limits = this.#o.context.admission.limits()
    const most = this.#o.context.admission.perRequest()
    const left = (budget: Budget) => {
      if (nowMs < this.#shortUntilMs[budget]) return 0
      const perBody = this.#isSaturated(budget) ? this.#perBody[budget] : 0
      return Math.min(limits[budget], most[budget], evenShare(limits[budget], perBody))
    }
    return { users: left('users'), events: left('events'), devices: left('devices') }
  }

  #isSaturated(budget: Budget): boolean {
    const { clock, windowMs } = this.#o.context
    return clock.monotonicMs() - this.#lastShortMs[budget] < windowMs
  }

  /** Learns from a full body what one takes. */
  #noteFullBody({ bodyBytes, cost }: Batch): void {
    if (bodyBytes < this.#o.bodyBytes() * FULL) return
    for (const budget of BUDGETS) {
      const before = this.#perBody[budget]
      this.#perBody[budget] = before === 0 ? cost[budget] : before * 0.8 + cost[budget] * 0.2
    }
  }

  #shortestShortMs(): number {
    const nowMs = this.#o.context.clock.monotonicMs()
    const waits = BUDGETS.map((budget) => this.#shortUntilMs[budget] - nowMs).filter((w) => w > 0)
    return Math.min(LONGEST_WAIT_MS, ...waits)
  }

  #pack(served: readonly Served[], affordable: Cost): Batch {
    const { workspace, admission } = this.#o.context
    return pack(
      served.map(({ window }) => window),
      {
        bodyBytes: this.#o.bodyBytes(),
        affordable,
        effective: admission.limits(),
        limits: workspace().limits,
      },
    )
  }

  /** Packs, looking further ahead while what is at hand is held back by a short budget. */
  async #fill(chosen: readonly Served[], affordable: Cost): Promise<Choice> {
    const full = this.#o.bodyBytes() * 0.95
    let wantBytes = this.#o.bodyBytes() * 2
    for (;;) {
      const batch = this.#pack(chosen, affordable)
      const more = chosen.some(({ window }) => window.hasUnloaded)
      if (batch.bodyBytes >= full || !more) return { batch, whole: !more }
      const before = chosen.reduce((sum, { window }) => sum + window.loadedBytes, 0)
      wantBytes *= 2
      if (!(await this.#load(chosen, wantBytes))) return { batch, whole: false }
      const after = chosen.reduce((sum, { window }) => sum + window.loadedBytes, 0)
      if (after === before) return { batch, whole: false }
    }
  }

  #ask(batch: Batch, whole: boolean) {
    const half = this.#o.bodyBytes() * WORTHWHILE
    const share = whole && batch.bodyBytes < half ? 1 : Math.min(1, half / batch.bodyBytes)
    const need = (budget: Budget) =>
      Math.ceil(batch.cost[budget] * (this.#isPatient(budget) ? 1 : share))
    return this.#o.context.admission.ask({
      lane: this.#o.context.lane,
      cost: batch.cost,
      need: { users: need('users'), events: need('events'), devices: need('devices') },
      oldestMs: batch.items[0]?.element.provenance.acceptedAtMs ?? 0,
      queue: true,
    })
  }

  /** Whether it is too early to be content with less than a whole body of a short budget. */
  #isPatient(budget: Budget): boolean {
    const { clock, windowMs } = this.#o.context
    const since = this.#shortSinceMs[budget]
    return since === 0 || clock.monotonicMs() - since < windowMs * PATIENCE
  }

  /**
   * What to try after a denial: what is free, if that makes a worthwhile body; else all that the
   * short budgets do not pay for. null: wait.
   */
  #afterShortage(
    chosen: readonly Served[],
    denied: Batch,
    tried: Cost,
    free: Cost,
    waitMs: number,
  ): Cost | null {
    const short = BUDGETS.filter((budget) => denied.cost[budget] > free[budget])
    const nowMs = this.#o.context.clock.monotonicMs()
    const patient = short.some((budget) => this.#isPatient(budget))
    for (const budget of short) {
      this.#lastShortMs[budget] = nowMs
      if (this.#shortSinceMs[budget] === 0) this.#shortSinceMs[budget] = nowMs
    }
    const within = { ...tried }
    for (const budget of short) within[budget] = free[budget]
    const fitting = this.#pack(chosen, within)
    const limits = this.#o.context.admission.limits()
    const worthwhile =
      fitting.bodyBytes - ENVELOPE_BYTES >= this.#o.bodyBytes() * WORTHWHILE - ENVELOPE_BYTES ||
      short.some((budget) => fitting.cost[budget] >= limits[budget] * WORTHWHILE)
    if (worthwhile && !patient && fitting.items.length > 0) return within
    for (const budget of short) this.#shortUntilMs[budget] = nowMs + waitMs
    const without = { ...tried }
    for (const budget of short) without[budget] = 0
    return BUDGETS.some((budget) => without[budget] > 0) ? without : null
  }

  #start(batch: Batch, ticket: Ticket | null): void {
    const windows = new Set(batch.items.map(({ window }) => window))
    for (const window of windows) {
      window.busy = true
      window.readyAtMs = 0
    }
    const flight = new Flight(
      { ...this.#o.context, pause: (ms) => this.#pause(ms) },
      batchOf(batch.items, this.#o.context.workspace().limits),
    )
    const landed = flight.run(ticket).finally(() => {
      this.#flights.delete(landed)
      for (const window of windows) {
        window.busy = false
        this.#o.onIdle(window)
      }
      this.wake()
    })
    this.#flights.add(landed)
  }

  async #pause(ms: number): Promise<void> {
    const signal = new Signal()
    this.#pauses.add(signal)
    await signal.wait(ms)
    this.#pauses.delete(signal)
  }
}
