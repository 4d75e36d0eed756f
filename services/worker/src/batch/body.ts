import { budgetOf, type Budget, type Cost } from '@relay/shared/budget/cost.js'
import type { WorkspaceLimits } from '@relay/shared/config/workspace.js'
import type { Provenance } from '@relay/shared/element.js'
import type { RequestShare } from '@relay/shared/trace/trace-entry.js'
import { Run, type Growth } from './coalesce.js'
import type { Item } from '../fetch/window.js'
import type { Shapes } from './shape.js'

const HEAD = Buffer.from('{"type":"transition","elements":[')
const TAIL = Buffer.from(']}')
const COMMA = 0x2c

/** Bytes of a bulk body around its elements. */
const ENVELOPE_BYTES = HEAD.length + TAIL.length

/** Contents of one bulk request: one project, and a contiguous run of elements per customer. */
export interface Batch {
  readonly items: readonly Item[]
  /** MoEngage project of all its elements; undefined: none. */
  readonly projectCode: string | undefined
  /** The elements of its body: each stands for one item or for several. */
  readonly runs: readonly Run[]
  /** By which adjacent items of a customer share an element; null: none do. */
  readonly shapes: Shapes | null
  readonly bodyBytes: number
  /** Of the elements as written. */
  readonly cost: Cost
  /** Cost saved compared with writing each item separately. */
  readonly saved: Cost
  /** Bytes of the elements that each budget pays for, each with a comma. */
  readonly budgetBytes: Cost
}

/** Growth of a body by one more item. */
export interface Addition {
  readonly item: Item
  readonly budget: Budget
  readonly cost: number
  /** Commas included; negative where coalescing replaces a longer value. */
  readonly bytes: number
  /** The run that takes it, and how; null: it begins one. */
  readonly joins: { readonly run: Run; readonly growth: Growth } | null
}

/** A body under construction; counts bytes and cost as they will be written. */
export class BodyBuilder implements Batch {
  readonly items: Item[] = []
  readonly runs: Run[] = []
  readonly shapes: Shapes | null
  bodyBytes = ENVELOPE_BYTES
  readonly cost: Record<Budget, number> = { users: 0, events: 0, devices: 0 }
  readonly saved: Record<Budget, number> = { users: 0, events: 0, devices: 0 }
  readonly budgetBytes: Record<Budget, number> = { users: 0, events: 0, devices: 0 }
  readonly #limits: WorkspaceLimits
  /** The newest run of each customer; older runs are closed, so that the order is kept. */
  readonly #newest = new Map<string, Run>()

  constructor(limits: WorkspaceLimits, shapes: Shapes | null) {
    this.#limits = limits
    this.shapes = shapes
  }

  get projectCode(): string | undefined {
    return this.items[0]?.element.provenance.projectCode
  }

  /** Whether the element is of the body's project. An empty body is of any. */
  takesProjectOf({ provenance }: Item['element']): boolean {
    return this.items.length === 0 || provenance.projectCode === this.projectCode
  }

  /** Growth by the next item of its customer. */
  quote(item: Item): Addition {
    const { kind, cost, jsonBytes } = item.element
    const budget = budgetOf(kind, this.#limits)
    const { shapes } = this
    const run = shapes === null ? undefined : this.#newest.get(item.element.customer)
    const growth = shapes === null ? null : (run?.growthBy(item, shapes) ?? null)
    if (run !== undefined && growth !== null) {
      return { item, budget, cost: growth.cost, bytes: growth.bytes, joins: { run, growth } }
    }
    return { item, budget, cost, bytes: jsonBytes + (this.runs.length > 0 ? 1 : 0), joins: null }
  }

  add({ item, budget, cost, bytes, joins }: Addition): void {
    this.items.push(item)
    this.bodyBytes += bytes
    this.cost[budget] += cost
    this.saved[budget] += item.element.cost - cost
    if (joins === null) {
      const run = new Run(item)
      this.runs.push(run)
      if (this.shapes !== null) this.#newest.set(item.element.customer, run)
      this.budgetBytes[budget] += run.bytes + 1
    } else {
      joins.run.take(item, joins.growth)
      this.budgetBytes[budget] += bytes
    }
  }
}

/** The batch that carries just these items, in this order. */
export function batchOf(
  items: readonly Item[],
  limits: WorkspaceLimits,
  shapes: Shapes | null,
): Batch {
  const body = new BodyBuilder(limits, shapes)
  for (const item of items) body.add(body.quote(item))
  return body
}

/** When the oldest element of a batch was accepted, ms since 1970; Infinity for an empty one. */
export function oldestMsOf({ items }: Batch): number {
  return items[0]?.element.provenance.acceptedAtMs ?? Infinity
}

/** The bulk body, `bodyBytes` long: the elements' own bytes, joined. */
export function writeBody({ runs, bodyBytes }: Batch): Buffer {
  const body = Buffer.allocUnsafe(bodyBytes)
  let at = HEAD.copy(body)
  runs.forEach((run, i) => {
    if (i > 0) body[at++] = COMMA
    at = run.write(body, at)
  })
  TAIL.copy(body, at)
  return body
}

/** Elements as posted, with the request that they came in by; neighbours of one request together. */
export function* sharesOf({ items }: Batch): Generator<RequestShare> {
  let from: Provenance | null = null
  let elements = 0
  for (const { element } of items) {
    const { provenance } = element
    if (from !== null && from !== provenance) {
      yield { requestId: from.requestId, elements }
      elements = 0
    }
    from = provenance
    elements += element.posted
  }
  if (from !== null) yield { requestId: from.requestId, elements }
}
