import fc from 'fast-check'
import { budgetNeed } from '../../src/admin/views.js'

const users = (units: number) => ({ users: units, events: 0, devices: 0 })
const WINDOW_MS = 60_000

it('what does not fit into one minute waits for the next', () => {
  // 100 a minute: 250 at once, then nothing for two minutes, then 100.
  const need = budgetNeed('users', [[10, users(250)], [13, users(100)]], 100, WINDOW_MS) // prettier-ignore
  expect(need).toEqual({
    units: 350,
    busiestMinuteUnits: 250,
    busiestMinuteShare: 2.5,
    longestWaitSeconds: 90,
  })
})

it('shorter windows give more in a minute', () => {
  const need = budgetNeed('users', [[1, users(300)]], 100, 20_000)
  expect(need).toMatchObject({ busiestMinuteShare: 1, longestWaitSeconds: 0 })
})

it('as a second computation that goes minute by minute', () => {
  const loads = fc.array(fc.nat(500), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(loads, fc.integer({ min: 1, max: 300 }), (perMinute, limit) => {
      let waiting = 0
      let longest = 0
      for (const units of perMinute) {
        waiting += units
        longest = Math.max(longest, ((waiting - limit) / limit) * 60)
        waiting = Math.max(0, waiting - limit)
      }
      const minutes = perMinute.flatMap((units, i) =>
        units === 0 ? [] : [[i, users(units)] as const],
      )
      const need = budgetNeed('users', minutes, limit, WINDOW_MS)
      expect(need.longestWaitSeconds).toBeCloseTo(Math.max(0, longest), 6)
      expect(need.units).toBe(perMinute.reduce((sum, units) => sum + units, 0))
    }),
  )
})
