import type { Config } from '@relay/shared/config/environment.js'
import type { Workspace, WorkspaceMode } from '@relay/shared/config/workspace.js'
import type { Mode } from '@relay/shared/gate/gate-state.js'
import type { LogFields, Logger } from '@relay/shared/observability/logger.js'
import type { Layout } from '@relay/shared/queue/layout.js'
import { WindowMemory } from '../src/fetch/loader.js'
import { PartitionWindow } from '../src/fetch/window.js'
import { WorkspaceService, type Recovery, type WorkspaceStores } from '../src/workspace-service.js'
import {
  accept,
  clock,
  event,
  FakeSender,
  Heart,
  noAnswer,
  pass,
  refusal,
  sentIn,
  sleep,
  turn,
  workspaceOf,
} from './support/fakes.js'
import type { PartitionSpec } from './support/windows.js'

const config = {
  ...{ partitions: 1, lingerMs: 100, coalesce: true, backfillFloorPercent: 10 },
  ...{ requestTimeoutMs: 10_000, arrivalGraceMs: 5_000, budgetWindowMs: 60_000 },
  ...{ leaseMs: 15_000, durability: 'process', maxAgeMs: null },
} as unknown as Config

let heart: Heart
let layout: Layout
let senders: FakeSender[]
let accounts: string[]
let logged: string[]
let loggedFields: LogFields[]
let plans: (() => WorkspaceMode)[]
let run: string
let recovery: Recovery | null
let refreshed: () => void
let shadowed: number
let idle: string[]
let service: WorkspaceService

beforeEach(() => {
  jest.useFakeTimers()
  jest.advanceTimersByTime(1_000)
  heart = new Heart()
  layout = { generation: 0, partitions: 1, mode: 'live', next: null, draining: [], previous: [] }
  senders = []
  accounts = []
  logged = []
  loggedFields = []
  plans = []
  run = 'run 1'
  recovery = { workers: ['me', 'other'], runMs: 1e9, ended: () => ['late'] }
  refreshed = () => undefined
  shadowed = 0
  idle = []
})

afterEach(async () => {
  heart.redis.isAway = false
  for (const sender of senders) {
    sender.answer ??= accept
    while (sender.openRequests > 0) await sender.reply(accept())
  }
  void service.stop(0)
  await pass(10_000)
  jest.useRealTimers()
})

const stored = <T>(value: () => T) => heart.redis.reply(value)

function storesOf(mode: () => WorkspaceMode): WorkspaceStores {
  plans.push(mode)
  const change = (next: Partial<Layout>) =>
    stored(() => {
      layout = { ...layout, ...next }
      return layout
    })
  const stores = {
    ledger: heart.ledger,
    gate: heart.gates,
    learned: heart.learnedStore,
    counts: heart.counts,
    layouts: {
      get: () => change({}),
      plan: () => change({}),
      flip: () => change({ next: null }),
      drained: () => change({ draining: [] }),
    },
    keysOf: () => ({
      close: () => stored(() => undefined),
      isDrained: () => stored(() => heart.waiting.length === 0),
      forget: () => stored(() => undefined),
    }),
    shadowReport: {
      packed: (elements: number) =>
        stored(() => {
          shadowed += elements
        }),
    },
  }
  return stores as unknown as WorkspaceStores
}

function start(workspace: Workspace = workspaceOf(), given: Partial<Config> = {}): void {
  const log =
    (level: string) =>
    (message: string, fields: LogFields = {}) => {
      logged.push(`${level}: ${message}`)
      loggedFields.push(fields)
    }
  service = new WorkspaceService({
    config: { ...config, ...given },
    workspace,
    newStores: storesOf,
    ...{ clock, random: { next: () => 0, bytes: (n) => Buffer.alloc(n, senders.length) } },
    log: { info: log('info'), warn: log('warn'), error: log('error') } as unknown as Logger,
    ...{ observer: heart.observer, settler: heart.settler, deadLetters: heart.letters },
    ...{ trace: heart.trace, memory: new WindowMemory(1e6), inFlight: heart.inFlight },
    ...{ erasures: heart.erasures, worker: 'me', sleep },
    newSender: ({ apiKey }) => {
      accounts.push(apiKey)
      senders.push(new FakeSender())
      return senders.at(-1)!
    },
    redisNowMs: () => clock.nowMs(),
    sendableMs: () => heart.sendableMs,
    runId: () => run,
    refreshRun: () => {
      refreshed()
      return Promise.resolve()
    },
    recovery: () => recovery,
    onIdle: ({ tag }) => idle.push(tag),
  })
}

