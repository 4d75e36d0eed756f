import type { Mode } from '@relay/shared/gate/gate-state.js'
import type { Batch } from '../src/batch/body.js'
import { Flight, type Ticket } from '../src/flight.js'
import type { Open } from '../src/ownership/in-flight.js'
import { deliver } from '../src/pipeline.js'
import {
  accept,
  clock,
  customer,
  event,
  GRACE_MS,
  WINDOW_MS,
  Heart,
  noAnswer,
  notSent,
  pass,
  refusal,
  response,
  sentIn,
  TIMEOUT_MS,
  turn,
  workspaceOf,
} from './support/fakes.js'

let heart: Heart
let hasEnded: boolean

beforeEach(() => {
  jest.useFakeTimers()
  heart = new Heart()
  hasEnded = false
})

afterEach(() => jest.useRealTimers())

/** Starts the flight of a batch, as a lane does. */
function fly(batch: Batch, ticket: Ticket | null = null): Open {
  const open = heart.inFlight.begin(batch.items.map(({ window }) => window.tag))!
  const { budget, delivery, runtime, pause } = heart
  const flight = new Flight({ lane: 'realtime', budget, delivery, runtime }, pause, batch, open)
  void deliver(flight, ticket).finally(() => {
    hasEnded = true
    open.end()
  })
  return open
}

const sent = () => heart.sender.bodies.map(sentIn)
const lines = () => heart.observer.lines
const isDone = () => heart.waiting.length === 0

function closed(state: 'held' | 'retrying' | 'rate_limited', given: object = {}): Mode {
  const base = { state, sinceMs: 0, nextProbeAtMs: clock.nowMs(), probe: null }
  const own = { attempt: 1, probeIntervalMs: 2_000, backoffMs: 1_000, reason: 'unavailable' }
  return { ...base, ...own, ...given } as unknown as Mode
}

async function gateIs(mode: Mode): Promise<void> {
  heart.gates.set(mode)
  await heart.gate.refresh()
}

describe('a batch with a place in the budgets', () => {
  it('is sent, settled, reported and traced, and its cost counts for a window more', async () => {
    const batch = heart.batchOf(event(1), event(2))
    fly(batch, await heart.ticketFor(batch))
    await turn()
    expect(sent()).toEqual([['1:1', '2:2']])
    expect(lines()).toEqual(['attempted delivered', 'delivered 2'])
    expect(heart.ledger.answers).toEqual(['r1'])
    expect(heart.traced).toEqual(['r1 m1 2'])
    expect([isDone(), hasEnded]).toEqual([true, true])
  })

  it('is sent although its learned size cannot be stored', async () => {
    const batch = heart.batchOf(event(1))
    heart.learned.bodyAccepted = () => Promise.reject(new Error('Redis is away'))
    fly(batch, await heart.ticketFor(batch))
    await turn()
    expect([isDone(), hasEnded]).toEqual([true, true])
  })

  it('gives the place back and asks for another when it costs more than was granted', async () => {
    const { limits } = heart.workspace
    const reserve = heart.ledger.reserve
    heart.ledger.reserve = (reservation) => {
      // Devices get a separate budget while the ledger answers.
      heart.workspace = workspaceOf({ limits: { ...limits, devicesPerWindow: 5 } })
      return reserve(reservation)
    }
    fly(heart.batchOf(event(1, { kind: 'device' })))
    await turn()
    expect(heart.ledger.refunds).toEqual(['r1'])
    expect(heart.ledger.reserved.map(({ cost }) => cost)).toEqual([
      { users: 1, events: 0, devices: 0 },
      { users: 0, events: 0, devices: 1 },
    ])
    expect(isDone()).toBe(true)
  })

  it('gives the place and the probe back when all of it belongs to another worker by now', async () => {
    const batch = heart.batchOf(event(1))
    await gateIs(closed('held'))
    await heart.gate.startProbe('p', TIMEOUT_MS)
    const ticket = await heart.ticketFor(batch, { probeId: 'p' })
    batch.items[0]!.window.lost = true
    fly(batch, ticket)
    await turn()
    expect(heart.ledger.refunds).toEqual(['r1'])
    expect(heart.gates.gate.mode).toMatchObject({ state: 'held', probe: null })
    expect([sent(), hasEnded]).toEqual([[], true])
  })
})

