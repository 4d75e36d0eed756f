import fc from 'fast-check'
import { seededRandom } from '@relay/shared/seeded-random.js'
import type { Item } from '../../src/fetch/window.js'
import { batchOf } from '../../src/batch/body.js'
import { Shapes } from '../../src/batch/shape.js'
import { DeliveryPlan } from '../../src/retry/delivery-plan.js'
import { itemsOf, streams, waitingIn } from '../support/elements.js'
import { partitions, windowsOf } from '../support/windows.js'

const LIMITS = {
  usersPerWindow: 100,
  eventsPerWindow: 100,
  devicesPerWindow: null,
  maxBodyBytes: 128_000,
}

/** What MoEngage does with one request; the rest of the run decides by these in turn. */
const FATES = ['deliver', 'deliver', 'deliver', 'retry', 'probe', 'dear', 'too_large']

/** Fates by chance, for as long as the run takes: any fixed pattern could go round in circles. */
function byChance(seed: number): () => string {
  const random = seededRandom(seed)
  return () => FATES[Math.floor(random.next() * FATES.length)] ?? 'deliver'
}

interface End {
  readonly delivered: Item[]
  readonly dead: Item[]
  requests: number
}

/** A MoEngage that refuses poison, and bodies over a ceiling, however they come. */
function run(
  items: readonly Item[],
  isPoison: (item: Item) => boolean,
  next: () => string,
  ceiling = Infinity,
): End {
  const plan = new DeliveryPlan(batchOf(items, LIMITS, new Shapes([])), () => LIMITS)
  const end: End = { delivered: [], dead: [], requests: 0 }
  for (let batch = plan.next(); batch !== null; batch = plan.next()) {
    end.requests += 1
    if (end.requests > 20_000) throw new Error('does not end')
    const fate = next()
    if (fate === 'retry') continue
    if (fate === 'probe') {
      plan.splitForProbe()
      continue
    }
    if (fate === 'dear') {
      plan.splitToCost({ users: 2, events: 3, devices: 1 })
      continue
    }
    if (batch.bodyBytes > ceiling) {
      const dead = plan.tooLarge(ceiling)
      if (dead) end.dead.push(dead)
    } else if (batch.items.some(isPoison)) {
      const dead = plan.refused(null)
      if (dead) end.dead.push(dead)
    } else {
      end.delivered.push(...batch.items)
      plan.delivered()
    }
  }
  return end
}

/** Where these stand among the items: what compares fast, and tells equal elements apart. */
function placesOf(some: readonly Item[], items: readonly Item[]): number[] {
  const places = new Map(items.map(({ element }, i) => [element, i]))
  return some.map(({ element }) => places.get(element) ?? -1)
}

const ascending = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)

