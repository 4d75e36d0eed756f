import fc from 'fast-check'
import { batchOf } from '../../src/batch/body.js'
import type { VendorError } from '../../src/classify/outcome.js'
import type { Item } from '../../src/fetch/window.js'
import { Judge } from '../../src/retry/judge.js'
import { DeliveryPlan } from '../../src/retry/delivery-plan.js'
import { Refusals } from '../../src/retry/refusals.js'
import { partitions, windowsOf, type PartitionSpec } from '../support/windows.js'

const LIMITS = {
  usersPerWindow: 1_000,
  eventsPerWindow: 1_000,
  devicesPerWindow: null,
  maxBodyBytes: 128_000,
}
const UNKNOWN: VendorError = {
  status: 400,
  type: 'a type of next year',
  message: '',
  attribute: null,
  requestId: null,
}

/** Elements of one workspace on their way to a MoEngage that refuses some without naming them. */
class Workspace {
  readonly delivered: Item[] = []
  readonly dead: Item[] = []
  requests = 0
  holds = 0
  isHeld = false
  /** Reasons of all holds. */
  readonly reasons: string[] = []
  nowMs = 0
  readonly #clock = { monotonicMs: () => this.nowMs, nowMs: () => this.nowMs }
  readonly #refusals = new Refusals(this.#clock)
  #waiting: Item[]

  constructor(items: readonly Item[]) {
    this.#waiting = [...items]
  }

  add(items: readonly Item[]): void {
    this.#waiting.push(...items)
  }

  get waiting(): readonly Item[] {
    return this.#waiting
  }