describe('the wait for a place in the budgets', () => {
  const SHORT = { outcome: 'wait', waitMs: 800, allMs: 900 } as const

  it('lasts as long as the ledger says, and shorter when something changes', async () => {
    const free = { users: 0, events: 0, devices: 0 }
    heart.ledger.grants.push({ ...SHORT, free }, { ...SHORT, free })
    fly(heart.batchOf(event(1)))
    await pass(799)
    expect(heart.ledger.reserved).toHaveLength(1)
    await pass(1)
    expect(heart.ledger.reserved).toHaveLength(2)
    heart.wake()
    await turn()
    expect(isDone()).toBe(true)
  })

  it('asks again at once when only the gate has changed', async () => {
    heart.gates.set({ state: 'open' })
    heart.ledger.grants.push({ outcome: 'gate', ...heart.gates.stored })
    fly(heart.batchOf(event(1)))
    await turn()
    expect(heart.ledger.reserved.map(({ gateVersion }) => gateVersion)).toEqual(['0', '1'])
    expect(isDone()).toBe(true)
  })

  it('ends when the worker stops, or what is in flight must end, with nothing sent', async () => {
    for (const isStopping of [true, false]) {
      heart = new Heart()
      heart.redis.isAway = true
      fly(heart.batchOf(event(1)))
      await turn()
      heart.isStopping = isStopping
      if (!isStopping) heart.abort.abort()
      heart.wake()
      await pass(1_000)
      expect([hasEnded, sent()]).toEqual([true, []])
      hasEnded = false
    }
  })

  it('continues without elements that exceed the maximum age meanwhile: they become dead letters', async () => {
    heart.maxAgeMs = 1_000
    jest.setSystemTime(1_500)
    const batch = heart.batchOf(event(1), event(2))
    jest.setSystemTime(1_900)
    await gateIs(closed('held', { nextProbeAtMs: clock.nowMs() + 50_000, probeIntervalMs: 60_000 }))
    fly(batch)
    await turn()
    expect(hasEnded).toBe(false)
    // While Redis is away nothing is lost: the dead letters are written again.
    heart.redis.isAway = true
    await pass(1_000)
    heart.redis.isAway = false
    await pass(1_000)
    expect(heart.letters.all.map(({ reason, attempts }) => [reason, attempts])).toEqual([
      ['expired', 0],
      ['expired', 0],
    ])
    expect([sent(), isDone(), hasEnded]).toEqual([[], true, true])
  })
})

describe('a lease', () => {
  it('that ends too soon starts nothing, and nothing is asked for until it is renewed', async () => {
    heart.sendableMs = 99
    fly(heart.batchOf(event(1)))
    await pass(1_000)
    expect([sent(), heart.ledger.reserved]).toEqual([[], []])
    heart.sendableMs = 5_000
    await pass(100)
    expect(isDone()).toBe(true)
  })

  it('bounds an attempt that is open, gives it the time of a renewal, and ends it when it is lost', async () => {
    heart.sender.answer = null
    heart.sendableMs = 5_000
    const batch = heart.batchOf(event(1))
    const atMs = clock.monotonicMs()
    fly(batch, await heart.ticketFor(batch))
    await turn()
    const [request] = heart.sender.requests
    expect(request?.deadlineMonotonicMs).toBe(atMs + 5_000)
    heart.sendableMs = 60_000
    expect(request?.extendedTo?.()).toBe(atMs + TIMEOUT_MS)
    expect(request?.mayFinish()).toBe(true)
    heart.sendableMs = 0
    expect([request?.extendedTo?.(), request?.mayFinish()]).toEqual([-Infinity, false])
  })

  it('of a partition that is lost meanwhile ends the attempt with its elements', async () => {
    heart.sender.answer = null
    const batch = heart.batchOf(event(1))
    fly(batch, await heart.ticketFor(batch))
    await turn()
    batch.items[0]!.window.lost = true
    expect(heart.sender.requests[0]?.mayFinish()).toBe(false)
  })
})

