import { systemClock } from '@relay/shared/clock.js'
import type { Roster, SessionCall, SessionStep } from '@relay/shared/queue/deployment.js'
import { lateMarginMs, Session } from '../../src/ownership/session.js'
import { joinedIn, newSessionId, workerOf } from '@relay/shared/queue/session-id.js'

const LEASE_MS = 15_000
const MARGIN_MS = 5_000

interface Call {
  readonly id: string
  readonly step: SessionStep
  readonly replaces: string
  answer(roster?: Partial<Roster>): Promise<void>
  fail(): Promise<void>
}

/** The registry as a script of answers: each call is answered by the test. */
class ScriptedRegistry {
  readonly calls: Call[] = []

  readonly session = ({ id, step, replaces }: SessionCall) =>
    new Promise<Roster>((resolve, reject) => {
      this.calls.push({
        ...{ id, step, replaces },
        answer: (roster) => {
          const redisNowMs = systemClock.nowMs()
          resolve({
            state: 'alive',
            redisNowMs,
            sessions: new Map([[id, redisNowMs + LEASE_MS]]),
            active: new Map(),
            runSinceMs: 0,
            before: [],
            ...roster,
          })
          return turn()
        },
        fail: () => {
          reject(new Error('no answer'))
          return turn()
        },
      })
    })

  get last(): Call {
    const call = this.calls.at(-1)
    if (call === undefined) throw new Error('the registry was not called')
    return call
  }
}

async function turn(): Promise<void> {
  await jest.advanceTimersByTimeAsync(0)
}

let registry: ScriptedRegistry
let run: string
let isDurable: boolean
let reclaims: string[]
let lost: boolean[]
let steps: number[]
let session: Session
let beforeJoin: () => Promise<void>

beforeEach(() => {
  jest.useFakeTimers()
  registry = new ScriptedRegistry()
  run = 'run-1'
  beforeJoin = () => Promise.resolve()
  isDurable = true
  reclaims = []
  lost = []
  steps = []
  session = new Session({
    ...{ worker: 'w', registry, leaseMs: LEASE_MS, marginMs: MARGIN_MS, clock: systemClock },
    runId: () => run,
    beforeWrite: () => () => Promise.resolve(isDurable),
    beforeJoin: (id) => {
      reclaims.push(id)
      return beforeJoin()
    },
    onRoster: (_roster, _askedAtMs, stepMs) => steps.push(stepMs),
    onLost: (wasAlive) => lost.push(wasAlive),
  })
})

afterEach(() => jest.useRealTimers())

async function joined(): Promise<void> {
  void session.start()
  await turn()
  await registry.last.answer()
}