describe('what of a flight is still to be sent', () => {
  test('each element ends once in any case, and customers keep their order', () => {
    fc.assert(
      fc.property(partitions, fc.nat(), fc.integer({ min: 2, max: 9 }), (specs, seed, nth) => {
        const items = windowsOf(specs).flatMap((window) =>
          window.chunks.flatMap((chunk) =>
            chunk.elements.map((element, index) => ({ window, chunk, index, element })),
          ),
        )
        const poison = new Set(items.filter((_, i) => i % nth === 1))
        const end = run(items, (item) => poison.has(item), byChance(seed), 1_500)
        const ended = placesOf([...end.delivered, ...end.dead], items)
        expect(ascending(ended)).toEqual(items.map((_, i) => i))
        for (const customer of new Set(items.map(({ element }) => element.customer))) {
          const own = end.delivered.filter(({ element }) => element.customer === customer)
          const delivered = placesOf(own, items)
          expect(delivered).toEqual(ascending(delivered))
        }
      }),
      { numRuns: 200 },
    )
  })

  test('what shares an element with poison is delivered, in order, and only poison is not', () => {
    let cases = 0
    let joined = 0
    fc.assert(
      fc.property(streams, fc.nat(), fc.integer({ min: 2, max: 9 }), (stream, seed, nth) => {
        const items = itemsOf(waitingIn(stream))
        cases += 1
        joined += batchOf(items, LIMITS, new Shapes([])).saved.users
        const poison = items.filter((_, i) => i % nth === 1)
        const fates = byChance(seed)
        const next = () => (fates() === 'retry' ? 'probe' : 'deliver')
        const end = run(items, (item) => poison.includes(item), next)
        expect(ascending(placesOf(end.dead, items))).toEqual(placesOf(poison, items))
        expect(end.delivered).toHaveLength(items.length - poison.length)
        for (const customer of new Set(stream.map((element) => element.customer))) {
          const own = (list: readonly Item[]) => list.filter((i) => i.element.customer === customer)
          const good = own(items).filter((item) => !poison.includes(item))
          expect(placesOf(own(end.delivered), items)).toEqual(placesOf(good, items))
        }
      }),
      { numRuns: 500 },
    )
    expect(joined).toBeGreaterThan(0.6 * cases)
  })

  test('only poison is dead-lettered', () => {
    fc.assert(
      fc.property(partitions, fc.integer({ min: 2, max: 30 }), (specs, nth) => {
        const items = windowsOf(specs).flatMap((window) =>
          window.chunks.flatMap((chunk) =>
            chunk.elements.map((element, index) => ({ window, chunk, index, element })),
          ),
        )
        const poison = items.filter((_, i) => i % nth === 0)
        const end = run(
          items,
          (item) => poison.includes(item),
          () => 'deliver',
        )
        expect(ascending(placesOf(end.dead, items))).toEqual(placesOf(poison, items))
      }),
      { numRuns: 200 },
    )
  })

  test('what another worker owns now is forgotten, also in the middle of a search', () => {
    const windows = windowsOf([
      [[0, 1, 2, 3].map((customer) => ({ customer, kind: 'event' as const, bytes: 20, cost: 1 }))],
      [[0, 1].map((customer) => ({ customer, kind: 'event' as const, bytes: 20, cost: 1 }))],
    ])
    const items = windows.flatMap((window) =>
      window.chunks.flatMap((chunk) =>
        chunk.elements.map((element, index) => ({ window, chunk, index, element })),
      ),
    )
    const plan = new DeliveryPlan(batchOf(items, LIMITS, new Shapes([])), () => LIMITS)
    plan.refused(null)
    plan.delivered()
    const sent = items.slice(0, 3)
    plan.drop(({ window }) => window === windows[1])
    const left: Item[] = []
    for (let batch = plan.next(); batch !== null; batch = plan.next()) {
      left.push(...batch.items)
      plan.delivered()
    }
    expect(left).toEqual(items.slice(sent.length, 4))
  })

  test('what was divided for a ceiling is divided again for a lower one, in order', () => {
    fc.assert(
      fc.property(partitions, fc.integer({ min: 200, max: 2_000 }), (specs, ceiling) => {
        const items = windowsOf(specs).flatMap((window) =>
          window.chunks.flatMap((chunk) =>
            chunk.elements.map((element, index) => ({ window, chunk, index, element })),
          ),
        )
        const plan = new DeliveryPlan(batchOf(items, LIMITS, new Shapes([])), () => LIMITS)
        plan.splitToBytes(ceiling * 2)
        const sent: unknown[] = []
        for (;;) {
          plan.splitToBytes(ceiling)
          const batch = plan.next()
          if (batch === null) break
          expect(batch.bodyBytes <= ceiling || batch.items.length === 1).toBe(true)
          sent.push(...batch.items.map(({ element }) => element))
          plan.delivered()
        }
        expect(sent).toEqual(items.map(({ element }) => element))
      }),
    )
  })

  test('a request that is dearer than it may be is split between customers', () => {
    fc.assert(
      fc.property(partitions, fc.integer({ min: 1, max: 20 }), (specs, events) => {
        const items = windowsOf(specs).flatMap((window) =>
          window.chunks.flatMap((chunk) =>
            chunk.elements.map((element, index) => ({ window, chunk, index, element })),
          ),
        )
        const most = { users: 2, events, devices: 0 }
        const plan = new DeliveryPlan(batchOf(items, LIMITS, new Shapes([])), () => LIMITS)
        const seen = new Set<string>()
        for (;;) {
          plan.splitToCost(most)
          const batch = plan.next()
          if (batch === null) break
          const customers = new Set(batch.items.map(({ element }) => element.customer))
          // No one is in two requests, and only one customer's run may be dearer.
          for (const customer of customers) expect(seen.has(customer)).toBe(false)
          for (const customer of customers) seen.add(customer)
          const fits = batch.cost.users <= most.users && batch.cost.events <= most.events
          expect(fits || customers.size === 1).toBe(true)
          plan.delivered()
        }
        expect(seen.size).toBe(new Set(items.map(({ element }) => element.customer)).size)
      }),
    )
  })

  /** Events of 50 bytes or so, one of each of these customers. */
  const eventsOf = (...customers: number[]): Item[] => {
    const chunk = customers.map((customer) => {
      return { customer, kind: 'event' as const, bytes: 20, cost: 1 }
    })
    return windowsOf([[chunk]]).flatMap(itemsOf)
  }
  const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)
  const flightOf = (items: readonly Item[]) => {
    const plan = new DeliveryPlan(batchOf(items, LIMITS, new Shapes([])), () => LIMITS)
    const places = () => placesOf(plan.next()?.items ?? [], items)
    return { plan, places }
  }
  const bytesOf = (items: readonly Item[]) => batchOf(items, LIMITS, new Shapes([])).bodyBytes

  test('a lone element that is refused is the one to blame, at once', () => {
    const items = eventsOf(0)
    const { plan } = flightOf(items)
    expect(plan.refused(null)).toBe(items[0])
    expect(plan.next()).toBeNull()
  })

  test('no element is to blame while a group is refused', () => {
    const items = eventsOf(0, 1, 2, 3)
    const { plan, places } = flightOf(items)
    expect(plan.refused(null)).toBeNull()
    expect(places()).toEqual([0, 1])
    expect(plan.refused(null)).toBeNull()
    expect(places()).toEqual([0])
    expect(plan.refused(null)).toBe(items[0])
    expect(places()).toEqual([1, 2, 3])
  })

  test('a lone element that is too large is the one to blame, the others continue', () => {
    const items = eventsOf(0, 1, 2)
    const { plan, places } = flightOf(items)
    plan.splitToBytes(1)
    expect(places()).toEqual([0])
    expect(plan.tooLarge(1)).toBe(items[0])
    expect(places()).toEqual([1])
    // Also where it is what a search has come to.
    const searching = flightOf(items)
    searching.plan.refused(null)
    searching.plan.delivered()
    expect(searching.places()).toEqual([2])
    expect(searching.plan.tooLarge(1)).toBe(items[2])
    expect(searching.plan.next()).toBeNull()
  })

  test('a group that is too large is divided by the ceiling, and in any case', () => {
    const items = eventsOf(...upTo(12))
    const small = flightOf(items)
    const quarter = bytesOf(items.slice(0, 3))
    expect(small.plan.tooLarge(quarter)).toBeNull()
    expect(small.places()).toEqual([0, 1, 2])
    const believed = flightOf(items)
    expect(believed.plan.tooLarge(1_000_000)).toBeNull()
    const first = believed.places()
    expect(first.length).toBeGreaterThan(6)
    expect(first.length).toBeLessThan(12)
    expect(bytesOf(items.slice(0, first.length))).toBeLessThanOrEqual(0.75 * bytesOf(items) + 1)
  })

  test('what fits the ceiling to the byte is left together', () => {
    const items = eventsOf(0, 1, 2)
    const fits = flightOf(items)
    fits.plan.splitToBytes(bytesOf(items))
    expect(fits.places()).toEqual([0, 1, 2])
    const over = flightOf(items)
    over.plan.splitToBytes(bytesOf(items) - 1)
    expect(over.places()).toEqual([0, 1])
    const two = flightOf(items)
    two.plan.splitToBytes(bytesOf(items.slice(0, 2)))
    expect(two.places()).toEqual([0, 1])
  })

  test('a search is left alone by ceilings and budgets: its requests are small', () => {
    const items = eventsOf(0, 1, 2, 3)
    const { plan, places } = flightOf(items)
    plan.refused(null)
    plan.splitToBytes(1)
    plan.splitToCost({ users: 0, events: 1, devices: 0 })
    expect(places()).toEqual([0, 1])
    plan.delivered()
    expect(places()).toEqual([2])
  })

  test('a probe carries the customers of the first ten elements, whole, and ends a search', () => {
    const customers = [0, 1, 0, 2, 0, 1, 0, 0, 0, 1, 4, 3, 0, 2, 4]
    const items = eventsOf(...customers)
    const { plan, places } = flightOf(items)
    plan.splitForProbe()
    expect(places()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13])
    plan.delivered()
    expect(places()).toEqual([10, 11, 14])
    plan.delivered()
    expect(plan.next()).toBeNull()
    const searching = flightOf(eventsOf(...upTo(5), ...upTo(5)))
    searching.plan.refused(null)
    searching.plan.delivered()
    searching.plan.splitForProbe()
    expect(searching.places()).toEqual([5, 6, 7, 8, 9])
  })

  test('what is lost ends a search only if it was part of the flight', () => {
    const items = eventsOf(0, 1, 2, 3)
    const { plan, places } = flightOf(items)
    plan.refused(null)
    plan.drop(() => false)
    expect(places()).toEqual([0, 1])
    plan.drop((item) => item === items[3])
    expect(places()).toEqual([0, 1, 2])
    plan.drop(() => true)
    expect(plan.next()).toBeNull()
    const two = flightOf(items)
    two.plan.splitToBytes(bytesOf(items.slice(0, 2)))
    two.plan.drop((item) => item === items[0])
    expect(two.places()).toEqual([1])
    two.plan.delivered()
    expect(two.places()).toEqual([2, 3])
  })

  test('a request that is asked for again is the same one, until the limits change', () => {
    const items = eventsOf(0, 1, 2)
    let limits = LIMITS
    const plan = new DeliveryPlan(batchOf(items, LIMITS, new Shapes([])), () => limits)
    const first = plan.next()
    expect(plan.next()).toBe(first)
    limits = { ...LIMITS }
    const second = plan.next()
    expect(second).not.toBe(first)
    expect(second?.items).toEqual(first?.items)
    plan.splitToBytes(bytesOf(items.slice(0, 2)))
    expect(plan.next()).not.toBe(second)
    expect(plan.next()).toBe(plan.next())
  })
})
