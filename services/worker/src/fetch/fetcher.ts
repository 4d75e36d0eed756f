import type { PartitionQueue } from '@relay/shared/queue/partition-queue.js'
import type { InFlight } from '../ownership/in-flight.js'
import { loadWindow, type LoadTarget, type WindowMemory } from './loader.js'
import type { PartitionWindow } from './window.js'

export interface FetcherOptions {
  readonly memory: WindowMemory
  readonly inFlight: InFlight
  /** Whether a partition may be served now: older generations of its workspace go first. */
  readonly mayServe: (window: PartitionWindow) => boolean
}

export interface Served {
  readonly window: PartitionWindow
  readonly queue: PartitionQueue
}

/** The owned partitions of one workspace and lane: which of them may be read, and their chunks. */
export class Fetcher {
  readonly #options: FetcherOptions
  readonly #served = new Map<PartitionWindow, Served>()

  constructor(options: FetcherOptions) {
    this.#options = options
  }

  serve(window: PartitionWindow, queue: PartitionQueue): void {
    this.#served.set(window, { window, queue })
    this.#options.memory.add(window)
  }

  drop(window: PartitionWindow): void {
    this.#served.delete(window)
    this.#options.memory.remove(window)
  }

  /** Partitions with work and without a request in flight, those first whose last request is longest ago. */
  free(): Served[] {
    return this.#servable().filter(({ window }) => this.#options.inFlight.isFree(window.tag))
  }

  /** Time until one is free, ms: 0 if one is, Infinity if a request must end first. */
  nextFreeMs(): number {
    const free = this.#servable().map(({ window }) => this.#options.inFlight.freeInMs(window.tag))
    return Math.ceil(Math.min(Infinity, ...free))
  }

  /** A request of this window began. */
  begun(window: PartitionWindow): void {
    const served = this.#served.get(window)
    if (served === undefined) return
    this.#served.delete(window)
    this.#served.set(window, served)
  }

  /** Whether nothing may be loaded ahead of need. */
  isScarce(): boolean {
    return this.#options.memory.isScarce()
  }

  /**
   * Reads chunks of each, or of the first until all partitions of the lane hold `totalBytes` together;
   * returns false when Redis did not answer.
   */
  async load(
    served: readonly Served[],
    target: LoadTarget,
    totalBytes = Infinity,
  ): Promise<boolean> {
    const load = ({ window, queue }: Served) =>
      loadWindow(window, queue, target, this.#options.memory)
    if (totalBytes === Infinity) return (await Promise.all(served.map(load))).every(Boolean)
    for (const one of served) {
      if (loadedBytes([...this.#served.values()]) >= totalBytes) break
      if (!(await load(one))) return false
    }
    return true
  }

  #servable(): Served[] {
    return [...this.#served.values()].filter(
      ({ window }) =>
        !window.lost && !window.retiring && window.hasWork && this.#options.mayServe(window),
    )
  }
}

export function loadedBytes(served: readonly Served[]): number {
  return served.reduce((sum, { window }) => sum + window.loadedBytes, 0)
}
