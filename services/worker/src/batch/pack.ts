import type { Cost } from '@relay/shared/budget/cost.js'
import type { WorkspaceLimits } from '@relay/shared/config/workspace.js'
import { BodyBuilder, type Addition, type Batch } from './body.js'
import type { Item, LoadedChunk, PartitionWindow } from '../fetch/window.js'
import type { Shapes } from './shape.js'

/** Consecutive elements that do not fit after which a body counts as full. */
const MISSES = 16

/**
 * Maximum elements of a batch before coalescing, to bound the work of one settle. A body of uncoalesced
 * elements holds fewer, unless they are shorter than any real element.
 */
const MAX_ITEMS = 4_000

export interface PackLimits {
  readonly bodyBytes: number
  /** Units that may be spent of each budget. */
  readonly affordable: Cost
  /** Units that one request may take now at most. A dearer element still goes, alone of its budget. */
  readonly most: Cost
  readonly limits: WorkspaceLimits
  /** By which adjacent elements of a customer share one element of the body; null: none do. */
  readonly shapes: Shapes | null
  /** Units that may be taken of customers that are held back; absent: no customer is. */
  readonly allowances?: ReadonlyMap<string, number> | undefined
  /** Maximum windows to take elements from; the others stay free for concurrent requests. */
  readonly mostWindows: number
  /** Exhaust one window before the next, instead of taking the oldest chunk of all windows each time. */
  readonly windowByWindow: boolean
}

/**
 * Fills one body from the windows, oldest chunk (or window) first. The first affordable element decides
 * the project. An element that belongs to another project, is not affordable or does not fit holds back
 * the later elements of its customer only: order is kept within a customer, not between customers.
 */
export function pack(windows: readonly PartitionWindow[], limits: PackLimits): Batch {
  const packing = new Packing(limits)
  const cursors = windows.map((window): Cursor => ({ window, next: 0, held: new Set() }))
  let cursor: Cursor | undefined
  while (!packing.full) {
    const goesOn = limits.windowByWindow && cursor?.window.chunks[cursor.next] !== undefined
    if (!goesOn) cursor = oldestOf(cursors)
    const chunk = cursor?.window.chunks[cursor.next]
    if (!cursor || !chunk) break
    cursor.next += 1
    if (packing.takesFrom(cursor.window)) packing.takeFrom(cursor.window, chunk, cursor.held)
    else cursor.next = Infinity
  }
  return packing.batch()
}

/** Whether a batch takes no more elements, however little its body would grow by them. */
export function isCrowded({ items }: Batch): boolean {
  return items.length >= MAX_ITEMS
}

/** Position of the scan of a window, and the customers held back in it. */
interface Cursor {
  readonly window: PartitionWindow
  next: number
  readonly held: Set<string>
}

/** The cursor with the oldest next chunk. */
function oldestOf(cursors: readonly Cursor[]): Cursor | undefined {
  let oldest: Cursor | undefined
  let oldestMs = Infinity
  for (const cursor of cursors) {
    const first = cursor.window.chunks[cursor.next]?.elements[0]
    if (first !== undefined && first.provenance.acceptedAtMs < oldestMs) {
      oldest = cursor
      oldestMs = first.provenance.acceptedAtMs
    }
  }
  return oldest
}

class Packing {
  readonly #limits: PackLimits
  readonly #body: BodyBuilder
  readonly #windows = new Set<PartitionWindow>()
  /** Units of customers that have an allowance. */
  readonly #taken = new Map<string, number>()
  #misses = 0

  constructor(limits: PackLimits) {
    this.#limits = limits
    this.#body = new BodyBuilder(limits.limits, limits.shapes)
  }

  get full(): boolean {
    return this.#misses >= MISSES || isCrowded(this.#body)
  }

  takesFrom(window: PartitionWindow): boolean {
    return this.#windows.has(window) || this.#windows.size < this.#limits.mostWindows
  }

  takeFrom(window: PartitionWindow, chunk: LoadedChunk, held: Set<string>): void {
    const { elements } = chunk
    for (let index = 0; index < elements.length && !this.full; index += 1) {
      const element = elements[index]
      if (element === undefined || chunk.isDone(index)) continue
      if (held.size > 0 && held.has(element.customer)) continue
      if (!this.#takes({ window, chunk, index, element })) held.add(element.customer)
    }
  }

  #takes(item: Item): boolean {
    if (!this.#body.takesProjectOf(item.element)) return false
    const addition = this.#body.quote(item)
    if (!this.#allows(addition) || !this.#fits(addition)) return false
    this.#body.add(addition)
    this.#windows.add(item.window)
    return true
  }

  /** A customer with an allowance gets that many units, or one element that is dearer. */
  #allows({ item, cost }: Addition): boolean {
    const { allowances } = this.#limits
    if (allowances === undefined) return true
    const { customer } = item.element
    const allowed = allowances.get(customer)
    if (allowed === undefined) return true
    const taken = this.#taken.get(customer) ?? 0
    const isAllowed = taken + cost <= allowed || (taken === 0 && allowed > 0)
    if (isAllowed) this.#taken.set(customer, taken + cost)
    return isAllowed
  }

  #fits({ budget, cost, bytes }: Addition): boolean {
    const { affordable, most, bodyBytes } = this.#limits
    const spent = this.#body.cost[budget]
    const dear = cost > most[budget] && spent === 0 && affordable[budget] > 0
    if (spent + cost > affordable[budget] && !dear) return false
    // One larger than every body goes alone: only MoEngage's answer shows whether it takes it.
    const fits = this.#body.items.length === 0 || this.#body.bodyBytes + bytes <= bodyBytes
    this.#misses = fits ? 0 : this.#misses + 1
    return fits
  }

  batch(): Batch {
    return this.#body
  }
}
