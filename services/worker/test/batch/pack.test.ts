import fc from 'fast-check'
import { budgetOf } from '@relay/shared/budget/cost.js'
import { batchOf, writeBody } from '../../src/batch/body.js'
import { isCrowded, pack, type PackLimits } from '../../src/batch/pack.js'
import { Shapes } from '../../src/batch/shape.js'
import type { Item, PartitionWindow } from '../../src/fetch/window.js'
import { partitions, windowsOf } from '../support/windows.js'

const acceptedAtMs = ({ chunks }: PartitionWindow) =>
  chunks[0]?.elements[0]?.provenance.acceptedAtMs ?? Infinity

const LIMITS = {
  usersPerWindow: 100,
  eventsPerWindow: 100,
  devicesPerWindow: null,
  maxBodyBytes: 128_000,
}
const AMPLE = { users: 1e9, events: 1e9, devices: 1e9 }

const packing = fc.record({
  specs: partitions,
  bodyBytes: fc.integer({ min: 100, max: 6_000 }),
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
    most: AMPLE,
    limits: LIMITS,
    shapes: new Shapes([]),
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
        if (batch.items.length > 1) expect(body.length).toBeLessThanOrEqual(given.bodyBytes)
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
          .sort((a, b) => acceptedAtMs(a) - acceptedAtMs(b))
        if (first === undefined) return
        const bodyBytes = writeBody(pack([first], limitsFrom({ shapes: null }))).length
        const given = { bodyBytes, shapes: null, windowByWindow: true }
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

  test('something is taken whenever something waits, even if it is larger than a body', () => {
    fc.assert(
      fc.property(partitions, fc.integer({ min: 0, max: 500 }), (specs, bodyBytes) => {
        const windows = windowsOf(specs)
        const waits = windows.some(({ chunks }) => chunks.length > 0)
        const { items } = pack(windows, limitsFrom({ bodyBytes }))
        expect(items.length > 0).toBe(waits)
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

  test('an element dearer than any request may be goes alone of its budget rather than never', () => {
    const windows = windowsOf([[[{ customer: 0, kind: 'event', bytes: 20, cost: 5 }]]])
    const shrunk = { users: 1, events: 2, devices: 0 }
    const { items } = pack(windows, limitsFrom({ affordable: shrunk, most: shrunk }))
    expect(items).toHaveLength(1)
  })

  test('what is settled is not packed again, and a batch of items counts as they were packed', () => {
    fc.assert(
      fc.property(packing, ({ specs, ...given }) => {
        const windows = windowsOf(specs)
        const first = pack(windows, limitsFrom(given))
        const again = batchOf(first.items, LIMITS, new Shapes([]))
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

describe('a packed body', () => {
  const one = (customer: number, more: object = {}) => {
    return { customer, kind: 'event' as const, bytes: 20, cost: 1, ...more }
  }
  /** Of which customers the elements are, in the order in which they were taken. */
  const takenOf = (given: Partial<PackLimits>, ...chunks: ReturnType<typeof one>[][]) =>
    pack(windowsOf([chunks]), limitsFrom(given)).items.map(({ element }) => element.customer)
  const bytesOf = (...elements: ReturnType<typeof one>[]) =>
    pack(windowsOf([[elements]]), limitsFrom({})).bodyBytes

  test('is filled to the last byte', () => {
    const bodyBytes = bytesOf(one(0), one(1))
    expect(takenOf({ bodyBytes }, [one(0), one(1), one(2)])).toEqual(['0-0', '0-1'])
    expect(takenOf({ bodyBytes: bodyBytes - 1 }, [one(0), one(1)])).toEqual(['0-0'])
  })

  test('takes the oldest chunk of all windows next', () => {
    const [first, second] = windowsOf([
      [[one(0)], [one(1)]],
      [[one(0)], [one(1)]],
    ])
    const both = [second, first].filter((window) => window !== undefined)
    const taken = pack(both, limitsFrom({})).items.map(({ element }) => element.customer)
    expect(taken).toEqual(['0-0', '0-1', '1-0', '1-1'])
  })

  test('is full after 16 elements in a row that do not fit, and one that fits restarts the count', () => {
    // Elements are numbered in their text: a few bytes for further digits.
    const bodyBytes = bytesOf(one(0), one(1), one(2)) + 10
    const large = (from: number, count: number) =>
      Array.from({ length: count }, (_, i) => one(from + i, { bytes: 400 }))
    const customers = (...rest: ReturnType<typeof one>[]) =>
      takenOf({ bodyBytes }, [one(0), ...rest])
    expect(customers(...large(10, 15), one(1))).toEqual(['0-0', '0-1'])
    expect(customers(...large(10, 16), one(1))).toEqual(['0-0'])
    const twice = customers(...large(10, 15), one(1), ...large(40, 15), one(2))
    expect(twice).toEqual(['0-0', '0-1', '0-2'])
  })

  test('what costs more than is left does not make it full: another budget may still fill it', () => {
    const dear = Array.from({ length: 20 }, (_, i) => one(10 + i, { cost: 5 }))
    const user = one(1, { kind: 'user' })
    const affordable = { users: 9, events: 1, devices: 0 }
    expect(takenOf({ affordable }, [...dear, one(0), user])).toEqual(['0-0', '0-1'])
  })

  test('carries an element dearer than any request may be only as the first of its budget, and with some left', () => {
    const most = { users: 9, events: 2, devices: 0 }
    const dear = one(0, { cost: 5 })
    const affordable = { ...most, events: 1 }
    expect(takenOf({ most, affordable }, [dear, one(1)])).toEqual(['0-0'])
    expect(takenOf({ most, affordable }, [one(1), dear])).toEqual(['0-1'])
    const nothing = { ...most, events: 0 }
    expect(takenOf({ most, affordable: nothing }, [dear])).toEqual([])
    // Just as dear as one may be: it waits for all of that.
    expect(takenOf({ most, affordable }, [one(0, { cost: 2 })])).toEqual([])
  })

  test('holds at most 4,000 elements, however small they are', () => {
    const many = Array.from({ length: 4_001 }, (_, i) => one(i, { bytes: 0 }))
    const batch = pack(windowsOf([[many]]), limitsFrom({ bodyBytes: 10_000_000 }))
    expect(batch.items).toHaveLength(4_000)
    expect(isCrowded(batch)).toBe(true)
    expect(isCrowded(pack(windowsOf([[many.slice(0, 3_999)]]), limitsFrom({ bodyBytes: 1e7 })))).toBe(false) // prettier-ignore
  })
})
