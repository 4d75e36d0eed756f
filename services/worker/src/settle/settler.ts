import type { PartitionQueue } from '@relay/shared/queue/partition-queue.js'
import type { Item, PartitionWindow } from '../fetch/window.js'

/** Pause before settling again when Redis did not answer, ms. */
const AGAIN_MS = 200

type Update = ReturnType<PartitionWindow['settle']>

/** How often a settle looks for the window of the new claim after a restart of Redis. */
const LOOKS_FOR_SUCCESSOR = 25

export interface SettlerOptions {
  readonly queueOf: (window: PartitionWindow) => PartitionQueue | undefined
  /** The window of the same partition that this worker serves now. */
  readonly present: (window: PartitionWindow) => PartitionWindow | undefined
  /** How long MoEngage may still process an attempt with elements of the partition, ms. */
  readonly lateMs: (window: PartitionWindow) => number
  readonly sleep: (ms: number) => Promise<void>
  /** Another worker owns the partition: nothing more may be done in it. */
  readonly onFenced: (window: PartitionWindow) => void
}

/**
 * Acknowledges finished elements: removes them from their partitions, and retries until Redis confirms, the
 * partition is lost, or the worker stops. After a restart of Redis it settles under the new claim: the
 * partition is not free for another request before. If Redis lost an earlier settle,
 * it settles nothing: older elements are sent again, and newer ones must follow them.
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

  /**
   * Returns the items that Redis confirmed; the others are sent again, by this worker or the next owner.
   * `areBuried`: they are dead letters. A restart of Redis may have lost those, so after one the items are
   * sent again instead.
   */
  async settle(items: readonly Item[], { areBuried = false } = {}): Promise<readonly Item[]> {
    const byWindow = new Map<PartitionWindow, Item[]>()
    let own: Item[] | undefined
    for (const [i, item] of items.entries()) {
      if (item.window !== items[i - 1]?.window) own = byWindow.get(item.window)
      if (own) own.push(item)
      else byWindow.set(item.window, (own = [item]))
    }
    const settled = await Promise.all(
      [...byWindow].map(async ([window, own]) =>
        (await this.#report(window, window.settle(own), areBuried)) ? own : [],
      ),
    )
    return settled.every((own) => own.length > 0) ? items : settled.flat()
  }

  /** Takes chunks out of which everything was erased. */
  async sweep(window: PartitionWindow): Promise<void> {
    const finished = window.takeErased()
    if (finished.length > 0) await this.#report(window, { finished, partly: [] })
  }

  async #report(window: PartitionWindow, update: Update, areBuried = false): Promise<boolean> {
    const { present, sleep } = this.#options
    const id = window.newSettle()
    for (let looks = 0; looks <= LOOKS_FOR_SUCCESSOR;) {
      const mayReturn = window.mayReturn && !areBuried
      const current = window.lost && mayReturn ? present(window) : window
      if (current?.lost === false) {
        const isSettled = await this.#try(id, { window, current, update })
        if (isSettled !== null) return isSettled
      } else if (mayReturn) looks += 1
      else return false
      if (this.#stopped) return false
      await sleep(AGAIN_MS)
    }
    return false
  }

  /** Settles under the claim of `current`; null: no answer, or this worker's own new claim fenced it. */
  async #try(
    id: string,
    {
      window,
      current,
      update,
    }: { window: PartitionWindow; current: PartitionWindow; update: Update },
  ): Promise<boolean | null> {
    const { queueOf, lateMs, onFenced } = this.#options
    const { finished, partly } = update
    const queue = queueOf(current)
    if (queue === undefined) return false
    const by = { claim: current.claim, id, after: current === window ? null : window.lastSettle }
    const reply = await queue.settle(by, finished, partly, lateMs(window)).catch(() => null)
    if (reply === null) return null
    if (reply.outcome === 'settled') {
      current.lastSettle = id
      // Read before the settle, these chunks were loaded again.
      if (current !== window) current.settledBefore(finished, partly)
      current.waiting = Math.max(reply.waiting, current.chunks.length)
      return true
    }
    if (reply.outcome === 'forgotten') return false
    if (current.lost) return null
    onFenced(current)
    return false
  }
}