/** Gives partitions with these chunks to the service. */
function serve(...specs: readonly PartitionSpec[]): PartitionWindow[] {
  return heart.owned(...specs).map(({ tag, partition, claim }) => {
    const window = new PartitionWindow(tag, partition, claim)
    service.serve(window, heart.queues.get(tag)!.asQueue)
    return window
  })
}

const sent = () => senders.flatMap(({ bodies }) => bodies.map(sentIn))

const held = (given: object = {}) =>
  ({
    ...{ state: 'held', reason: 'unavailable', sinceMs: 0, probe: null, probeIntervalMs: 60_000 },
    nextProbeAtMs: clock.nowMs() + 60_000,
    ...given,
  }) as unknown as Mode

describe('a workspace', () => {
  it('is served once its layout is known, which Redis may not tell at first', async () => {
    heart.redis.isAway = true
    start()
    serve([[event(1)]])
    await pass(1_000)
    expect(sent()).toEqual([])
    heart.redis.isAway = false
    await pass(1_000)
    expect(sent()).toEqual([['1:1']])
    expect(idle).not.toEqual([])
  })

  it('is not served in a partition that was forgotten', async () => {
    start()
    const [window] = serve([[event(1)]])
    service.drop(window!)
    await pass(1_000)
    expect(sent()).toEqual([])
  })

  it('learns of changes that others announce, and of those whose announcement was lost', async () => {
    start()
    await turn()
    heart.gates.set(held())
    service.heard('gate')
    service.heard('learned')
    service.heard('layout')
    service.heard('something newer')
    await turn()
    expect(service.gate.gate.mode.state).toBe('held')
    heart.redis.isAway = true
    await service.refreshGate()
    await service.refreshLearned()
    expect(service.gate.gate.mode.state).toBe('held')
  })

  it('sends elements of its shadow time to no one, and counts them', async () => {
    layout = { ...layout, mode: 'shadow' }
    start(workspaceOf({ mode: 'shadow' }))
    serve([[event(1), event(2)]])
    await pass(1_000)
    expect([sent(), shadowed, heart.waiting]).toEqual([[], 2, []])
    expect(heart.observer.lines).toEqual(['shadowed 2'])
    expect(plans[0]?.()).toBe('shadow')
  })

  it('reports a limit that MoEngage advertises, and a dead letter of an old element', async () => {
    heart.maxAgeMs = 1_000
    jest.setSystemTime(3_000)
    start(workspaceOf({ coalesce: false }), { maxAgeMs: 1_000 })
    serve([[event(1)]])
    await turn()
    expect(heart.observer.lines).toEqual(['dead-lettered event expired'])
    jest.setSystemTime(1_500)
    const rateLimit = { limit: '77', remaining: '70', reset: '1' }
    senders[0]!.answer = () => {
      return { ...accept(), headers: { retryAfter: null, date: null, rateLimit } } as never
    }
    serve([[event(2)]])
    await turn()
    expect(heart.observer.lines).toContain('advertised 77')
  })

  it("holds a customer back that is near MoEngage's policy", async () => {
    recovery = null
    heart.counts.refused.add('0-1')
    start(workspaceOf({ customerLimits: [{ units: 50, windowMs: 60_000 }] }))
    serve([[event(1), event(2)]])
    await turn()
    expect(sent()).toEqual([['2:2']])
    expect(heart.observer.lines).toContain('held 0-1')
  })

  it('has its waiting requests look again when another one has found the size of a body', async () => {
    start()
    await turn()
    heart.learnedStore.records.ceiling = JSON.stringify({
      ...{ version: 1, bytes: 9_000, acceptedBytes: 0, refusedBytes: 9_500 },
      ...{ raiseAtMs: 1, raiseIntervalMs: 1 },
    })
    await service.refreshLearned()
    senders[0]!.answer = null
    const big = Array.from({ length: 4 }, (_, n) => event(n, { bytes: 1_200 }))
    serve([big], [big])
    await pass(500)
    expect(senders[0]!.openRequests).toBe(1)
    await senders[0]!.reply(accept())
    await turn()
    expect(sent().length).toBeGreaterThan(1)
  })
})

