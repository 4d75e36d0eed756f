import type { PartitionQueue } from '@relay/shared/queue/partition-queue.js'
import type { Item, PartitionWindow } from '../fetch/window.js'

/** Pause before settling again when Redis did not answer, ms. */
const AGAIN_MS = 200

export interface SettlerOptions {
  readonly queueOf: (window: PartitionWindow) => PartitionQueue | undefined
  /** How long MoEngage may still process an attempt with elements of the partition, ms. */
  readonly lateMs: (window: PartitionWindow) => number
  readonly sleep: (ms: number) => Promise<void>
  /** Another worker owns the partition: nothing more may be done in it. */
  readonly onFenced: (window: PartitionWindow) => void
}

/**
 * Acknowledges finished elements: removes them from their partitions, and retries until Redis confirms, the
 * partition is lost, or the worker stops.
 */
export class Settler {
  readonly #options: SettlerOptions
  #stopped = false

  constructor(options: SettlerOptions) {
    this.#options = options
  }

  /** Retries no more. Elements that are not confirmed are sent again by the next owner. */
  stop(): void {
    this.#stopped = true
  }

  /** Returns the items that Redis confirmed; the others are sent again, by this worker or the next owner. */
  async settle(items: readonly Item[]): Promise<readonly Item[]> {
    const byWindow = new Map<PartitionWindow, Item[]>()
    let own: Item[] | undefined
    for (const [i, item] of items.entries()) {
      if (item.window !== items[i - 1]?.window) own = byWindow.get(item.window)
      if (own) own.push(item)
      else byWindow.set(item.window, (own = [item]))
    }
    const settled = await Promise.all(
      [...byWindow].map(async ([window, own]) =>
        (await this.#settleWindow(window, own)) ? own : [],
      ),
    )
    return settled.every((own) => own.length > 0) ? items : settled.flat()
  }

  /** Takes chunks out of which everything was erased. */
  async sweep(window: PartitionWindow): Promise<void> {
    const finished = window.takeErased()
    if (finished.length > 0) await this.#report(window, { finished, partly: [] })
  }

  #settleWindow(window: PartitionWindow, items: readonly Item[]): Promise<boolean> {
    return this.#report(window, window.settle(items))
  }

  async #report(
    window: PartitionWindow,
    { finished, partly }: ReturnType<PartitionWindow['settle']>,
  ): Promise<boolean> {
    const queue = this.#options.queueOf(window)
    while (!window.lost && queue !== undefined) {
      const lateMs = this.#options.lateMs(window)
      const reply = await queue.settle(window.claim, finished, partly, lateMs).catch(() => null)
      if (reply?.settled === true) {
        window.waiting = Math.max(reply.waiting, window.chunks.length)
        return true
      }
      if (reply !== null) {
        this.#options.onFenced(window)
        return false
      }
      if (this.#stopped) return false
      await this.#options.sleep(AGAIN_MS)
    }
    return false
  }
}