describe('what was delivered', () => {
  const counted = () => heart.observer.lines.filter((line) => !line.startsWith('attempted'))

  it('counts once it is settled', async () => {
    fly(heart.batchOf(event(1), event(2)))
    await turn()
    expect(counted()).toEqual(['delivered 2'])
  })

  it('counts as a possible duplicate, not as delivered, when its partition is lost before the answer', async () => {
    const batch = heart.batchOf(event(1), event(2))
    heart.sender.answer = () => {
      batch.items[0]!.window.lost = true
      return accept()
    }
    fly(batch)
    await turn()
    expect(counted()).toEqual(['possibly duplicated 2', 'delivered 0'])
  })

  it('to the dead letters is not counted when its partition is lost before', async () => {
    const batch = heart.batchOf(event(1))
    heart.sender.answer = () => {
      batch.items[0]!.window.lost = true
      return refusal(400, 'MissingAttributeError')
    }
    fly(batch)
    await turn()
    expect(counted()).toEqual([])
  })
})

describe('a request without an answer', () => {
  it('is repeated, but a later element of its customer waits until MoEngage cannot process it any more', async () => {
    const answers = [() => refusal(400, 'MissingAttributeError'), () => noAnswer('reset')]
    heart.sender.answer = () => (answers.shift() ?? accept)()
    // The first half holds the older element of customer 1, the second half the newer.
    fly(heart.batchOf(event(1), event(2), event(1), event(3)))
    await pass(GRACE_MS - 500)
    expect(sent().slice(1, 3)).toEqual([
      ['1:1', '2:2'],
      ['1:1', '2:2'],
    ])
    expect(sent()).toHaveLength(3)
    await pass(1_500)
    expect(sent().slice(3).flat()).toEqual(['1:3', '3:4'])
    expect(isDone()).toBe(true)
  })
})

describe('an erasure', () => {
  it('removes the customer from the backlog, and is confirmed while the others are sent', async () => {
    const batch = heart.batchOf(event(1), event(2))
    heart.erasureStore.add(batch.items[0]!.window.tag, customer(1))
    await heart.erasures.look()
    fly(batch)
    await turn()
    expect(sent()).toEqual([['2:2']])
    expect(heart.erasureStore.confirmed).toContain('erasure 0')
  })

  it('keeps the last byte of a request back, and is confirmed only after its end', async () => {
    heart.sender.answer = null
    const batch = heart.batchOf(event(1))
    fly(batch, await heart.ticketFor(batch))
    await turn()
    heart.erasureStore.add(batch.items[0]!.window.tag, customer(1))
    await heart.erasures.look()
    expect(heart.sender.requests[0]?.mayFinish()).toBe(false)
    expect(heart.erasureStore.confirmed).toEqual([])
    await heart.sender.reply(notSent('disallowed'))
    await turn()
    expect(heart.erasureStore.confirmed).toEqual(['erasure 0'])
    expect([heart.sender.bodies.length, hasEnded]).toEqual([1, true])
  })

  it('leaves no dead letter of an element that MoEngage refused meanwhile', async () => {
    heart.sender.answer = null
    const batch = heart.batchOf(event(1))
    fly(batch, await heart.ticketFor(batch))
    await turn()
    heart.erasureStore.add(batch.items[0]!.window.tag, customer(1))
    await heart.erasures.look()
    await heart.sender.reply(refusal(400, 'ValueError'))
    await turn()
    expect(heart.letters.all).toEqual([])
    expect([isDone(), hasEnded]).toEqual([true, true])
  })
})

describe("MoEngage's per-customer policy", () => {
  beforeEach(() => {
    heart.workspace = workspaceOf({ customerLimits: [{ units: 50, windowMs: 60_000 }] })
  })

  it('leaves a customer that must wait to a later batch, and sends the others', async () => {
    heart.counts.refused.add(customer(1))
    const batch = heart.batchOf(event(1), event(2))
    fly(batch, await heart.ticketFor(batch))
    await turn()
    expect(sent()).toEqual([['2:2']])
    expect(heart.ledger.refunds).toEqual(['r1'])
    expect(lines()).toContain(`held ${customer(1)}`)
    expect([isDone(), hasEnded]).toEqual([false, true])
  })

  it('sends nothing while Redis does not count', async () => {
    const batch = heart.batchOf(event(1))
    const ticket = await heart.ticketFor(batch)
    heart.redis.isAway = true
    fly(batch, ticket)
    await pass(3_000)
    expect(sent()).toEqual([])
    heart.redis.isAway = false
    await pass(1_000)
    expect(sent()).toEqual([['1:1']])
    expect(heart.counts.settled).toEqual(['answer'])
  })

  it('counts a request that never left no more', async () => {
    const batch = heart.batchOf(event(1))
    heart.sender.answer = () => {
      heart.sender.answer = accept
      return notSent('refused')
    }
    fly(batch, await heart.ticketFor(batch))
    await turn()
    expect(heart.counts.settled).toEqual(['refund'])
  })
})