describe('a change of the gate', () => {
  it('is logged once as an error when the workspace is held, and wakes the requests that wait', async () => {
    start()
    senders[0]!.answer = () => refusal(401, 'AuthenticationRequired')
    serve([[event(1)]])
    await turn()
    expect(logged.filter((line) => line.startsWith('error'))).toHaveLength(1)
    expect(loggedFields[logged.findIndex((line) => line.startsWith('error'))]).toMatchObject({
      ...{
        meaning: expect.any(String) as unknown,
        next: expect.stringContaining('relay check --credentials') as unknown,
      },
    })
    heart.gates.set(held({ reason: 'account_refused' }))
    await service.refreshGate()
    expect(logged.filter((line) => line.startsWith('error'))).toHaveLength(1)
    heart.gates.set({ state: 'open' }, true)
    await service.refreshGate()
    heart.gates.set(held({ reason: 'account_refused' }))
    await service.refreshGate()
    heart.gates.set({ state: 'open' })
    senders[0]!.answer = accept
    await service.refreshGate()
    await turn()
    const others = logged.filter((line) => line.startsWith('info: '))
    const ended = 'info: workspace is no longer held: relay sends again'
    expect(others.slice(-2)).toEqual(['info: gate changed', ended])
    expect(heart.waiting).toEqual([])
  })

  it('to everything refused forgets earlier acceptances, and one back counts as an acceptance', async () => {
    start()
    senders[0]!.answer = () => refusal(400, 'SomethingNew')
    serve([[event(1)]])
    await pass(700)
    expect(service.gate.gate.mode).toMatchObject({ reason: 'everything_refused' })
    expect(heart.letters.all).toEqual([])
    // Another worker's request was accepted: the element that is refused again at once is at fault.
    heart.gates.set({ state: 'open' })
    await service.refreshGate()
    await pass(1_000)
    expect(heart.letters.all).toHaveLength(1)
  })
})

describe('a changed configuration', () => {
  it('of the account is tried at once over new connections; requests in flight keep theirs', async () => {
    start()
    heart.gates.set(held())
    await service.refreshGate()
    serve([[event(1)]])
    await turn()
    await service.reconfigure(workspaceOf({ apiKey: 'new key' }))
    await turn()
    expect(accounts).toEqual(['key', 'new key'])
    expect(senders.map(({ bodies }) => bodies.length)).toEqual([0, 1])
    await pass(9_999)
    expect(senders[0]?.isClosed).toBe(false)
    await pass(1)
    expect([senders[0]?.isClosed, senders[1]?.isClosed]).toEqual([true, false])
  })

  it('of the account counts although Redis is away: it is tried as soon as Redis is back', async () => {
    start()
    heart.gates.set(held())
    await service.refreshGate()
    serve([[event(1)]])
    await turn()
    heart.redis.isAway = true
    await service.reconfigure(workspaceOf({ baseUrl: 'http://elsewhere.example' }))
    expect(accounts).toHaveLength(2)
    heart.redis.isAway = false
    await service.refreshGate()
    await pass(1_000)
    expect(senders.map(({ bodies }) => bodies.length)).toEqual([0, 1])
    const { writes } = heart.gates
    await service.refreshGate()
    expect(heart.gates.writes).toBe(writes)
  })

  it('of the limits keeps the connections and counts from the next request', async () => {
    start()
    await turn()
    const limits = { ...workspaceOf().limits, eventsPerWindow: 7 }
    await service.reconfigure(workspaceOf({ limits }))
    serve([[event(1)]])
    await turn()
    expect(accounts).toHaveLength(1)
    expect(heart.ledger.reserved[0]?.limits.events).toBe(7)
    expect(service.workspace.limits).toBe(limits)
  })

  it('of the mode is submitted to Redis', async () => {
    start()
    await turn()
    await service.reconfigure(workspaceOf({ mode: 'shadow' }))
    expect(logged).toContain('info: mode changed')
    expect(plans[0]?.()).toBe('shadow')
  })
})

