import fc from 'fast-check'
import { deliverySeconds, Pace, progressLine } from '../src/import/display.js'
import type { WorkspaceView } from '../src/render/status.js'

const none = { user: 0, event: 0, device: 0, total: 0 }

function view(user: number, event: number, used = 0): WorkspaceView {
  const budget = (limit: number) => ({ limit, effective: limit, used, left: limit - used })
  return {
    app_id: 'APP',
    state: 'running',
    mode: 'live',
    hold: null,
    slowed: null,
    backlog: { realtime: none, backfill: { ...none, user, event, total: user + event } },
    oldest_age_seconds: { realtime: null, backfill: null },
    budgets: { users: budget(1_000), events: budget(4_000) },
    budget_window_seconds: 60,
    drain_eta_seconds: 0,
    dead_letters: {},
  }
}

it('the rate is that of late, and the ETA follows from it', () => {
  const pace = new Pace()
  // 100 lines a second for a minute, then 10.
  let lines = 0
  for (let second = 0; second <= 120; second += 1) {
    pace.add({ share: lines / 10_000, lines, rejected: 0, nowMs: second * 1000 })
    lines += second < 60 ? 100 : 10
  }
  expect(pace.linesPerSecond).toBeCloseTo(10)
  expect(pace.etaSeconds).toBeCloseTo((10_000 - 6_600) / 10)
  const progress = { share: 0.66, lines: 6_600, rejected: 3, nowMs: 120_000 }
  expect(progressLine(progress, pace, 7_200)).toBe(
    '[################........] 66 %  6,600 lines  10/s  ETA 5.7 min  at MoEngage in 2 h  3 refused',
  )
})

it('has no ETA before there is a rate', () => {
  const pace = new Pace()
  const progress = { share: 0.5, lines: 1, rejected: 0, nowMs: 0 }
  pace.add(progress)
  expect(progressLine(progress, pace, null)).toBe('[############............] 50 %  1 line  ETA -')
})

it('delivery takes as many windows as the slower budget needs, less the headroom', () => {
  // 9,500 users at 950 a window.
  expect(deliverySeconds(view(950, 0), 8_550)).toBeCloseTo(10 * 60)
  expect(deliverySeconds(view(0, 0), 0)).toBe(0)
  expect(deliverySeconds({ ...view(1, 0), state: 'held' }, 1)).toBeNull()
  const amount = fc.nat(100_000)
  fc.assert(
    fc.property(amount, amount, amount, (user, event, left) => {
      const more = deliverySeconds(view(user, event), left + 1_000) ?? NaN
      expect(more).toBeGreaterThanOrEqual(deliverySeconds(view(user, event), left) ?? NaN)
    }),
  )
})