describe('a body of a size that MoEngage may refuse', () => {
  const BIG = { bytes: 2_300 }

  beforeEach(async () => {
    await heart.learned.bodyRefused(10_000)
  })

  it('is sent by one flight at a time; the others wait until it has its answer', async () => {
    const batch = heart.batchOf(event(1, BIG), event(2, BIG))
    const other = {}
    expect(heart.learned.mayTry(batch.bodyBytes, other)).toBe(true)
    fly(batch, await heart.ticketFor(batch))
    await pass(5_000)
    expect(sent()).toEqual([])
    heart.learned.endTrial(other)
    await turn()
    expect(isDone()).toBe(true)
  })

  it('is left to others when there is no budget for it', async () => {
    const free = { users: 0, events: 0, devices: 0 }
    heart.ledger.grant = { outcome: 'wait', waitMs: 500, allMs: 500, free }
    const batch = heart.batchOf(event(1, BIG), event(2, BIG))
    fly(batch)
    await turn()
    expect(heart.learned.mayTry(batch.bodyBytes, {})).toBe(true)
  })

  it('is divided at a ceiling that was learned since it was made', async () => {
    fly(heart.batchOf(...[1, 2, 3, 4].map((n) => event(n, BIG))))
    await turn()
    expect(sent().flat()).toEqual(['1:1', '2:2', '3:3', '4:4'])
    expect(Math.max(...heart.sender.bodies.map((body) => body.length))).toBeLessThan(5_000)
  })
})

describe('a request to one of several budgets', () => {
  it('made before a 429 is divided between customers by what one request may cost since', async () => {
    heart.workspace = workspaceOf({ limits: { ...heart.workspace.limits, eventsPerWindow: 200 } })
    await heart.learned.rateRefused(clock.nowMs(), 1)
    expect(heart.admission.perRequest().events).toBeLessThan(5)
    fly(heart.batchOf(...[1, 2, 3, 4, 5, 6].map((n) => event(n))))
    await pass(60_000)
    expect(sent().flat()).toEqual(['1:1', '2:2', '3:3', '4:4', '5:5', '6:6'])
    expect(sent().length).toBeGreaterThan(1)
  })
})

