import { effectiveLimits, perBudget } from '@relay/shared/budget/cost.js'
import type { Shadowed, WorkspaceMode } from '@relay/shared/config/workspace.js'
import type { PartitionQueue } from '@relay/shared/queue/partition-queue.js'
import { batchOf, type Batch } from './batch/body.js'
import { pack } from './batch/pack.js'
import { Fetcher, type FetcherOptions, type Served } from './fetch/fetcher.js'
import type { PartitionWindow } from './fetch/window.js'
import { REDIS_RETRY_DELAY_MS } from './budget/admission.js'
import type { Runtime } from './flight.js'
import type { Settler } from './settle/settler.js'
import { WakeUp } from './wake-up.js'

/** `mayServe`: whether a partition's elements are to be dropped now. */
export interface ShadowDrainOptions extends FetcherOptions {
  readonly runtime: Pick<Runtime, 'workspace' | 'shapes' | 'clock'>
  readonly settler: Settler
  readonly onIdle: (window: PartitionWindow) => void
  /** One request that would have been sent; may reject. */
  readonly onDropped: (batch: Batch) => Promise<void>
}

/** Destination of elements: sent to MoEngage, dropped, or kept in the queue. */
export type Route = 'send' | 'drop' | 'keep'

/**
 * Elements accepted while the workspace was live are sent regardless of its current mode. Those accepted in
 * shadow follow the current workspaces file, once they no longer have to be kept. Pure.
 */
export function routeOf(
  accepted: WorkspaceMode,
  now: { readonly mode: WorkspaceMode; readonly shadowed: Shadowed },
): Route {
  if (accepted === 'live') return 'send'
  if (now.shadowed === 'drop') return 'drop'
  return now.mode === 'live' ? 'send' : 'keep'
}

/** Until a request to MoEngage is answered others wait, so that bodies fill; this long here, ms. */
const ROUND_TRIP_MS = 300
/** A body at least this full goes without waiting. */
const FULL = 0.95
const UNLIMITED = perBudget(() => Infinity)

/**
 * Removes elements accepted in shadow from their partitions, packed into the requests that would have been
 * sent. It uses neither gate nor budgets, because nothing is sent.
 */
export class ShadowDrain {
  readonly #options: ShadowDrainOptions
  readonly #wakeUp = new WakeUp()
  readonly #fetcher: Fetcher
  #stopped = false
  #running: Promise<void> = Promise.resolve()
  #notBeforeMs = -Infinity

  constructor(options: ShadowDrainOptions) {
    this.#options = options
    this.#fetcher = new Fetcher(options)
  }

  serve(window: PartitionWindow, queue: PartitionQueue): void {
    this.#fetcher.serve(window, queue)
    this.wake()
  }

  drop(window: PartitionWindow): void {
    this.#fetcher.drop(window)
    this.wake()
  }

  wake(): void {
    this.#wakeUp.raise()
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
      if (waitMs > 0) await this.#wakeUp.wait(waitMs)
    }
  }

  /** Drops one request's worth. Returns the wait before the next, ms. */
  async #round(): Promise<number> {
    const free = this.#fetcher.free()
    if (free.length === 0) return this.#fetcher.nextFreeMs()
    const tooSoonMs = this.#notBeforeMs - this.#options.runtime.clock.monotonicMs()
    if (tooSoonMs > 0) return tooSoonMs
    const open = this.#options.inFlight.begin(free.map(({ window }) => window.tag))
    if (open === null) return 0
    try {
      return await this.#drop(free)
    } finally {
      open.end()
      for (const { window } of free) this.#options.onIdle(window)
    }
  }

  async #drop(free: readonly Served[]): Promise<number> {
    const { limits } = this.#options.runtime.workspace()
    const wantBytes = limits.maxBodyBytes * 2
    const target = {
      enoughBytes: limits.maxBodyBytes,
      wantBytes,
      leastBytes: wantBytes,
      watch: false,
    }
    if (!(await this.#fetcher.load(free, target))) return REDIS_RETRY_DELAY_MS
    const windows = free.map(({ window }) => window).filter(({ chunks }) => chunks.length > 0)
    const batch = this.#next(windows)
    if (batch === null) return 0
    if (batch.bodyBytes < limits.maxBodyBytes * FULL) {
      this.#notBeforeMs = this.#options.runtime.clock.monotonicMs() + ROUND_TRIP_MS
    }
    // The report first: dying in between counts a request twice rather than not at all.
    await this.#options.onDropped(batch).catch(() => undefined)
    await this.#options.settler.settle(batch.items)
    return 0
  }

  #next(windows: readonly PartitionWindow[]): Batch | null {
    const { limits } = this.#options.runtime.workspace()
    const batch = pack(windows, {
      bodyBytes: limits.maxBodyBytes,
      affordable: UNLIMITED,
      most: effectiveLimits(limits, 1),
      limits,
      shapes: this.#options.runtime.shapes(),
      mostWindows: Infinity,
      windowByWindow: false,
    })
    if (batch.items.length > 0) return batch
    const [window] = windows
    const [chunk] = window?.chunks ?? []
    if (window === undefined || chunk === undefined) return null
    // Elements that no body holds any more, since the limit was lowered: they must go, too.
    const items = chunk.elements.map((element, index) => ({ window, chunk, index, element }))
    return batchOf(items, limits, this.#options.runtime.shapes())
  }
}
