import { budgetOf, type Budget, type Cost } from '@relay/shared/budget/cost.js'
import type { WorkspaceLimits } from '@relay/shared/config/workspace.js'
import type { RequestShare } from '@relay/shared/trace/trace-entry.js'
import type { Item, LoadedChunk, PartitionWindow } from '../fetch/window.js'

const HEAD = Buffer.from('{"type":"transition","elements":[')
const TAIL = Buffer.from(']}')
const COMMA = Buffer.from(',')

/** Bytes of a bulk body around its elements. */
export const ENVELOPE_BYTES = HEAD.length + TAIL.length

/** After so many elements in a row that do not fit any more a body counts as full. */
const MISSES = 16

/** What one bulk request carries: a contiguous run of elements of each of its customers. */
export interface Batch {
  readonly items: readonly Item[]
  readonly bodyBytes: number
  readonly cost: Cost
  /** Bytes of the elements that each budget pays for, each with a comma. */
  readonly budgetBytes: Cost
}

export interface PackLimits {
  readonly bodyBytes: number
  /** Units that may be spent of each budget. */
  readonly affordable: Cost
  /** The limits now in force. An element dearer than a whole limit still goes, alone of its budget. */
  readonly effective: Cost
  readonly limits: WorkspaceLimits
  /** Elements of at most so many windows: the others stay free for requests beside this one. */
  readonly mostWindows: number
}

/**
 * Fills one body from the windows, oldest chunk first. What cannot be afforded or does not fit
 * holds back the later elements of its own customer, and nobody else's: within a customer the
 * order stays, between customers there is none.
 */
export function pack(windows: readonly PartitionWindow[], limits: PackLimits): Batch {
  const packing = new Packing(limits)
  const cursors = windows.map((window): Cursor => ({ window, next: 0, held: new Set() }))
  while (!packing.full) {
    const cursor = oldestOf(cursors)
    const chunk = cursor?.window.chunks[cursor.next]
    if (!cursor || !chunk) break
    cursor.next += 1
    if (packing.takesFrom(cursor.window)) packing.takeFrom(cursor.window, chunk, cursor.held)
    else cursor.next = Infinity
  }
  return packing.batch()
}

/** How far a window was looked through, and whose elements of it are held back. */
interface Cursor {
  readonly window: PartitionWindow
  next: number
  readonly held: Set<string>
}

/** The cursor whose next chunk was accepted first. */
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
  readonly #items: Item[] = []
  readonly #windows = new Set<PartitionWindow>()
  readonly #cost: Record<Budget, number> = { users: 0, events: 0, devices: 0 }
  readonly #budgetBytes: Record<Budget, number> = { users: 0, events: 0, devices: 0 }
  #bytes = ENVELOPE_BYTES
  #misses = 0

  constructor(limits: PackLimits) {
    this.#limits = limits
  }

  get full(): boolean {
    return this.#misses >= MISSES
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
      if (this.#fits(element)) {
        this.#items.push({ window, chunk, index, element })
        this.#windows.add(window)
      } else held.add(element.customer)
    }
  }

  /** Spends what the element costs, or says that it cannot be had. */
  #fits({ kind, cost, json }: Item['element']): boolean {
    const { affordable, effective, bodyBytes, limits } = this.#limits
    const budget = budgetOf(kind, limits)
    const dear = cost > effective[budget] && this.#cost[budget] === 0 && affordable[budget] > 0
    if (this.#cost[budget] + cost > affordable[budget] && !dear) return false
    const bytes = json.length + (this.#items.length > 0 ? 1 : 0)
    if (this.#bytes + bytes > bodyBytes) {
      this.#misses += 1
      return false
    }
    this.#misses = 0
    this.#bytes += bytes
    this.#cost[budget] += cost
    this.#budgetBytes[budget] += json.length + 1
    return true
  }

  batch(): Batch {
    return {
      items: this.#items,
      bodyBytes: this.#bytes,
      cost: this.#cost,
      budgetBytes: this.#budgetBytes,
    }
  }
}

/** The batch that carries just these items, in this order. */
export function batchOf(items: readonly Item[], limits: WorkspaceLimits): Batch {
  const cost: Record<Budget, number> = { users: 0, events: 0, devices: 0 }
  const budgetBytes: Record<Budget, number> = { users: 0, events: 0, devices: 0 }
  let bodyBytes = ENVELOPE_BYTES + Math.max(0, items.length - 1)
  for (const { element } of items) {
    const budget = budgetOf(element.kind, limits)
    cost[budget] += element.cost
    budgetBytes[budget] += element.json.length + 1
    bodyBytes += element.json.length
  }
  return { items, bodyBytes, cost, budgetBytes }
}

/** The bulk body, `bodyBytes` long: the elements' own bytes, joined. */
export function writeBody({ items }: Batch): Buffer {
  const parts: Buffer[] = [HEAD]
  items.forEach(({ element }, i) => {
    if (i > 0) parts.push(COMMA)
    parts.push(element.json)
  })
  parts.push(TAIL)
  return Buffer.concat(parts)
}

/** Elements as posted, with the request that each came in by. */
export function* sharesOf({ items }: Batch): Generator<RequestShare> {
  for (const { element } of items) {
    yield { requestId: element.provenance.requestId, elements: element.posted }
  }
}
