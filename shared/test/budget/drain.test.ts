import {
  drainEtaSeconds,
  drainSeconds,
  waitingByBudget,
  type Drain,
} from '../../src/budget/drain.js'

const WINDOW_MS = 60_000
const NOTHING = { users: 0, events: 0, devices: 0 }

function secondsFor(change: Partial<Drain>): number {
  return drainSeconds({
    waiting: NOTHING,
    effective: { users: 1_000, events: 4_000, devices: 0 },
    used: NOTHING,
    windowMs: WINDOW_MS,
    realtime: true,
    ...change,
  })
}

it('elements wait for the budget that pays for them, an event once for each action', () => {
  const limits = { usersPerWindow: 1, eventsPerWindow: 1, maxBodyBytes: 1_000 }
  const waiting = [
    { elements: { user: 1, event: 2, device: 3 }, furtherActions: 6_999 },
    { elements: { user: 2, event: 3, device: 4 }, furtherActions: 0 },
  ]
  expect(waitingByBudget(waiting, { ...limits, devicesPerWindow: null })).toEqual({
    users: 10,
    events: 7_004,
    devices: 0,
  })
  expect(waitingByBudget(waiting, { ...limits, devicesPerWindow: 4 })).toEqual({
    users: 3,
    events: 7_004,
    devices: 7,
  })
})

describe('the backlog is sent', () => {
  it.each<[string, Partial<Drain>, number]>([
    ['at once when there is nothing', {}, 0],
    ['at once when the window has room for it', { waiting: { ...NOTHING, users: 1_000 } }, 0],
    ['by the next window what is over it', { waiting: { ...NOTHING, users: 2_000 } }, 60],
    [
      'later by what is in use',
      { waiting: { ...NOTHING, users: 2_000 }, used: { ...NOTHING, users: 500 } },
      90,
    ],
    [
      'no later than if the window were full, however much of it was used',
      { waiting: { ...NOTHING, users: 2_000 }, used: { ...NOTHING, users: 5_000 } },
      120,
    ],
    ['by the slower budget', { waiting: { users: 2_000, events: 12_000, devices: 0 } }, 120],
    [
      'as backfill with headroom left free and no other free budget',
      { waiting: { ...NOTHING, users: 1_900 }, realtime: false },
      120,
    ],
    [
      'in windows that are as long as they are',
      { waiting: { ...NOTHING, users: 2_000 }, windowMs: 6_000 },
      6,
    ],
    ['as by a limit of one where there is none', { waiting: { ...NOTHING, devices: 3 } }, 180],
  ])('%s', (_, change, seconds) => expect(secondsFor(change)).toBeCloseTo(seconds, 9))
})

it('what MoEngage asked to wait for counts before it; a hold, a pause and no worker are unknown', () => {
  const drain = {
    waiting: { users: 1_500, events: 0, devices: 0 },
    effective: { users: 1_000, events: 4_000, devices: 0 },
    ...{ used: NOTHING, windowMs: WINDOW_MS, realtime: true },
  }
  const well = { sendsInMs: 0, recovers: false, workersAlive: 1 }
  expect(drainEtaSeconds(drain, well)).toBe(30)
  expect(drainEtaSeconds(drain, { ...well, sendsInMs: 600_000 })).toBe(630)
  expect(drainEtaSeconds({ ...drain, waiting: NOTHING }, { ...well, sendsInMs: 600_000 })).toBe(0)
  for (const change of [{ sendsInMs: null }, { recovers: true }, { workersAlive: 0 }]) {
    expect(drainEtaSeconds(drain, { ...well, ...change })).toBeNull()
  }
})
