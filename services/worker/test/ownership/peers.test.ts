import type { Roster } from '@relay/shared/queue/deployment.js'
import { Peers } from '../../src/ownership/peers.js'
import { newSessionId } from '@relay/shared/queue/session-id.js'

const LEASE_MS = 15_000
const RUN = 'run-2'
const SELF = newSessionId('self', 1, RUN)
const OTHER = newSessionId('other', 1, RUN)
const OTHER_BEFORE = newSessionId('other', 1, 'run-1')

let nowMs: number
const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs }

beforeEach(() => {
  nowMs = 1_000_000
})

function peers(): Peers {
  return new Peers({ clock, leaseMs: LEASE_MS, runId: () => RUN })
}

/** A roster whose sessions have this much of their leases left. */
function roster(leftMs: Record<string, number>): Roster {
  const sessions = new Map(Object.entries(leftMs).map(([id, left]) => [id, 5_000 + left]))
  const run = { runSinceMs: 0, before: [] }
  return { state: 'alive', redisNowMs: 5_000, sessions, active: new Map(), ...run }
}

function aged(): Peers {
  const some = peers()
  nowMs += LEASE_MS
  return some
}

describe('a session may act', () => {
  it('while the registry has it', () => {
    const some = aged()
    some.observe(roster({ [SELF]: LEASE_MS, [OTHER]: 10_000 }), nowMs)
    expect(some.mayAct(OTHER, nowMs - 1)).toBe(true)
    expect([...some.present]).toEqual([SELF, OTHER])
  })

  it('no more once its lease ran out and the registry dropped it', () => {
    const some = aged()
    some.observe(roster({ [OTHER]: 10_000 }), nowMs)
    nowMs += 10_000
    some.observe(roster({}), nowMs)
    expect(some.mayAct(OTHER, nowMs - 1)).toBe(false)
  })

  it('for a whole lease after the registry lost it before its time', () => {
    const some = aged()
    some.observe(roster({ [OTHER]: 10_000 }), nowMs)
    nowMs += 3_000
    some.observe(roster({}), nowMs)
    nowMs += 3_000
    some.observe(roster({}), nowMs)
    nowMs += LEASE_MS - 3_001
    expect(some.mayAct(OTHER, 0)).toBe(true)
    expect(some.nextEndMs([OTHER])).toBe(1)
    nowMs += 1
    expect(some.mayAct(OTHER, 0)).toBe(false)
  })

  it('when its claim was seen after the roster was asked for: only a later roster tells', () => {
    const some = aged()
    some.observe(roster({}), nowMs)
    expect(some.isUnjudged(OTHER, nowMs + 1)).toBe(true)
    expect(some.mayAct(OTHER, nowMs + 1)).toBe(true)
    nowMs += 10
    some.observe(roster({}), nowMs)
    expect(some.isUnjudged(OTHER, nowMs - 9)).toBe(false)
    expect(some.mayAct(OTHER, nowMs - 9)).toBe(false)
  })

  it('for a lease after this process first asked, though no registry ever had it', () => {
    const some = peers()
    some.observe(roster({ [SELF]: LEASE_MS }), nowMs)
    nowMs += LEASE_MS - 1
    expect(some.mayAct('unknown.1@x', 0)).toBe(true)
    nowMs += 1
    expect(some.mayAct('unknown.1@x', 0)).toBe(false)
  })

  it('for a lease after a restart of Redis, which may have forgotten it', () => {
    const some = aged()
    some.observe(roster({}), nowMs)
    expect(some.mayAct('unknown.1@x', 0)).toBe(false)
    some.distrust()
    expect(some.mayAct('unknown.1@x', 0)).toBe(true)
    nowMs += LEASE_MS
    expect(some.mayAct('unknown.1@x', 0)).toBe(false)
  })
})

describe('what Redis says of claims is trusted', () => {
  it('at once by a worker that joins where all have joined in the same run', () => {
    const some = peers()
    some.observe(roster({ [SELF]: LEASE_MS, [OTHER]: LEASE_MS }), nowMs)
    expect(some.trusted).toBe(true)
  })

  it('though a worker of the same run has left since', () => {
    const some = peers()
    some.observe(roster({ [SELF]: LEASE_MS, [OTHER]: LEASE_MS }), nowMs)
    some.observe(roster({ [SELF]: LEASE_MS }), nowMs)
    expect(some.trusted).toBe(true)
  })

  it('after a restart once every worker that was known has joined again', () => {
    const some = aged()
    some.observe(roster({ [OTHER_BEFORE]: 12_000 }), nowMs)
    some.distrust()
    some.observe(roster({ [SELF]: LEASE_MS, [OTHER_BEFORE]: 11_000 }), nowMs)
    expect(some.trusted).toBe(false)
    some.observe(roster({ [SELF]: LEASE_MS, [OTHER]: LEASE_MS }), nowMs)
    expect(some.trusted).toBe(true)
  })

  it('after a restart that forgot a worker once its lease is over', () => {
    const some = aged()
    some.observe(roster({ [OTHER_BEFORE]: 12_000 }), nowMs)
    some.distrust()
    some.observe(roster({ [SELF]: LEASE_MS }), nowMs)
    nowMs += LEASE_MS - 1
    expect(some.trusted).toBe(false)
    expect(some.nextEndMs([])).toBe(1)
    nowMs += 1
    expect(some.trusted).toBe(true)
    expect(some.nextEndMs([])).toBe(Infinity)
  })
})

test('workers that left are known for as long as their requests may count, and no others', () => {
  const some = aged()
  some.observe(roster({ [SELF]: LEASE_MS, [OTHER_BEFORE]: 1_000, 'third.1@x': 1_000 }), nowMs)
  nowMs += 2_000
  // The other has joined again, the third has not.
  some.observe(roster({ [SELF]: LEASE_MS, [OTHER]: LEASE_MS }), nowMs)
  expect(some.endedWithin(75_000)).toEqual(['third'])
  nowMs += 74_000
  expect(some.endedWithin(75_000)).toEqual([])
})

test('sessions that ended long ago are forgotten', () => {
  const some = aged()
  for (let i = 0; i < 1_000; i += 1) {
    some.observe(roster({ [`w${i}.1@x`]: 1 }), nowMs)
    nowMs += LEASE_MS
  }
  // Ten minutes of leases, of more than four hours.
  expect(some.endedWithin(Infinity).length).toBeLessThanOrEqual(41)
})