describe('an outcome', () => {
  it('of an element refused leads to the one at fault by bisection; the others are delivered in order', async () => {
    heart.sender.answer = (body) =>
      sentIn(body).includes('3:3') ? refusal(400, 'ValueError', 'x') : accept()
    fly(heart.batchOf(...[1, 2, 3, 4].map((n) => event(n))))
    await pass(10_000)
    expect(heart.letters.all.map(({ customer: hex, reason }) => [hex, reason])).toEqual([
      [Buffer.from(customer(3), 'latin1').toString('hex'), 'element_refused'],
    ])
    // All of them, the first half, and the one at fault by itself.
    expect(heart.letters.all[0]?.attempts).toBe(3)
    expect(lines().filter((line) => line.startsWith('delivered'))).not.toEqual([])
    expect([isDone(), hasEnded]).toEqual([true, true])
  })

  it('is buried although Redis was away after the answer: the dead letter first, then out of the queue', async () => {
    heart.sender.answer = () => {
      heart.redis.isAway = true
      return refusal(400, 'ValueError')
    }
    const batch = heart.batchOf(event(1))
    fly(batch, await heart.ticketFor(batch))
    await pass(1_000)
    expect([isDone(), heart.letters.all]).toEqual([false, []])
    heart.redis.isAway = false
    await pass(1_000)
    expect([isDone(), heart.letters.all.length, hasEnded]).toEqual([true, 1, true])
  })

  it('is not waited for by a worker whose flights must end', async () => {
    heart.sender.answer = () => {
      heart.redis.isAway = true
      return refusal(400, 'ValueError')
    }
    const batch = heart.batchOf(event(1))
    fly(batch, await heart.ticketFor(batch))
    await pass(500)
    heart.abort.abort()
    heart.settler.stop()
    await pass(500)
    expect([isDone(), hasEnded]).toEqual([false, true])
  })

  it('of a body that is too large leads to smaller ones, and one element too large becomes a dead letter', async () => {
    heart.sender.answer = (body) => (body.length > 150 ? refusal(413, 'PayloadTooLarge') : accept())
    fly(heart.batchOf(event(1), event(2), event(3, { bytes: 200 })))
    await pass(120_000)
    expect(heart.letters.all.map(({ reason }) => reason)).toEqual(['too_large'])
    expect([isDone(), hasEnded]).toEqual([true, true])
  })

  it('of an element whose size explains no 413 names that reason all the same', async () => {
    heart.sender.answer = (body) =>
      sentIn(body).includes('2:2') ? refusal(413, 'PayloadTooLarge') : accept()
    fly(heart.batchOf(...[1, 2, 3].map((n) => event(n))))
    await pass(120_000)
    expect(heart.letters.all.map(({ reason }) => reason)).toEqual(['too_large'])
  })

  it('of 413 to everything buries nothing, and what it taught is void once something is accepted', async () => {
    const { bodyBytes } = heart.learned
    heart.sender.answer = () => refusal(413, 'PayloadTooLarge')
    fly(heart.batchOf(...[1, 2, 3, 4, 5, 6].map((n) => event(n))))
    await pass(1_000)
    expect(heart.gates.gate.mode).toMatchObject({ state: 'held', reason: 'everything_refused' })
    expect([hasEnded, heart.letters.all]).toEqual([true, []])
    heart.sender.answer = accept
    fly(heart.batchOf(event(7)))
    await pass(120_000)
    expect(heart.gates.gate.mode.state).toBe('open')
    expect(heart.learned.bodyBytes).toBe(bodyBytes)
  })

  it('of a 429 closes the gate for a while, and all workers use less', async () => {
    heart.sender.answer = () => {
      heart.sender.answer = accept
      return response(429, {}, { retryAfter: '3' })
    }
    heart.ledger.inUse = { users: 0, events: 500, devices: 0 }
    const batch = heart.batchOf(event(1))
    fly(batch, await heart.ticketFor(batch))
    await turn()
    expect(heart.gates.gate.mode.state).toBe('rate_limited')
    expect(heart.learned.share).toBeLessThan(1)
    await pass(2_999)
    expect(sent()).toHaveLength(1)
    await pass(1_100)
    expect(sent()).toHaveLength(2)
    expect([heart.gates.gate.mode.state, isDone()]).toEqual(['open', true])
  })

  it('of a 429 counts as one of a full window when the ledger does not say how full it is', async () => {
    heart.ledger.use = () => Promise.reject(new Error('Redis is away'))
    heart.learnedStore.change = () => Promise.reject(new Error('Redis is away'))
    heart.sender.answer = () => {
      heart.sender.answer = accept
      return response(429, {}, { retryAfter: '3' })
    }
    const batch = heart.batchOf(event(1))
    fly(batch, await heart.ticketFor(batch))
    await turn()
    expect(heart.learned.share).toBeCloseTo(0.7)
  })

  it.each([
    ['timeout', 'possibly duplicated 1'],
    ['reset', 'possibly duplicated 1'],
  ] as const)(
    'of an unknown kind (%s) closes the gate, sends the same again and keeps the partition for the grace',
    async (why, line) => {
      heart.sender.answer = () => {
        heart.sender.answer = accept
        return noAnswer(why)
      }
      const batch = heart.batchOf(event(1))
      fly(batch, await heart.ticketFor(batch))
      await turn()
      const { tag } = batch.items[0]!.window
      expect(heart.inFlight.lateMs(tag)).toBe(GRACE_MS)
      expect(lines()).toContain(line)
      // MoEngage may still process it within the grace.
      expect([...heart.ledger.countsMs.values()]).toEqual([WINDOW_MS + GRACE_MS])
      expect(heart.ledger.refunds).toEqual([])
      await pass(2_000)
      expect(sent()).toEqual([['1:1'], ['1:1']])
      expect(isDone()).toBe(true)
    },
  )

  it.each([
    ['refused', ['r1']],
    ['unresolvable', ['r1']],
    ['tls', []],
    ['timeout', []],
  ] as const)('of a request that did not leave (%s) refunds %j', async (why, refunds) => {
    heart.sender.answer = () => {
      heart.sender.answer = accept
      return notSent(why)
    }
    const batch = heart.batchOf(event(1))
    fly(batch, await heart.ticketFor(batch))
    await turn()
    expect(heart.ledger.refunds).toEqual(refunds)
    expect(lines()).not.toContain('possibly duplicated 1')
    await pass(2_000)
    expect(isDone()).toBe(true)
  })

  it('of a request that relay interrupted changes no gate, and the same is sent again', async () => {
    heart.sender.answer = () => {
      heart.sender.answer = accept
      return noAnswer('aborted')
    }
    const batch = heart.batchOf(event(1))
    fly(batch, await heart.ticketFor(batch))
    await turn()
    expect(heart.gates.writes).toBe(0)
    expect([sent().length, isDone()]).toEqual([2, true])
  })

  it('of a request that found every connection in use repeats it when one may be free, not at once', async () => {
    heart.sender.answer = () => notSent('busy')
    const batch = heart.batchOf(event(1))
    fly(batch, await heart.ticketFor(batch))
    await pass(1_000)
    expect(sent().length).toBeLessThanOrEqual(11)
    heart.sender.answer = accept
    heart.wake()
    await turn()
    expect(isDone()).toBe(true)
  })

  it('of a refused account holds the workspace: one flight waits and is sent once a probe is due', async () => {
    heart.sender.answer = () => refusal(401, 'AuthenticationRequired')
    const batch = heart.batchOf(event(1))
    fly(batch, await heart.ticketFor(batch))
    await turn()
    expect(heart.gates.gate.mode).toMatchObject({ state: 'held', reason: 'credentials_refused' })
    heart.sender.answer = accept
    await pass(2_000)
    expect([heart.gates.gate.mode.state, isDone()]).toEqual(['open', true])
  })

  it('is told to the gate again until Redis takes it', async () => {
    heart.sender.answer = () => {
      heart.redis.isAway = true
      return response(503)
    }
    const batch = heart.batchOf(event(1))
    fly(batch, await heart.ticketFor(batch))
    await pass(1_000)
    expect(heart.gates.writes).toBe(0)
    heart.redis.isAway = false
    await pass(300)
    expect(heart.gates.gate.mode).toMatchObject({ state: 'retrying', reason: 'server_error' })
  })
})

