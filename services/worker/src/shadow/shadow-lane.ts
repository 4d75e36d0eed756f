import { effectiveLimits, type Cost } from '@relay/shared/budget/cost.js'
import type { Clock } from '@relay/shared/clock.js'
import type { Workspace } from '@relay/shared/config/workspace.js'
import type { PartitionQueue } from '@relay/shared/queue/partition-queue.js'
import { batchOf, type Batch } from '../batch/body.js'
import { pack } from '../batch/pack.js'
import type { Shapes } from '../batch/shape.js'
import { loadWindow, type WindowMemory } from '../fetch/loader.js'
import type { PartitionWindow } from '../fetch/window.js'
import type { InFlight } from '../ownership/in-flight.js'
import type { Settler } from '../settle/settler.js'
import { Signal } from '../signal.js'

export interface ShadowLaneOptions {
  readonly workspace: () => Workspace
  /** By which adjacent elements of a customer would share one element of a request; null: none. */
  readonly shapes: () => Shapes | null
  readonly settler: Settler
  readonly memory: WindowMemory
  readonly inFlight: InFlight
  readonly clock: Clock
  readonly onIdle: (window: PartitionWindow) => void
  /** Whether a partition's elements are to be dropped now. */
  readonly mayServe: (window: PartitionWindow) => boolean
  /** One request that would have been sent; may reject. */
  readonly onDropped: (batch: Batch) => Promise<void>
}

interface Served {
  readonly window: PartitionWindow
  readonly queue: PartitionQueue
}

/** Redis did not answer; pause before the next look, ms. */
const REDIS_AWAY_MS = 250
/** Until a request to MoEngage is answered others wait, so that bodies fill; this long here, ms. */
const ROUND_TRIP_MS = 300
/** A body at least this full goes without waiting. */
const FULL = 0.95
const UNLIMITED: Cost = { users: Infinity, events: Infinity, devices: Infinity }

/**
 * Removes elements accepted in shadow from their partitions, packed into the requests that would have been
 * sent. It uses neither gate nor budgets, because nothing is sent.
 */
export class ShadowLane {
  readonly #o: ShadowLaneOptions
  readonly #signal = new Signal()
  readonly #served = new Map<PartitionWindow, Served>()
  #stopped = false
  #running: Promise<void> = Promise.resolve()
  #notBeforeMs = -Infinity

  constructor(options: ShadowLaneOptions) {
    this.#o = options
  }

  serve(window: PartitionWindow, queue: PartitionQueue): void {
    this.#served.set(window, { window, queue })
    this.wake()
  }

  forget(window: PartitionWindow): void {
    this.#served.delete(window)
    this.wake()
  }

  wake(): void {
    this.#signal.raise()
  }

  run(): Promise<void> {
    this.#running = this.#loop()
    return this.#running
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.wake()
    await this.#running
  }

  async #loop(): Promise<void> {
    while (!this.#stopped) {
      const waitMs = await this.#round()
      if (waitMs > 0) await this.#signal.wait(waitMs)
    }
  }

  /** Drops one request's worth. Returns the wait before the next, ms. */
  async #round(): Promise<number> {
    const free = this.#free()
    if (free.length === 0) return Infinity
    const tooSoonMs = this.#notBeforeMs - this.#o.clock.monotonicMs()
    if (tooSoonMs > 0) return tooSoonMs
    const open = this.#o.inFlight.begin(free.map(({ window }) => window.tag))
    if (open === null) return 0
    try {
      return await this.#drop(free)
    } finally {
      open.end()
      for (const { window } of free) this.#o.onIdle(window)
    }
  }

  #free(): Served[] {
    return [...this.#served.values()].filter(
      ({ window }) =>
        this.#o.inFlight.isFree(window.tag) &&
        !window.lost &&
        !window.retiring &&
        window.hasWork &&
        this.#o.mayServe(window),
    )
  }

  async #drop(free: readonly Served[]): Promise<number> {
    const { limits } = this.#o.workspace()
    const wantBytes = limits.maxBodyBytes * 2
    const target = {
      enoughBytes: limits.maxBodyBytes,
      wantBytes,
      leastBytes: wantBytes,
      watch: false,
    }
    const loaded = await Promise.all(
      free.map(({ window, queue }) => loadWindow(window, queue, target, this.#o.memory)),
    )
    if (!loaded.every(Boolean)) return REDIS_AWAY_MS
    const windows = free.map(({ window }) => window).filter(({ chunks }) => chunks.length > 0)
    const batch = this.#next(windows)
    if (batch === null) return 0
    if (batch.bodyBytes < limits.maxBodyBytes * FULL) {
      this.#notBeforeMs = this.#o.clock.monotonicMs() + ROUND_TRIP_MS
    }
    // The report first: dying in between counts a request twice rather than not at all.
    await this.#o.onDropped(batch).catch(() => undefined)
    await this.#o.settler.settle(batch.items)
    return 0
  }

  #next(windows: readonly PartitionWindow[]): Batch | null {
    const { limits } = this.#o.workspace()
    const batch = pack(windows, {
      bodyBytes: limits.maxBodyBytes,
      affordable: UNLIMITED,
      effective: effectiveLimits(limits, 1),
      limits,
      shapes: this.#o.shapes(),
      mostWindows: Infinity,
      windowByWindow: false,
    })
    if (batch.items.length > 0) return batch
    const [window] = windows
    const [chunk] = window?.chunks ?? []
    if (window === undefined || chunk === undefined) return null
    // Elements that no body holds any more, since the limit was lowered: they must go, too.
    const items = chunk.elements.map((element, index) => ({ window, chunk, index, element }))
    return batchOf(items, limits, this.#o.shapes())
  }
}
