import fc from 'fast-check'
import { DeliveryRate, deliverySeconds } from '../src/import/display.js'
import type { WorkspaceView } from '../src/render/status.js'

const WINDOW_MS = 60_000

/** A look every 5 s at an import that sends and a MoEngage that takes so many a second. */
function watch(seconds: number, sentPerSecond: number, takenPerSecond: number): DeliveryRate {
  const rate = new DeliveryRate()
  for (let second = 0; second <= seconds; second += 5) {
    const sent = 100_000 + second * sentPerSecond
    const waiting = Math.max(0, sent - second * takenPerSecond)
    rate.add({ atMs: second * 1000, sent, waiting, windowMs: WINDOW_MS })
  }
  return rate
}

it('is the delivery rate to MoEngage, for any lines sent meanwhile', () => {
  const speed = fc.integer({ min: 1, max: 5_000 })
  fc.assert(
    fc.property(speed, speed, (sent, taken) => {
      const rate = watch(200, sent, taken)
      const isEmpty = 100_000 + 200 * sent <= 200 * taken
      if (isEmpty) expect(rate.perSecond).toBeNull()
      else expect(rate.perSecond).toBeCloseTo(taken)
    }),
  )
})

it('is not known before a budget window is over', () => {
  expect(watch(55, 100, 10).perSecond).toBeNull()
  expect(watch(60, 100, 10).perSecond).toBeCloseTo(10)
})

it('is that of late', () => {
  const rate = watch(300, 1_000, 10)
  for (let second = 305; second <= 400; second += 5) {
    const waiting = 100_000 + 300 * 990 - (second - 300) * 500
    rate.add({ atMs: second * 1000, sent: 400_000, waiting, windowMs: WINDOW_MS })
  }
  expect(rate.perSecond).toBeCloseTo(500)
})

it('is not known where nothing was taken, which says nothing of when it will be', () =>
  expect(watch(200, 1_000, 0).perSecond).toBeNull())

it('decides a forecast where it is less than the budgets allow, and else not', () => {
  const none = { user: 0, event: 0, device: 0, total: 0 }
  const budget = { limit: 6_000, effective: 6_000, used: 0, left: 6_000 }
  const view: WorkspaceView = {
    ...{ app_id: 'APP', state: 'running', mode: 'live', hold: null, slowed: null },
    backlog: { realtime: none, backfill: { ...none, user: 57_000, total: 57_000 } },
    oldest_age_seconds: { realtime: null, backfill: null },
    budgets: { users: budget, events: budget },
    ...{ budget_window_seconds: 60, drain_eta_seconds: 0, dead_letters: {} },
  }
  // 6,000 a minute less the headroom of 5 %: ten minutes.
  expect(deliverySeconds(view, 0)).toBeCloseTo(600)
  expect(deliverySeconds(view, 0, 50)).toBeCloseTo(1_140)
  expect(deliverySeconds(view, 0, 1_000)).toBeCloseTo(600)
})
