import {
  drainEtaSeconds,
  drainSeconds,
  waitingByBudget,
  type Drain,
  type DrainFacts,
} from '../../src/budget/drain.js'
import type { Lane } from '../../src/element.js'
import type { Gate } from '../../src/gate/gate-state.js'

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

describe('the estimate', () => {
  const NOW_MS = 1_000_000
  const lane = (name: Lane, waitedMs: number, events = 6_000) => ({
    ...{ lane: name, elements: { user: 0, event: events, device: 0 }, furtherActions: 0 },
    oldestMs: NOW_MS - waitedMs,
  })
  const open: Gate = { version: 1, mode: { state: 'open' }, paused: false }
  const rateLimited = (untilMs: number): Gate => ({
    ...open,
    mode: {
      state: 'rate_limited',
      sinceMs: NOW_MS,
      nextProbeAtMs: untilMs,
      probe: null,
      backoffMs: 1_000,
    },
  })
  const eta = (change: Partial<DrainFacts>) =>
    drainEtaSeconds({
      limits: {
        usersPerWindow: 1_000,
        eventsPerWindow: 4_000,
        devicesPerWindow: null,
        maxBodyBytes: 1,
      },
      effective: { users: 1_000, events: 4_000, devices: 0 },
      ...{ used: NOTHING, windowMs: WINDOW_MS, gate: open, recovers: false, workersAlive: 1 },
      ...{
        customersHeld: { count: 0 },
        nowMs: NOW_MS,
        lanes: [lane('realtime', 1_000)],
        ...change,
      },
    })

  it('counts what MoEngage asked to wait for before it, unless nothing waits', () => {
    expect(eta({})).toBe(30)
    expect(eta({ gate: rateLimited(NOW_MS + 600_000) })).toBe(630)
    expect(eta({ gate: rateLimited(NOW_MS + 600_000), lanes: [] })).toBe(0)
  })

  it.each<[string, Partial<DrainFacts>]>([
    ['paused', { gate: { ...open, paused: true } }],
    ['the ledger recovers', { recovers: true }],
    ['no worker lives', { workersAlive: 0 }],
    ['elements wait although the budgets have room', { lanes: [lane('realtime', 11_000)] }],
    ['the same in backfill, for longer than its window', { lanes: [lane('backfill', 71_000)] }],
  ])('is unknown: %s', (_, change) => expect(eta(change)).toBeNull())

  it.each<[string, Partial<DrainFacts>, number]>([
    ['the budget is what they wait for', { used: { ...NOTHING, events: 2_000 } }, 60],
    ['MoEngage asked to wait', { gate: rateLimited(NOW_MS + 5_000) }, 35],
    ['they may be those of a held customer', { customersHeld: { count: 1 } }, 30],
  ])('is known of elements that wait for long: %s', (_, change, seconds) =>
    expect(eta({ lanes: [lane('realtime', 11_000)], ...change })).toBe(seconds),
  )

  it('is not shorter than what the oldest element of realtime has waited lately', () => {
    expect(eta({ lanes: [lane('realtime', 7_000, 10)] })).toBe(7)
    expect(eta({ lanes: [lane('backfill', 7_000, 10)] })).toBeLessThan(1)
  })

  it('is known of backfill that is paced over its window', () =>
    expect(eta({ lanes: [lane('backfill', 61_000)] })).not.toBeNull())
})
