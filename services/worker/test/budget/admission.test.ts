import { systemClock } from '@relay/shared/clock.js'
import { NO_COST } from '@relay/shared/budget/cost.js'
import type { Grant, Ledger, Reservation } from '@relay/shared/budget/ledger.js'
import type { Workspace, WorkspaceLimits } from '@relay/shared/config/workspace.js'
import { Admission } from '../../src/budget/admission.js'
import { Reservations } from '../../src/budget/reservations.js'
import type { WorkspaceGate } from '../../src/budget/workspace-gate.js'
import type { AdaptiveLimits } from '../../src/adaptive/adaptive-limits.js'

const cost = { ...NO_COST, users: 3 }
const question = { lane: 'realtime', cost, need: cost, oldestMs: 7, queue: true } as const

/** Answers as set; an Error stands for a Redis that does not answer. */
class FakeLedger {
  grant: Grant | Error = { outcome: 'granted' }
  replies = true
  inUse = NO_COST
  tookMs = 0
  readonly reserved: Reservation[] = []

  async reserve(reservation: Reservation): Promise<Grant> {
    this.reserved.push(reservation)
    await jest.advanceTimersByTimeAsync(this.tookMs)
    if (this.grant instanceof Error) throw this.grant
    return this.grant
  }
  answered = () => this.#reply()
  readonly refunds: string[] = []
  refund = (id: string) => {
    this.refunds.push(id)
    return this.#reply()
  }
  use = () => Promise.resolve({ used: this.inUse, granted: this.inUse, open: NO_COST })

  #reply(): Promise<void> {
    return this.replies ? Promise.resolve() : Promise.reject(new Error('no answer'))
  }
}

class FakeGate {
  version = '4'
  readonly adopted: unknown[] = []
  adopt(stored: unknown): void {
    this.adopted.push(stored)
  }
}

class FakeLearned {
  share = 1
  requestsAtOnce = Infinity
  unitsPerRequest = (limit: number) => limit / 10
}

let ledger: FakeLedger
let gate: FakeGate
let learned: FakeLearned
let reservations: Reservations
let admission: Admission
let limits: WorkspaceLimits
let runId: string
let ids: string[]
let recover: () => Promise<number>

beforeEach(() => {
  jest.useFakeTimers()
  ledger = new FakeLedger()
  gate = new FakeGate()
  learned = new FakeLearned()
  reservations = new Reservations(systemClock)
  ids = []
  limits = {
    usersPerWindow: 100,
    eventsPerWindow: 200,
    devicesPerWindow: null,
    maxBodyBytes: 128_000,
  }
  runId = 'run-1'
  recover = () => Promise.resolve(1_234)
  admission = new Admission({
    ledger: ledger as unknown as Ledger,
    gate: gate as unknown as WorkspaceGate,
    learned: learned as unknown as AdaptiveLimits,
    reservations,
    clock: systemClock,
    workspace: () => ({ limits }) as unknown as Workspace,
    windowMs: 60_000,
    requestTimeoutMs: 10_000,
    arrivalGraceMs: 5_000,
    backfillFloor: 0.1,
    runId: () => runId,
    newId: () => ids.shift() ?? 'id',
    waiter: 'w',
    recover: () => recover(),
  })
})

afterEach(() => jest.useRealTimers())

