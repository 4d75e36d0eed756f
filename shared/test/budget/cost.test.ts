import fc from 'fast-check'
import { budgetOf, effectiveLimits, exceeds, NO_COST, type Budget } from '../../src/budget/cost.js'
import type { Kind } from '../../src/element.js'

const LIMITS = {
  usersPerWindow: 5_000,
  eventsPerWindow: 20_000,
  devicesPerWindow: null,
  maxBodyBytes: 128_000,
}

it.each<[Kind, number | null, Budget]>([
  ['user', null, 'users'],
  ['user', 7, 'users'],
  ['event', null, 'events'],
  ['event', 7, 'events'],
  ['device', null, 'users'],
  ['device', 7, 'devices'],
])('a %s is paid for, with a budget for devices of %j, by %s', (kind, devices, expected) => {
  expect(budgetOf(kind, { ...LIMITS, devicesPerWindow: devices })).toBe(expected)
})

it('a cost exceeds another when it is more of one budget; as much is no more', () => {
  const most = { users: 3, events: 5, devices: 2 }
  expect(exceeds(NO_COST, most)).toBe(false)
  expect(exceeds(most, most)).toBe(false)
  for (const budget of ['users', 'events', 'devices'] as const) {
    expect(exceeds({ ...NO_COST, [budget]: most[budget] + 1 }, most)).toBe(true)
    expect(exceeds({ ...most, [budget]: most[budget] + 1 }, most)).toBe(true)
  }
  expect(NO_COST).toEqual({ users: 0, events: 0, devices: 0 })
})

it('effective limits are the share of each limit, rounded down, and never nothing', () => {
  expect(effectiveLimits(LIMITS, 1)).toEqual({ users: 5_000, events: 20_000, devices: 0 })
  expect(effectiveLimits({ ...LIMITS, devicesPerWindow: 9 }, 0.5)).toEqual({
    users: 2_500,
    events: 10_000,
    devices: 4,
  })
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100_000 }),
      fc.integer({ min: 0, max: 100 }),
      (n, percent) => {
        const { users, events, devices } = effectiveLimits(
          { ...LIMITS, usersPerWindow: n, eventsPerWindow: n, devicesPerWindow: n },
          percent / 100,
        )
        expect([users, events]).toEqual([devices, devices])
        expect(devices).toBeGreaterThanOrEqual(1)
        // Within one unit of the exact share, in integers; below it, unless nothing would be left.
        expect(100 * devices).toBeLessThanOrEqual(Math.max(100, n * percent + 1))
        expect(100 * (devices + 1)).toBeGreaterThan(n * percent - 1)
      },
    ),
  )
})