  /** One flight with everything that is waiting, until it ends. */
  fly(refuses: (item: Item) => boolean): void {
    if (this.#waiting.length === 0) return
    const plan = new DeliveryPlan(batchOf(this.#waiting, LIMITS, null), () => LIMITS)
    const judge = new Judge(plan, this.#refusals, this.#clock)
    if (this.isHeld) judge.splitForTrial()
    for (let batch = plan.next(); batch !== null; batch = plan.next()) {
      this.requests += 1
      this.nowMs += 10
      const begun = judge.begin(batch)
      this.nowMs += 10
      if (!batch.items.some(refuses)) {
        this.delivered.push(...batch.items)
        plan.delivered()
        judge.accepted(begun)
        this.isHeld = false
        continue
      }
      const { atFault, hold, waitsForOthers } = judge.refused(begun, UNKNOWN, this.isHeld)
      if (waitsForOthers) this.nowMs += 300
      if (atFault !== null) this.dead.push(atFault)
      if (hold === null) continue
      this.reasons.push(hold)
      this.isHeld = true
      this.holds += 1
      break
    }
    const ended = new Set([...this.delivered, ...this.dead])
    this.#waiting = this.#waiting.filter((item) => !ended.has(item))
  }
}

function itemsOf(specs: readonly PartitionSpec[]): Item[] {
  return windowsOf(specs).flatMap((window) =>
    window.chunks.flatMap((chunk) =>
      chunk.elements.map((element, index) => ({ window, chunk, index, element })),
    ),
  )
}

let customersMade = 1_000

/** `count` elements of as many customers that have no others. */
function customers(count: number): Item[] {
  const chunk = Array.from({ length: count }, () => {
    customersMade += 1
    return { customer: customersMade, kind: 'event' as const, bytes: 30, cost: 1 }
  })
  return itemsOf([[chunk]])
}

function isInOrder(items: readonly Item[], delivered: readonly Item[]): boolean {
  const place = new Map(items.map((item, i) => [item, i]))
  const last = new Map<string, number>()
  return delivered.every((item) => {
    const at = place.get(item) ?? -1
    const before = last.get(item.element.customer) ?? -1
    last.set(item.element.customer, at)
    return at > before
  })
}

describe('a refusal that names no element', () => {
  test('of everything buries nothing, for any acceptances before and after', () => {
    fc.assert(
      fc.property(partitions, partitions, fc.integer({ min: 1, max: 30 }), (one, two, flights) => {
        const first = itemsOf(one)
        const second = itemsOf(two)
        const workspace = new Workspace(first)
        workspace.fly(() => false)
        workspace.add(second)
        for (let n = 0; n < flights; n++) workspace.fly(() => true)
        expect(workspace.dead).toEqual([])
        expect(workspace.isHeld).toBe(second.length > 0)
        workspace.fly(() => false)
        expect(workspace.dead).toEqual([])
        expect(new Set(workspace.delivered)).toEqual(new Set([...first, ...second]))
        expect(isInOrder([...first, ...second], workspace.delivered)).toBe(true)
      }),
      { numRuns: 200 },
    )
  })

  test('of everything holds the workspace within a few searches, then costs one request a probe', () => {
    const workspace = new Workspace(customers(300))
    workspace.fly(() => true)
    expect(workspace.isHeld).toBe(true)
    expect(workspace.requests).toBeLessThanOrEqual(3 * 10)
    const before = workspace.requests
    for (let n = 0; n < 50; n++) workspace.fly(() => true)
    expect(workspace.requests).toBe(before + 50)
    expect(workspace.dead).toEqual([])
  })

  test('of k among n buries exactly those, the others arrive in order, in a bounded number of requests', () => {
    fc.assert(
      fc.property(partitions, fc.integer({ min: 2, max: 12 }), fc.nat(), (specs, nth, from) => {
        const items = itemsOf(specs)
        const poison = new Set(items.filter((_, i) => i % nth === from % nth))
        const workspace = new Workspace(items)
        const good = items.filter((item) => !poison.has(item))
        // Customers whose oldest element is poison wait for others; those come now and then.
        const others = customers(40)
        const bound = (poison.size + 1) * (Math.ceil(Math.log2(items.length + 2)) + 8)
        for (const other of others) {
          if (workspace.waiting.length === 0) break
          workspace.fly((item) => poison.has(item))
          if (workspace.isHeld) workspace.add([other])
        }
        for (let n = 0; n < 200 && workspace.waiting.length > 0; n++) {
          workspace.fly((item) => poison.has(item))
          if (workspace.isHeld) workspace.add(customers(1))
        }
        expect(new Set(workspace.dead)).toEqual(poison)
        const arrived = workspace.delivered.filter((item) => items.includes(item))
        expect(new Set(arrived)).toEqual(new Set(good))
        expect(isInOrder(items, arrived)).toBe(true)
        expect(workspace.requests).toBeLessThanOrEqual(bound + workspace.holds * 4)
      }),
      { numRuns: 300 },
    )
  })

  test('one bad element among others costs two requests more than its search, and no hold', () => {
    for (const bad of [0, 1, 2, 149, 298]) {
      const items = customers(300)
      const workspace = new Workspace(items)
      workspace.fly((item) => item === items[bad])
      expect(workspace.dead).toEqual([items[bad]])
      expect([workspace.holds, workspace.delivered.length]).toEqual([0, 299])
      expect(workspace.requests).toBeLessThanOrEqual(14)
    }
  })

  test('a lone bad element waits until others were accepted before and after it was refused', () => {
    const [bad, ...good] = customers(3)
    const workspace = new Workspace([bad!])
    const isBad = (item: Item) => item === bad
    const fly = () => {
      workspace.nowMs += 5_000
      workspace.fly(isBad)
    }
    for (let n = 0; n < 5; n++) fly()
    expect([workspace.dead, workspace.isHeld, workspace.requests]).toEqual([[], true, 3 + 4])
    workspace.add([good[0]!])
    fly()
    expect([workspace.dead, workspace.isHeld, workspace.delivered]).toEqual([[], true, [good[0]]])
    workspace.add([good[1]!])
    fly()
    expect([workspace.dead, workspace.isHeld, workspace.delivered]).toEqual([[bad], false, good])
  })

  test('an acceptance of a while ago proves nothing', () => {
    const workspace = new Workspace(customers(2))
    workspace.fly(() => true)
    workspace.add(customers(1))
    for (let n = 0; n < 5; n++) {
      workspace.fly(() => false)
      workspace.nowMs += 2_000
      workspace.add(customers(2))
      workspace.fly(() => true)
    }
    expect(workspace.dead).toEqual([])
  })

  test('of everything, for more than a second at a time, buries nothing', () => {
    const phases = fc.array(fc.integer({ min: 1_100, max: 20_000 }), {
      minLength: 2,
      maxLength: 20,
    })
    const arrivals = fc.array(fc.record({ pauseMs: fc.integer({ min: 0, max: 3_000 }), count: fc.integer({ min: 0, max: 4 }) }), { minLength: 20, maxLength: 200 }) // prettier-ignore
    fc.assert(
      fc.property(phases, arrivals, (lengths, flights) => {
        const workspace = new Workspace(customers(1))
        const ends = lengths.map((_, i) => lengths.slice(0, i + 1).reduce((a, b) => a + b, 0))
        const isDown = () => ends.filter((endMs) => endMs <= workspace.nowMs).length % 2 === 0
        for (const { pauseMs, count } of flights) {
          workspace.add(customers(count))
          workspace.fly(isDown)
          workspace.nowMs += pauseMs
        }
        expect(workspace.dead).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  test('that hits at random is known as such once an element was refused alone and then accepted', () => {
    const [odd, ...others] = customers(40)
    const workspace = new Workspace([odd!])
    workspace.fly(() => true)
    workspace.fly(() => false)
    workspace.add(others)
    const bad = others[7]!
    const isBad = (item: Item) => item === bad
    for (let n = 0; n < 5; n++) {
      workspace.fly(isBad)
      workspace.add(customers(1))
    }
    expect(workspace.dead).toEqual([])
    workspace.nowMs += 600_000
    for (let n = 0; n < 3; n++) {
      workspace.fly(isBad)
      workspace.add(customers(1))
    }
    expect(workspace.dead).toEqual([bad])
  })

  test('is not called a refusal of everything once an element was accepted, also while nothing is proven', () => {
    const [odd, bad, ...others] = customers(12)
    const workspace = new Workspace([odd!])
    workspace.fly(() => true)
    expect(workspace.reasons).toEqual(['everything_refused'])
    workspace.fly(() => false)
    workspace.add([bad!])
    workspace.fly((item) => item === bad)
    const before = workspace.reasons.length
    for (const other of others) {
      workspace.add([other])
      workspace.fly((item) => item === bad)
      for (let n = 0; n < 3; n++) workspace.fly((item) => item === bad)
    }
    expect([workspace.isHeld, workspace.dead]).toEqual([true, []])
    expect(new Set(workspace.reasons.slice(before))).toEqual(new Set(['some_refused']))
    workspace.add(customers(2))
    for (let n = 0; n < 3; n++) workspace.fly(() => true)
    expect(workspace.reasons.at(-1)).toBe('everything_refused')
  })

  test('that came and went buries nothing in an outage later', () => {
    const [odd, ...others] = customers(40)
    const workspace = new Workspace([odd!])
    workspace.fly(() => true)
    workspace.fly(() => false)
    workspace.add(others)
    // Within a second of acceptances: proofs, were MoEngage's answers about elements.
    const [waiting] = others
    for (let n = 0; n < 3; n++) {
      workspace.fly((item) => item === waiting)
      workspace.add(customers(1))
    }
    expect(workspace.waiting).toContain(waiting)
    for (let n = 0; n < 20; n++) {
      workspace.nowMs += 60_000
      workspace.fly(() => true)
    }
    expect(workspace.dead).toEqual([])
  })
})