describe('a request', () => {
  it('must end within its timeout from before the ledger was asked, however slow the ledger', async () => {
    const askedAtMs = systemClock.monotonicMs()
    ledger.tookMs = 3_000
    const deadlineMs = askedAtMs + 10_000
    expect(await admission.ask(question)).toEqual({ outcome: 'granted', id: 'id', deadlineMs })
    expect(reservations.open()).toMatchObject([{ id: 'id', expiresInMs: 75_000 }])
  })

  it('is not placed while the run of Redis is unknown', async () => {
    runId = ''
    expect(await admission.ask(question)).toEqual({ outcome: 'later', waitMs: 250 })
    expect(ledger.reserved).toEqual([])
  })

  it('without an answer is refunded before the next one, for as long as Redis does not confirm that', async () => {
    ledger.grant = new Error('no answer')
    ledger.replies = false
    ids = ['a', 'b', 'c', 'd']
    expect(await admission.ask(question)).toEqual({ outcome: 'later', waitMs: 250 })
    await admission.ask(question)
    // Nothing was sent under them: after a restart of Redis they are not entered again.
    expect(reservations.open()).toEqual([])
    expect(ledger.refunds).toEqual(['a'])
    ledger.replies = true
    ledger.grant = { outcome: 'granted' }
    await admission.ask(question)
    await admission.ask(question)
    expect(ledger.refunds).toEqual(['a', 'a', 'b'])
    expect(reservations.open()).toMatchObject([{ id: 'c' }, { id: 'd' }])
  })

  it('without an answer is remembered a hundred times at most', async () => {
    ledger.grant = new Error('no answer')
    ledger.replies = false
    ids = Array.from({ length: 150 }, (_, i) => `r${i}`)
    for (let i = 0; i < 150; i++) await admission.ask(question)
    ledger.replies = true
    ledger.refunds.length = 0
    await admission.ask(question)
    expect(ledger.refunds).toHaveLength(100)
  })

  it('under another gate adopts that gate and asks again at once', async () => {
    ledger.grant = { outcome: 'gate', version: '5', record: '{}' }
    expect(await admission.ask(question)).toEqual({ outcome: 'later', waitMs: 0 })
    expect(gate.adopted).toEqual([ledger.grant])
    expect(reservations.open()).toEqual([])
  })

  it('waits as long as the recovery of the ledger says, or shortly when that fails', async () => {
    ledger.grant = { outcome: 'recover' }
    expect(await admission.ask(question)).toEqual({ outcome: 'later', waitMs: 1_234 })
    recover = () => Promise.reject(new Error('no answer'))
    expect(await admission.ask(question)).toEqual({ outcome: 'later', waitMs: 250 })
  })

  it('waits shortly for another request that must be answered first', async () => {
    ledger.grant = { outcome: 'later' }
    expect(await admission.ask(question)).toEqual({ outcome: 'later', waitMs: 50 })
  })

  it.each([
    [0, 1],
    [400, 400],
    [30_000, 1_000],
  ])('short of budget for %i ms asks again after %i ms', async (waitMs, askAgainMs) => {
    ledger.grant = { outcome: 'wait', waitMs, allMs: 9, free: cost }
    const short = { outcome: 'short', waitMs: askAgainMs, needMs: waitMs, allMs: 9, free: cost }
    expect(await admission.ask(question)).toEqual(short)
    expect(reservations.open()).toEqual([])
  })

  it('queues under its lane only on request, and passes a learned limit of requests', async () => {
    await admission.ask(question)
    learned.requestsAtOnce = 2
    await admission.ask({ ...question, queue: false })
    expect(ledger.reserved).toMatchObject([
      { waiter: 'w/realtime', requestsAtOnce: 0, gateVersion: '4', openMs: 15_000 },
      { waiter: '', requestsAtOnce: 2 },
    ])
  })
})

describe('a cost', () => {
  it('counts one window more from the answer, whether or not Redis noted it', async () => {
    for (const replies of [true, false]) {
      ledger.replies = replies
      await admission.ask(question)
      await admission.answered('id')
      expect(reservations.open()).toMatchObject([{ expiresInMs: 60_000 }])
    }
  })

  it('is forgotten only when Redis confirms the refund', async () => {
    await admission.ask(question)
    ledger.replies = false
    await admission.refund('id')
    expect(reservations.open()).toHaveLength(1)
    ledger.replies = true
    await admission.refund('id')
    expect(reservations.open()).toEqual([])
  })
})

describe('limits', () => {
  it('follow a changed configuration', async () => {
    expect(admission.perRequest().users).toBe(10)
    limits = { ...limits, usersPerWindow: 50 }
    expect(admission.perRequest().users).toBe(5)
    expect(admission.limits().users).toBe(50)
    await admission.ask(question)
    expect(ledger.reserved[0]?.limits.users).toBe(50)
  })

  it('are used by the fullest budget, without the cost itself and without budgets of nothing', async () => {
    ledger.inUse = { users: 53, events: 20, devices: 0 }
    expect(await admission.usedShare(cost)).toBe(0.5)
    ledger.inUse = NO_COST
    expect(await admission.usedShare(cost)).toBe(0)
  })
})
