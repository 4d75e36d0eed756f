import fc from 'fast-check'
import { seededRandom } from '@relay/shared/seeded-random.js'
import type { Item } from '../../src/fetch/window.js'
import { batchOf } from '../../src/batch/body.js'
import { Manifest } from '../../src/retry/manifest.js'
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
  const manifest = new Manifest(batchOf(items, LIMITS, true), () => LIMITS)
  const end: End = { delivered: [], dead: [], requests: 0 }
  for (let batch = manifest.next(); batch !== null; batch = manifest.next()) {
    end.requests += 1
    if (end.requests > 20_000) throw new Error('does not end')
    const fate = next()
    if (fate === 'retry') continue
    if (fate === 'probe') {
      manifest.splitForProbe()
      continue
    }
    if (fate === 'dear') {
      manifest.splitToCost({ users: 2, events: 3, devices: 1 })
      continue
    }
    if (batch.bodyBytes > ceiling) {
      const dead = manifest.tooLarge(ceiling)
      if (dead) end.dead.push(dead)
    } else if (batch.items.some(isPoison)) {
      const dead = manifest.refused(null)
      if (dead) end.dead.push(dead)
    } else {
      end.delivered.push(...batch.items)
      manifest.delivered()
    }
  }
  return end
}

describe('what of a flight is still to be sent', () => {
  test('whatever happens, each element ends once, and customers keep their order', () => {
    fc.assert(
      fc.property(partitions, fc.nat(), fc.integer({ min: 2, max: 9 }), (specs, seed, nth) => {
        const items = windowsOf(specs).flatMap((window) =>
          window.chunks.flatMap((chunk) =>
            chunk.elements.map((element, index) => ({ window, chunk, index, element })),
          ),
        )
        const poison = new Set(items.filter((_, i) => i % nth === 1))
        const end = run(items, (item) => poison.has(item), byChance(seed), 1_500)
        expect(new Set([...end.delivered, ...end.dead])).toEqual(new Set(items))
        expect(end.delivered.length + end.dead.length).toBe(items.length)
        for (const { element } of end.delivered) {
          const own = (list: readonly Item[]) =>
            list.map((i) => i.element).filter((e) => e.customer === element.customer)
          const delivered = own(end.delivered)
          expect(delivered).toEqual(own(items).filter((e) => delivered.includes(e)))
        }
      }),
      { numRuns: 200 },
    )
  })

  test('what shares an element with poison is delivered, in order, and only poison is not', () => {
    let joined = 0
    fc.assert(
      fc.property(streams, fc.nat(), fc.integer({ min: 2, max: 9 }), (stream, seed, nth) => {
        const items = itemsOf(waitingIn(stream))
        joined += batchOf(items, LIMITS, true).saved.users
        const poison = items.filter((_, i) => i % nth === 1)
        const fates = byChance(seed)
        const next = () => (fates() === 'retry' ? 'probe' : 'deliver')
        const end = run(items, (item) => poison.includes(item), next)
        expect(new Set(end.dead)).toEqual(new Set(poison))
        expect(end.delivered).toHaveLength(items.length - poison.length)
        for (const customer of new Set(stream.map((element) => element.customer))) {
          const own = (list: readonly Item[]) => list.filter((i) => i.element.customer === customer)
          const good = own(items).filter((item) => !poison.includes(item))
          expect(own(end.delivered)).toEqual(good)
        }
      }),
      { numRuns: 500 },
    )
    expect(joined).toBeGreaterThan(300)
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
        expect(new Set(end.dead)).toEqual(new Set(poison))
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
    const manifest = new Manifest(batchOf(items, LIMITS, true), () => LIMITS)
    manifest.refused(null)
    manifest.delivered()
    const sent = items.slice(0, 3)
    manifest.drop(({ window }) => window === windows[1])
    const left: Item[] = []
    for (let batch = manifest.next(); batch !== null; batch = manifest.next()) {
      left.push(...batch.items)
      manifest.delivered()
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
        const manifest = new Manifest(batchOf(items, LIMITS, true), () => LIMITS)
        manifest.splitToBytes(ceiling * 2)
        const sent: unknown[] = []
        for (;;) {
          manifest.splitToBytes(ceiling)
          const batch = manifest.next()
          if (batch === null) break
          expect(batch.bodyBytes <= ceiling || batch.items.length === 1).toBe(true)
          sent.push(...batch.items.map(({ element }) => element))
          manifest.delivered()
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
        const manifest = new Manifest(batchOf(items, LIMITS, true), () => LIMITS)
        const seen = new Set<string>()
        for (;;) {
          manifest.splitToCost(most)
          const batch = manifest.next()
          if (batch === null) break
          const customers = new Set(batch.items.map(({ element }) => element.customer))
          // Nobody is in two requests, and only one customer's run may be dearer.
          for (const customer of customers) expect(seen.has(customer)).toBe(false)
          for (const customer of customers) seen.add(customer)
          const fits = batch.cost.users <= most.users && batch.cost.events <= most.events
          expect(fits || customers.size === 1).toBe(true)
          manifest.delivered()
        }
        expect(seen.size).toBe(new Set(items.map(({ element }) => element.customer)).size)
      }),
    )
  })
})
