import * as fc from 'fast-check'
import { FixedWindow, SlidingWindow, WorkspaceBudgets } from '../../src/windows.js'

const steps = fc.array(
  fc.record({ waitMs: fc.integer({ min: 0, max: 40 }), units: fc.integer({ min: 0, max: 9 }) }),
  { maxLength: 80 },
)

function moments(list: readonly { waitMs: number; units: number }[]) {
  let atMs = 1_000
  return list.map(({ waitMs, units }) => ({ atMs: (atMs += waitMs), units }))
}

/** Brute force: the units of one half-open window. */
const sum = (all: readonly { atMs: number; units: number }[], fromMs: number, windowMs: number) =>
  all
    .filter((m) => m.atMs >= fromMs && m.atMs < fromMs + windowMs)
    .reduce((total, m) => total + m.units, 0)

describe('a sliding window', () => {
  test('knows the use of the window that ends now and the peak of all windows', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 100 }), (list, windowMs) => {
        const all = moments(list)
        const window = new SlidingWindow(windowMs)
        all.forEach(({ atMs, units }, i) => {
          window.add(atMs, units)
          const sofar = all.slice(0, i + 1)
          expect(window.used(atMs)).toBe(sum(sofar, atMs - windowMs + 1, windowMs))
        })
        // The fullest window begins at some moment.
        const peaks = all.map(({ atMs }) => sum(all, atMs, windowMs))
        expect(window.peak).toBe(Math.max(0, ...peaks))
      }),
    )
  })

  test('is half-open: units from exactly one window ago no longer count', () => {
    const window = new SlidingWindow(100)
    window.add(0, 5)
    expect(window.used(99.999)).toBe(5)
    expect(window.used(100)).toBe(0)
  })

  test('forgets what is old, so that its memory is bounded', () => {
    const window = new SlidingWindow(10)
    for (let atMs = 0; atMs < 100_000; atMs += 1) window.add(atMs, 1)
    expect(window.used(100_000)).toBe(9)
    expect(window.peak).toBe(10)
  })
})

test('fixed windows begin at multiples of their length', () => {
  const window = new FixedWindow(60_000)
  window.add(59_999, 3)
  expect(window.used(59_999)).toBe(3)
  expect(window.used(60_000)).toBe(0)
})

describe('budgets', () => {
  const limits = { users: 10, events: 20, devices: null }
  const cost = (users: number, events: number, devices = 0) => ({ users, events, devices })

  test('never let a sliding window exceed a limit, and refuse nothing that fits', () => {
    const request = fc.record({
      waitMs: fc.integer({ min: 0, max: 50 }),
      users: fc.integer({ min: 0, max: 6 }),
      events: fc.integer({ min: 0, max: 12 }),
      devices: fc.integer({ min: 0, max: 3 }),
    })
    fc.assert(
      fc.property(fc.array(request, { maxLength: 80 }), (requests) => {
        const budgets = new WorkspaceBudgets(100)
        const taken = { users: [], events: [] } as Record<
          'users' | 'events',
          { atMs: number; units: number }[]
        >
        let atMs = 0
        for (const { waitMs, ...asked } of requests) {
          atMs += waitMs
          const users = asked.users + asked.devices
          const fits =
            sum(taken.users, atMs - 99, 100) + users <= 10 &&
            sum(taken.events, atMs - 99, 100) + asked.events <= 20
          expect(budgets.hasRoom(atMs, asked, limits, 'sliding')).toBe(fits)
          if (!fits) continue
          budgets.accept(atMs, asked, limits)
          taken.users.push({ atMs, units: users })
          taken.events.push({ atMs, units: asked.events })
        }
      }),
    )
  })

  test('count devices as users, unless devices have a budget', () => {
    const shared = new WorkspaceBudgets(100)
    shared.accept(0, cost(4, 0, 5), limits)
    expect(shared.read(0, limits, 'sliding').users.used).toBe(9)
    const own = { ...limits, devices: 5 }
    const apart = new WorkspaceBudgets(100)
    apart.accept(0, cost(4, 0, 5), own)
    expect(apart.read(0, own, 'sliding')).toMatchObject({
      users: { used: 4 },
      devices: { used: 5, limit: 5 },
    })
    expect(apart.hasRoom(0, cost(0, 0, 1), own, 'sliding')).toBe(false)
  })

  test('keep separate peaks of refused and of accepted units', () => {
    const budgets = new WorkspaceBudgets(100)
    budgets.arrive(0, cost(3, 0), limits)
    expect(budgets.read(0, limits, 'fixed').users).toMatchObject({ peak: 0, peakArrived: 3 })
  })
})