describe('a session', () => {
  it('re-makes its claims before it joins, and holds its lease from when it asked', async () => {
    void session.start()
    await turn()
    expect(reclaims).toEqual([registry.last.id])
    expect(registry.last).toMatchObject({ step: 'join', replaces: '' })
    await jest.advanceTimersByTimeAsync(400)
    expect(session.alive).toBe(false)
    await registry.last.answer()
    expect(session.remainingMs()).toBeCloseTo(LEASE_MS * 0.95 - 400)
    expect(session.sendableMs()).toBeCloseTo(LEASE_MS * 0.95 - 400 - MARGIN_MS)
    expect(workerOf(session.id)).toBe('w')
    expect(joinedIn(session.id, run)).toBe(true)
    expect(joinedIn(session.id, 'run-2')).toBe(false)
  })

  it('asks nothing while the run of Redis is unknown, and joins soon after it is known', async () => {
    run = ''
    void session.start()
    await jest.advanceTimersByTimeAsync(1_000)
    expect(registry.calls).toEqual([])
    run = 'run-1'
    await jest.advanceTimersByTimeAsync(50)
    expect(registry.last.step).toBe('join')
  })

  it('renews after a quarter of the lease, at most 3 s', async () => {
    await joined()
    await jest.advanceTimersByTimeAsync(2_999)
    expect(registry.calls).toHaveLength(1)
    await jest.advanceTimersByTimeAsync(1)
    expect(registry.last).toMatchObject({ step: 'renew', id: session.id })
  })

  it('looks again when another session is about to expire', async () => {
    void session.start()
    await turn()
    const redisNowMs = systemClock.nowMs()
    const sessions = new Map([['other.1@x', redisNowMs + 500]])
    await registry.last.answer({ redisNowMs, sessions })
    await jest.advanceTimersByTimeAsync(530)
    expect(registry.calls).toHaveLength(2)
  })

  it('shares one renewal among calls that overlap', async () => {
    await joined()
    void session.renew()
    void session.renew()
    await turn()
    expect(registry.calls).toHaveLength(2)
  })

  it('tries again within 500 ms when there is no answer, and keeps the lease it has', async () => {
    await joined()
    void session.renew()
    await turn()
    await registry.last.fail()
    expect(session.alive).toBe(true)
    await jest.advanceTimersByTimeAsync(500)
    expect(registry.calls).toHaveLength(3)
  })

  it('does not count on a lease that a failover would forget', async () => {
    isDurable = false
    await joined()
    expect(session.alive).toBe(false)
    isDurable = true
    await jest.advanceTimersByTimeAsync(500)
    await registry.last.answer()
    expect(session.alive).toBe(true)
  })

  it('once run out never comes back, even if Redis still has it', async () => {
    await joined()
    const first = session.id
    const renewal = session.renew()
    await jest.advanceTimersByTimeAsync(LEASE_MS)
    await registry.last.answer()
    await renewal
    // The answer to the renewal of 15 s ago gives nothing.
    expect(session.alive).toBe(false)
    await jest.advanceTimersByTimeAsync(LEASE_MS)
    expect(session.id).not.toBe(first)
    expect(registry.last).toMatchObject({ step: 'join', replaces: first })
    expect(lost).toEqual([false])
  })

  it('that the registry has lost joins at once under a new id', async () => {
    await joined()
    const first = session.id
    void session.renew()
    await turn()
    await registry.last.answer({ state: 'lost' })
    await turn()
    expect(lost).toEqual([true])
    expect(registry.last).toMatchObject({ step: 'join', replaces: first })
    expect(registry.last.id).not.toBe(first)
    await registry.last.answer()
    expect(session.alive).toBe(true)
  })

  it('after a restart of Redis joins at once, also with a renewal in flight', async () => {
    await joined()
    const first = session.id
    void session.renew()
    await turn()
    const old = registry.last
    run = 'run-2'
    void session.rejoin()
    await turn()
    expect(registry.last).toMatchObject({ step: 'join', replaces: first })
    expect(joinedIn(registry.last.id, 'run-2')).toBe(true)
    // An answer to the session that was given up counts for nothing.
    await old.answer()
    expect(session.alive).toBe(false)
    expect(steps).toHaveLength(1)
    await registry.last.answer()
    expect(session.alive).toBe(true)
    expect(lost).toEqual([true])
  })

  it('that is ended while it makes its claims again joins under the newer id only', async () => {
    let makeClaims: () => void = () => undefined
    beforeJoin = () =>
      new Promise((resolve) => {
        makeClaims = resolve
      })
    void session.start()
    await turn()
    const first = session.id
    beforeJoin = () => Promise.resolve()
    void session.rejoin()
    await turn()
    makeClaims()
    await turn()
    expect(registry.calls.map(({ id }) => id)).toEqual([session.id])
    expect(session.id).not.toBe(first)
  })

  it('that Redis restarted under before it had joined replaces none', async () => {
    run = ''
    void session.start()
    await turn()
    run = 'run-1'
    void session.rejoin()
    await turn()
    expect(registry.last).toMatchObject({ step: 'join', replaces: '' })
  })

  it("reports a step of Redis' clock, and none after a restart", async () => {
    await joined()
    void session.renew()
    await turn()
    await registry.last.answer({ redisNowMs: systemClock.nowMs() + 3_600_000 })
    expect(steps[0]).toBe(0)
    expect(steps[1]).toBeGreaterThan(3_500_000)
    run = 'run-2'
    void session.rejoin()
    await turn()
    await registry.last.answer()
    expect(steps[2]).toBe(0)
  })

  it('that leaves is taken out of the registry, and joins no more', async () => {
    await joined()
    const left = session.leave()
    await turn()
    expect(registry.last).toMatchObject({ step: 'leave', id: session.id })
    await registry.last.answer({ state: 'left' })
    await left
    expect(session.alive).toBe(false)
    await session.rejoin()
    await session.renew()
    await jest.advanceTimersByTimeAsync(60_000)
    expect(registry.calls).toHaveLength(2)
  })

  it('that stops while a renewal is open ends when it is answered', async () => {
    await joined()
    void session.renew()
    await turn()
    const stopped = session.stop()
    await registry.last.answer()
    await stopped
    expect(session.alive).toBe(false)
    expect(steps).toHaveLength(1)
  })

  it('that never joined leaves without a call', async () => {
    await session.leave()
    expect(registry.calls).toEqual([])
  })
})

test('attempts end so long before the lease that a late arrival is over by its end, if the lease affords it', () => {
  expect(lateMarginMs(15_000, 5_000)).toBe(5_000)
  expect(lateMarginMs(2_000, 5_000)).toBe(800)
  expect(newSessionId('w', 3, 'r')).toMatch(/^w\.3@[0-9a-f]{8}$/)
})