describe('the recovery of the budgets after a restart of Redis', () => {
  const recovering = { outcome: 'recover' } as const

  it('waits while the run of Redis or its workers are unknown', async () => {
    start()
    run = ''
    expect(await service.recover()).toBe(100)
    run = 'run 1'
    recovery = null
    expect(await service.recover()).toBe(100)
    expect(heart.ledger.recoveries).toEqual([])
  })

  it('enters own reservations, and names every worker while their reservations can count', async () => {
    start()
    serve([[event(1)]])
    await turn()
    expect(await service.recover()).toBe(0)
    recovery = { workers: ['me', 'other'], runMs: 1, ended: (ms) => [`ended within ${ms}`] }
    await service.recover()
    const [old, young] = heart.ledger.recoveries
    expect(old).toMatchObject({ workers: ['me'], ended: [], own: [{ lane: 'realtime' }] })
    expect(young).toMatchObject({ workers: ['me', 'other'], ended: ['ended within 75000'] })
  })

  it('counts a whole lease more where a former master may still serve a worker', async () => {
    start(workspaceOf(), { durability: 'replica' })
    await service.recover()
    expect(heart.ledger.recoveries[0]?.countsMs).toBe(90_000)
  })

  it('is logged once when it takes long, and again after it has ended', async () => {
    start()
    heart.ledger.recoversInMs = 74_999
    expect(await service.recover()).toBe(100)
    expect(logged).toEqual([])
    heart.ledger.recoversInMs = 60_000
    await service.recover()
    await service.recover()
    expect(logged).toHaveLength(1)
    heart.ledger.recoversInMs = null
    await service.recover()
    heart.ledger.recoversInMs = 50
    expect(await service.recover()).toBe(50)
    expect(logged).toHaveLength(2)
  })

  it('begins with a look at the run of Redis: the ledger or this worker may know the newer one', async () => {
    start()
    heart.ledger.grants.push(recovering, recovering)
    refreshed = () => {
      run = 'run 2'
    }
    serve([[event(1)]])
    await turn()
    expect(heart.ledger.reserved.map(({ runId }) => runId)).toEqual(['run 1', 'run 2', 'run 2'])
    expect(heart.ledger.recoveries).toHaveLength(1)
    expect(heart.waiting).toEqual([])
  })
})

describe('a service that stops', () => {
  it('waits for the answers of its requests, then closes its connections', async () => {
    start()
    senders[0]!.answer = null
    serve([[event(1)]])
    await turn()
    let hasStopped = false
    void service.stop(5_000).then(() => {
      hasStopped = true
    })
    await turn()
    expect(hasStopped).toBe(false)
    await senders[0]!.reply(accept())
    expect([hasStopped, senders[0]?.isClosed, heart.waiting]).toEqual([true, true, []])
  })

  it('ends requests without an answer after the time it was given', async () => {
    start()
    senders[0]!.answer = (_body, { signal }) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve(noAnswer('aborted')))
      })
    serve([[event(1)]])
    await turn()
    const stopped = service.stop(2_000)
    await pass(2_000)
    await stopped
    expect(heart.waiting).toEqual(['0'])
  })
})