describe('a refusal without a reason', () => {
  const unexplained = () => refusal(400, 'SomethingNew')

  it('finds the one element at fault when the others are accepted', async () => {
    heart.sender.answer = (body) => (sentIn(body).includes('2:2') ? unexplained() : accept())
    fly(heart.batchOf(...[1, 2, 3].map((n) => event(n))))
    await pass(30_000)
    expect(heart.letters.all.map(({ reason }) => reason)).toEqual(['element_refused'])
    expect([isDone(), hasEnded]).toEqual([true, true])
  })

  it('of everything holds the workspace, buries nothing, and ends the flight: another one tries', async () => {
    heart.sender.answer = unexplained
    fly(heart.batchOf(event(1), event(2)))
    await pass(30_000)
    expect(heart.gates.gate.mode).toMatchObject({ state: 'held', reason: 'everything_refused' })
    expect(heart.letters.all).toEqual([])
    expect([isDone(), hasEnded]).toEqual([false, true])
  })

  it('is tried with one element alone while everything is refused', async () => {
    await gateIs(closed('held', { reason: 'everything_refused' }))
    heart.sender.answer = () => refusal(400, 'MalformedJSON')
    fly(heart.batchOf(event(1), event(2)))
    await turn()
    expect(sent()).toEqual([['1:1']])
    expect(heart.gates.gate.mode).toMatchObject({ state: 'held', reason: 'everything_refused' })
    expect(hasEnded).toBe(true)
  })
})

describe('while some elements are refused without a reason', () => {
  it('a new element is sent at once, not at the next probe, and its acceptance opens the gate', async () => {
    await gateIs(closed('held', { reason: 'some_refused', nextProbeAtMs: clock.nowMs() + 60_000 }))
    heart.sender.answer = accept
    fly(heart.batchOf(event(1)))
    await turn()
    expect(sent()).toEqual([['1:1']])
    expect(heart.gates.gate.mode.state).toBe('open')
  })
})

