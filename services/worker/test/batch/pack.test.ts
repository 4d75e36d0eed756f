import fc from 'fast-check'
import { budgetOf } from '@relay/shared/budget/cost.js'
import { batchOf, writeBody } from '../../src/batch/body.js'
import { pack, type PackLimits } from '../../src/batch/pack.js'
import type { Item, PartitionWindow } from '../../src/fetch/window.js'
import { partitions, windowsOf } from '../support/windows.js'

const LIMITS = {
  usersPerWindow: 100,
  eventsPerWindow: 100,
  devicesPerWindow: null,
  maxBodyBytes: 128_000,
}
const AMPLE = { users: 1e9, events: 1e9, devices: 1e9 }

const packing = fc.record({
  specs: partitions,
  bodyBytes: fc.integer({ min: 500, max: 6_000 }),
  affordable: fc.record({
    users: fc.integer({ min: 0, max: 40 }),
    events: fc.integer({ min: 0, max: 60 }),
    devices: fc.constant(0),
  }),
  mostWindows: fc.integer({ min: 1, max: 4 }),
  windowByWindow: fc.boolean(),
})

function limitsFrom(given: Partial<PackLimits>): PackLimits {
  return {
    bodyBytes: 128_000,
    affordable: AMPLE,
    effective: AMPLE,
    limits: LIMITS,
    coalesces: true,
    mostWindows: 100,
    windowByWindow: false,
    ...given,
  }
}

/** All waiting items of a customer, in their order; the oracle of order. */
function waitingOf(window: PartitionWindow, customer: string): Item['element'][] {
  return window.chunks.flatMap((chunk) =>
    chunk.elements.filter((e, i) => e.customer === customer && !chunk.isDone(i)),
  )
}

describe('packing', () => {
  test('takes the first elements of each of its customers, without a gap and in order', () => {
    fc.assert(
      fc.property(packing, ({ specs, ...given }) => {
        const windows = windowsOf(specs)
        const { items } = pack(windows, limitsFrom(given))
        const taken = new Map<string, Item[]>()
        for (const item of items) {
          taken.set(item.element.customer, [...(taken.get(item.element.customer) ?? []), item])
        }
        for (const [customer, own] of taken) {
          const window = own[0]?.window
          const waiting = window ? waitingOf(window, customer) : []
          expect(own.map(({ element }) => element)).toEqual(waiting.slice(0, own.length))
        }
      }),
      { numRuns: 500 },
    )
  })

  test('never exceeds the body, the budgets or the number of windows, counted by the byte', () => {
    fc.assert(
      fc.property(packing, ({ specs, ...given }) => {
        const batch = pack(windowsOf(specs), limitsFrom(given))
        const body = writeBody(batch)
        const parsed = JSON.parse(body.toString()) as { type: string; elements: unknown[] }
        expect(parsed.type).toBe('transition')
        expect(parsed.elements).toHaveLength(batch.items.length)
        expect(batch.bodyBytes).toBe(body.length)
        if (batch.items.length > 0) expect(body.length).toBeLessThanOrEqual(given.bodyBytes)
        const spent = { users: 0, events: 0, devices: 0 }
        for (const { element } of batch.items) {
          spent[budgetOf(element.kind, LIMITS)] += element.cost
        }
        expect(batch.cost).toEqual(spent)
        expect(spent.users).toBeLessThanOrEqual(given.affordable.users)
        expect(spent.events).toBeLessThanOrEqual(given.affordable.events)
        const windows = new Set(batch.items.map(({ window }) => window))
        expect(windows.size).toBeLessThanOrEqual(given.mostWindows)
      }),
      { numRuns: 500 },
    )
  })

  test('window by window, no more windows are touched than the body needs', () => {
    fc.assert(
      fc.property(partitions, (specs) => {
        const windows = windowsOf(specs)
        const [first] = windows
          .filter(({ chunks }) => chunks.length > 0)
          .sort((a, b) => a.oldestMs - b.oldestMs)
        if (first === undefined) return
        const bodyBytes = writeBody(pack([first], limitsFrom({ coalesces: false }))).length
        const given = { bodyBytes, coalesces: false, windowByWindow: true }
        const { items } = pack(windows, limitsFrom(given))
        expect(new Set(items.map(({ window }) => window))).toEqual(new Set([first]))
        const all = first.chunks.flatMap(({ elements }) => elements)
        expect(items.map(({ element }) => element)).toEqual(all)
      }),
    )
  })

  test('leaves nothing behind that fits and can be paid for', () => {
    fc.assert(
      fc.property(partitions, (specs) => {
        const windows = windowsOf(specs)
        const waiting = windows.flatMap(({ chunks }) => chunks.flatMap(({ elements }) => elements))
        const batch = pack(windows, limitsFrom({}))
        expect(batch.items).toHaveLength(waiting.length)
      }),
    )
  })

  test('an exhausted budget holds back only its own elements and what is behind them', () => {
    fc.assert(
      fc.property(partitions, (specs) => {
        const windows = windowsOf(specs)
        const { items } = pack(windows, limitsFrom({ affordable: { ...AMPLE, users: 0 } }))
        const taken = new Set(items.map(({ element }) => element))
        for (const window of windows) {
          const blocked = new Set<string>()
          for (const element of window.chunks.flatMap((chunk) => chunk.elements)) {
            if (element.kind !== 'event') blocked.add(element.customer)
            expect(taken.has(element)).toBe(!blocked.has(element.customer))
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  test('an element dearer than a whole limit goes alone of its budget rather than never', () => {
    const windows = windowsOf([[[{ customer: 0, kind: 'event', bytes: 20, cost: 5 }]]])
    const shrunk = { users: 1, events: 2, devices: 0 }
    const { items } = pack(windows, limitsFrom({ affordable: shrunk, effective: shrunk }))
    expect(items).toHaveLength(1)
  })

  test('what is settled is not packed again, and a batch of items counts as they were packed', () => {
    fc.assert(
      fc.property(packing, ({ specs, ...given }) => {
        const windows = windowsOf(specs)
        const first = pack(windows, limitsFrom(given))
        const again = batchOf(first.items, LIMITS, true)
        expect(again).toEqual(first)
        for (const window of windows) {
          window.settle(first.items.filter((item) => item.window === window))
        }
        const taken = new Set(first.items.map(({ element }) => element))
        for (const { element } of pack(windows, limitsFrom({})).items) {
          expect(taken.has(element)).toBe(false)
        }
      }),
      { numRuns: 200 },
    )
  })
})