describe('a closed gate', () => {
  it('lets one small probe of a held workspace pass, and the rest after its success', async () => {
    await gateIs(closed('held'))
    heart.sender.answer = null
    fly(heart.batchOf(...Array.from({ length: 12 }, (_, n) => event(n % 2, { bytes: 30 + n }))))
    await turn()
    expect(heart.gates.gate.mode).toMatchObject({ probe: { id: 'probe1' } })
    heart.sender.answer = accept
    await heart.sender.reply(accept())
    await turn()
    expect([heart.gates.gate.mode.state, isDone()]).toEqual(['open', true])
  })

  it.each([
    ['the first retries', closed('retrying', { attempt: 3 }), 5_000],
    ['later retries', closed('retrying', { attempt: 4 }), TIMEOUT_MS],
    ['early probes of a hold', closed('held', { probeIntervalMs: 2_000 }), 5_000],
    ['later probes of a hold', closed('held', { probeIntervalMs: 8_000 }), 8_000],
    ['the first request after a 429', closed('rate_limited'), TIMEOUT_MS],
  ])('gives %s so much time: %#', async (_which, mode, timeoutMs) => {
    heart.sender.answer = null
    await gateIs({ ...mode, nextProbeAtMs: clock.nowMs() } as Mode)
    const atMs = clock.monotonicMs()
    fly(heart.batchOf(event(1)))
    await turn()
    expect(heart.sender.requests[0]?.deadlineMonotonicMs).toBe(atMs + timeoutMs)
  })

  it('that opened between the probe and its place gives the request its whole time', async () => {
    heart.sender.answer = null
    await gateIs(closed('retrying'))
    heart.ledger.grants.push({ outcome: 'granted' })
    const ask = heart.admission.ask.bind(heart.admission)
    heart.admission.ask = async (question) => {
      const granted = await ask(question)
      await gateIs({ state: 'open' })
      return granted
    }
    const atMs = clock.monotonicMs()
    fly(heart.batchOf(event(1)))
    await turn()
    expect(heart.sender.requests[0]?.deadlineMonotonicMs).toBe(atMs + TIMEOUT_MS)
  })

  it('whose probe another worker has is looked at again within a second', async () => {
    heart.gates.beforeChange = () => {
      heart.gates.beforeChange = () => undefined
      const expiresAtMs = clock.nowMs() + TIMEOUT_MS
      heart.gates.set(closed('held', { probe: { id: 'x', expiresAtMs, outdated: false } }))
    }
    await gateIs(closed('held'))
    fly(heart.batchOf(event(1)))
    await turn()
    expect(sent()).toEqual([])
    heart.gates.set({ state: 'open' })
    await heart.gate.refresh()
    await turn()
    expect(isDone()).toBe(true)
  })

  it('whose probe was won with a lost reply is passed as soon as Redis answers, not after the time of the probe', async () => {
    await gateIs(closed('held'))
    heart.redis.losesReplies = true
    fly(heart.batchOf(event(1)))
    await pass(100)
    expect(heart.gates.gate.mode).toMatchObject({ probe: { id: 'probe1' } })
    heart.redis.losesReplies = false
    await pass(500)
    expect(isDone()).toBe(true)
  })

  it('gets a probe back whose flight has nothing to send any more, also when its start had no reply', async () => {
    for (const losesReplies of [true, false]) {
      heart = new Heart()
      await gateIs(closed('held'))
      const free = { users: 0, events: 0, devices: 0 }
      heart.ledger.grant = { outcome: 'wait', waitMs: 500, allMs: 500, free }
      heart.redis.losesReplies = losesReplies
      fly(heart.batchOf(event(1)))
      await pass(100)
      expect(heart.gates.gate.mode).toMatchObject({ probe: { id: 'probe1' } })
      heart.redis.losesReplies = false
      heart.isStopping = true
      heart.wake()
      await pass(500)
      expect(heart.gates.gate.mode).toMatchObject({ state: 'held', probe: null })
    }
  })

  it('that does not hear of a probe given back is free again after the time of the probe', async () => {
    await gateIs(closed('held'))
    const free = { users: 0, events: 0, devices: 0 }
    heart.ledger.grant = { outcome: 'wait', waitMs: 500, allMs: 500, free }
    fly(heart.batchOf(event(1)))
    await turn()
    heart.redis.isAway = true
    heart.isStopping = true
    heart.wake()
    await pass(500)
    expect(hasEnded).toBe(true)
    const { mode } = heart.gates.gate
    const expiresAtMs = mode.state === 'open' ? 0 : (mode.probe?.expiresAtMs ?? 0)
    expect(expiresAtMs - clock.nowMs()).toBeLessThanOrEqual(TIMEOUT_MS + 1_000)
  })
})
