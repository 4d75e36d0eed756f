import type { Mode } from '@relay/shared/gate/gate-state.js'
import type { Batch } from '../src/batch/body.js'
import { itemsOf } from './support/elements.js'
import { Pipeline, type PipelineOptions } from '../src/pipeline.js'
import { WindowMemory } from '../src/fetch/loader.js'
import { PartitionWindow } from '../src/fetch/window.js'
import {
  accept,
  clock,
  customer,
  event,
  type FakeQueue,
  GRACE_MS,
  Heart,
  LINGER_MS,
  noAnswer,
  pass,
  refusal,
  sentIn,
  turn,
  workspaceOf,
} from './support/fakes.js'
import type { PartitionSpec } from './support/windows.js'

const OTHERS = { appId: 'OTHER', lane: 'realtime', generation: 0, index: 0 } as const
const NOTHING_FREE = { users: 0, events: 0, devices: 0 }

let heart: Heart
let lane: Pipeline
let idle: string[]
let mayServe: boolean
let hasStopped: boolean

beforeEach(() => {
  jest.useFakeTimers()
  // A window that became ready at 0 would count as one that is not ready.
  jest.advanceTimersByTime(1_000)
  heart = new Heart()
  heart.onWake = () => lane.wake()
  lane = laneOf()
})

afterEach(async () => {
  heart.abort.abort()
  heart.settler.stop()
  heart.redis.isAway = false
  heart.sender.answer ??= accept
  await heart.sender.reply(accept())
  void lane.stop()
  await pass(5_000)
  jest.useRealTimers()
})

function laneOf(given: Partial<PipelineOptions> = {}): Pipeline {
  idle = []
  mayServe = true
  hasStopped = false
  const { budget, delivery, runtime, inFlight } = heart
  return new Pipeline({
    ...{ lane: 'realtime', budget, delivery, runtime, inFlight },
    memory: new WindowMemory(1_000_000),
    onIdle: ({ tag }) => idle.push(tag),
    mayServe: () => mayServe,
    ...given,
  })
}

/** Gives partitions with these chunks, none of them loaded, to the lane. */
function serve(...specs: readonly PartitionSpec[]): PartitionWindow[] {
  const full = heart.owned(...specs)
  return full.map(({ tag, partition, claim }) => {
    const window = new PartitionWindow(tag, partition, claim)
    lane.serve(window, queueOf(window).asQueue)
    return window
  })
}

const queueOf = ({ tag }: PartitionWindow): FakeQueue => heart.queues.get(tag)!
const sent = () => heart.sender.bodies.map(sentIn)
const many = (n: number, given = {}) => Array.from({ length: n }, (_, i) => event(i, given))

async function gateIs(mode: object): Promise<void> {
  heart.gates.set(mode as Mode)
  await heart.gate.refresh()
}

const held = (inMs: number) => ({
  ...{ state: 'held', reason: 'unavailable', sinceMs: 0, probe: null, probeIntervalMs: 60_000 },
  nextProbeAtMs: clock.nowMs() + inMs,
})

describe('a lane that has data', () => {
  it('sends it at once, and tells when its partitions are idle', async () => {
    void lane.run()
    const [window] = serve([[event(1)], [event(2)]])
    await turn()
    expect(sent()).toEqual([['1:1', '2:2']])
    expect(idle).toContain(window!.tag)
    expect(heart.waiting).toEqual([])
  })

  it('sends half of its partitions at a time when several bodies wait, so that one slow answer stalls few', async () => {
    heart.sender.answer = null
    void lane.run()
    serve(...[0, 1, 2, 3].map(() => [many(12, { bytes: 900 })]))
    await turn()
    expect(heart.sender.openRequests).toBeGreaterThan(1)
    const partitions = heart.sender.bodies.map((body) => {
      return [
        ...new Set((JSON.parse(body) as { elements: { p: number }[] }).elements.map((e) => e.p)),
      ]
    })
    // No partition is in two requests at once.
    expect(new Set(partitions.flat()).size).toBe(partitions.flat().length)
  })

  it('sends elements that arrived during a request after a linger, and a whole body at once', async () => {
    heart.sender.answer = null
    void lane.run()
    serve([[event(1)]])
    await turn()
    const [, second] = heart.owned([[event(1)]], [[event(2)]])
    const late = new PartitionWindow(second!.tag, second!.partition, second!.claim)
    lane.serve(late, queueOf(late).asQueue)
    await pass(LINGER_MS - 1)
    expect(heart.sender.openRequests).toBe(1)
    await pass(1)
    expect(heart.sender.openRequests).toBe(2)
    const [, , third] = heart.owned([], [], [many(10, { bytes: 1_100 })])
    const whole = new PartitionWindow(third!.tag, third!.partition, third!.claim)
    lane.serve(whole, queueOf(whole).asQueue)
    await turn()
    expect(heart.sender.openRequests).toBe(3)
  })

  it('waits for more updates of the same users even when idle, but not for more events', async () => {
    void lane.run()
    serve([[event(1, { kind: 'user' })]])
    await pass(LINGER_MS - 1)
    expect(sent()).toEqual([])
    await pass(1)
    expect(sent()).toEqual([['1:1']])
  })

  it('does not wait for more updates where elements are not coalesced', async () => {
    heart.coalesces = false
    void lane.run()
    serve([[event(1, { kind: 'user' })]])
    await turn()
    expect(sent()).toEqual([['1:1']])
  })
})

describe('a partition', () => {
  it.each(['lost', 'retiring'] as const)('that is %s is not served', async (flag) => {
    const [window] = serve([[event(1)]])
    window![flag] = true
    void lane.run()
    await pass(2_000)
    expect([sent(), queueOf(window!).peeks]).toEqual([[], 0])
  })

  it('of a newer generation is served once it may be', async () => {
    mayServe = false
    void lane.run()
    serve([[event(1)]])
    await pass(2_000)
    expect(sent()).toEqual([])
    mayServe = true
    lane.wake()
    await turn()
    expect(sent()).toEqual([['1:1']])
  })

  it('that another one replaced while it was read is served in its turn', async () => {
    const [first, second] = heart.owned([[event(1)]], [[event(2)]])
    const [window, next] = [first!, second!].map(
      ({ tag, partition, claim }) => new PartitionWindow(tag, partition, claim),
    )
    queueOf(window!).before = () => {
      window!.lost = true
      lane.serve(next!, queueOf(next!).asQueue)
    }
    lane.serve(window!, queueOf(window!).asQueue)
    void lane.run()
    await turn()
    expect(sent()).toEqual([['2:1']])
  })

  it('is read less far ahead while memory is short', async () => {
    const served = (memory: WindowMemory) => {
      heart = new Heart()
      heart.sender.answer = null
      lane = laneOf({ memory })
      void lane.run()
      const chunks = Array.from({ length: 100 }, () => many(1, { bytes: 900 }))
      return serve(chunks)[0]!
    }
    const [short, roomy] = [served(new WindowMemory(50_000)), served(new WindowMemory(1e6))]
    short.stale = true
    await turn()
    expect(roomy.loadedBytes).toBeGreaterThan(short.loadedBytes)
  })

  it('holds one body while memory is short: the next is read once that one is sent', async () => {
    heart.sender.answer = null
    const memory = new WindowMemory(2_000_000)
    // Of another lane.
    const other = new PartitionWindow('other', OTHERS, 'w:1')
    other.memoryBytes = 600_000
    memory.add(other)
    lane = laneOf({ memory })
    void lane.run()
    const chunks = () => Array.from({ length: 60 }, () => many(1, { bytes: 300 }))
    const windows = serve(chunks(), chunks(), chunks())
    await pass(5_000)
    const read = () => windows.filter((window) => window.chunks.length > 0).length
    expect(sent()).toHaveLength(1)
    expect(read()).toBeLessThan(3)
    heart.sender.answer = accept
    await heart.sender.reply(accept())
    await pass(5_000)
    expect(sent().flat()).toHaveLength(180)
  })

  it('is looked past while memory is short when all that is loaded is held back', async () => {
    const memory = new WindowMemory(2_000_000)
    const other = new PartitionWindow('other', OTHERS, 'w:1')
    other.memoryBytes = 600_000
    memory.add(other)
    lane = laneOf({ memory })
    heart.budget.policy.allowances = () => new Map([[customer(1), 0]])
    void lane.run()
    serve(
      Array.from({ length: 60 }, () => [event(1, { bytes: 900 })]),
      [[event(2)]],
    )
    await pass(3_000)
    expect(sent().flat()).toEqual(['2:1'])
  })

  it('that was forgotten is served no more', async () => {
    const [window] = serve([[event(1)]])
    lane.drop(window!)
    void lane.run()
    await pass(2_000)
    expect(sent()).toEqual([])
  })

  it('that is lost while it is read is not packed', async () => {
    const [window] = serve([[event(1)]])
    queueOf(window!).before = () => {
      window!.lost = true
    }
    void lane.run()
    await pass(2_000)
    expect(sent()).toEqual([])
  })

  it('that only a newer worker can read is reported as idle', async () => {
    const [window] = serve([[]])
    queueOf(window!).chunks = []
    queueOf(window!).unreadable = 9
    window!.waiting = 1
    void lane.run()
    await turn()
    expect(idle).toEqual([window!.tag])
  })

  it('with a request whose answer never came is served again only after the grace of a late arrival', async () => {
    heart.sender.answer = () => {
      heart.sender.answer = accept
      return noAnswer('aborted')
    }
    heart.isStopping = true
    void lane.run()
    const [window] = serve([[event(1)]])
    await turn()
    heart.isStopping = false
    expect(heart.inFlight.freeInMs(window!.tag)).toBe(GRACE_MS)
    await pass(GRACE_MS - 1)
    expect(sent()).toHaveLength(1)
    await pass(1)
    expect(sent()).toHaveLength(2)
  })

  it('in the hands of another service of the same workspace waits for its end', async () => {
    const [window] = serve([[event(1)]])
    const other = heart.inFlight.begin([window!.tag])
    void lane.run()
    await pass(2_000)
    expect(sent()).toEqual([])
    other?.end()
    lane.wake()
    await turn()
    expect(sent()).toEqual([['1:1']])
  })

  it('taken by another service while the ledger answered gives its place back', async () => {
    const [window] = serve([[event(1)]])
    const reserve = heart.ledger.reserve
    heart.ledger.reserve = async (reservation) => {
      heart.ledger.reserve = reserve
      heart.inFlight.begin([window!.tag])
      return reserve(reservation)
    }
    void lane.run()
    await turn()
    expect([sent(), heart.ledger.refunds]).toEqual([[], ['r1']])
  })
})

describe('without an answer from Redis', () => {
  it('a lane reads again after a moment', async () => {
    heart.redis.isAway = true
    void lane.run()
    serve([[event(1)]])
    await pass(1_000)
    heart.redis.isAway = false
    await pass(250)
    expect(sent()).toEqual([['1:1']])
  })

  it('old elements stay in the queue until their dead letters are certain', async () => {
    heart.maxAgeMs = 100
    jest.setSystemTime(1_500)
    heart.letters.add = () => Promise.reject(new Error('Redis is away'))
    lane = laneOf()
    void lane.run()
    serve([[event(1)]])
    await pass(600)
    expect([sent(), heart.waiting]).toEqual([[], ['0']])
  })
})

describe('an age limit', () => {
  it('takes old elements out although the gate is closed, and sends the others later', async () => {
    heart.maxAgeMs = 1_000
    jest.setSystemTime(2_002)
    lane = laneOf()
    await gateIs(held(60_000))
    void lane.run()
    const [window] = serve([[event(1)], [event(2)]])
    await turn()
    expect(heart.letters.all).toHaveLength(1)
    expect(queueOf(window!).chunks).toHaveLength(1)
    expect(sent()).toEqual([])
  })
})

describe('an erasure', () => {
  it('removes what was loaded of the customer before it is packed', async () => {
    const [window] = serve([[event(1)], [event(2)]])
    heart.erasureStore.add(window!.tag, customer(1))
    await heart.erasures.look()
    void lane.run()
    await turn()
    expect(sent()).toEqual([['2:2']])
    expect(heart.waiting).toEqual([])
  })

  it('of everything that waits leaves nothing to send', async () => {
    const [window] = serve([[event(1)]])
    heart.erasureStore.add(window!.tag, customer(1))
    await heart.erasures.look()
    void lane.run()
    await turn()
    expect([sent(), heart.waiting]).toEqual([[], []])
  })
})

describe('a gate that is not open', () => {
  it('is waited for by one request, and the rest stays put', async () => {
    await gateIs(held(30_000))
    void lane.run()
    serve([[event(1)]], [[event(2)]])
    await pass(5_000)
    expect([sent(), heart.ledger.reserved]).toEqual([[], []])
    await gateIs({ state: 'open' })
    await turn()
    expect(sent().flat().sort()).toEqual(['1:1', '2:1'])
  })

  it('has one request waiting at it, also while more data comes', async () => {
    await gateIs(held(30_000))
    void lane.run()
    serve([[event(1)]])
    await turn()
    serve([[event(1)]], [[event(2)]])
    lane.wake()
    await turn()
    await gateIs({ state: 'open' })
    await turn()
    expect(sent()[0]).toEqual(['1:1'])
  })

  it('holds nothing in flight while every customer must wait', async () => {
    heart.workspace = workspaceOf({ customerLimits: [{ units: 50, windowMs: 60_000 }] })
    heart.counts.refused.add(customer(1))
    void lane.run()
    const [window] = serve([[event(1)]])
    await pass(100)
    await gateIs(held(30_000))
    lane.wake()
    await turn()
    expect(heart.inFlight.isFree(window!.tag)).toBe(true)
    expect(sent()).toEqual([])
  })
})

describe('a request that settles nothing', () => {
  it('hides no elements that came to its partition meanwhile without a wake-up', async () => {
    heart.sender.answer = (body) =>
      sentIn(body).includes('1:1') ? refusal(400, 'SomethingNew') : accept()
    void lane.run()
    const [window] = serve([[event(1)], [event(2)]])
    const queue = queueOf(window!)
    const all = queue.chunks
    queue.chunks = all.slice(0, 1)
    await pass(700)
    expect(sent()).toEqual([['1:1'], ['1:1'], ['1:1']])
    queue.chunks = all
    await pass(10_000)
    expect(sent()).toContainEqual(['2:2'])
  })
})

describe('a customer that must wait', () => {
  it('does not hold up the others of its partition', async () => {
    heart.workspace = workspaceOf({ customerLimits: [{ units: 50, windowMs: 60_000 }] })
    heart.counts.refused.add(customer(1))
    void lane.run()
    serve([[event(1)], [event(2)]])
    await pass(1_000)
    expect(sent()).toEqual([['2:2']])
    heart.counts.refused.clear()
    await pass(60_000)
    expect(sent()).toEqual([['2:2'], ['1:1']])
  })

  it('has the next add announced, also where it was held back by a request of elsewhere', async () => {
    heart.workspace = workspaceOf({ customerLimits: [{ units: 50, windowMs: 60_000 }] })
    heart.counts.refused.add(customer(1))
    void lane.run()
    const [window] = serve([[event(1, { kind: 'user' })]])
    await turn()
    const queue = queueOf(window!)
    expect(queue.watched).toBe(false)
    // While the lane lingers for more updates.
    const batch = { runs: [{ items: itemsOf(window!), cost: 1 }] } as unknown as Batch
    await heart.policy.admit('elsewhere', batch)
    await pass(LINGER_MS)
    expect(sent()).toEqual([])
    expect(queue.watched).toBe(true)
  })

  it('does not hold up those that come behind all that waits of it', async () => {
    heart.workspace = workspaceOf({ customerLimits: [{ units: 50, windowMs: 60_000 }] })
    heart.counts.refused.add(customer(1))
    const hot = Array.from({ length: 60 }, (_, i) =>
      Array.from({ length: 5 }, () => event(1, { bytes: 400 + i })),
    )
    const [window] = serve([...hot, [event(9)]])
    const queue = queueOf(window!)
    const others = queue.chunks.splice(60)
    void lane.run()
    await pass(1_000)
    expect(sent()).toEqual([])
    queue.chunks.push(...others)
    window!.stale = true
    lane.wake()
    await pass(1_000)
    expect(sent()).toEqual([['9:301']])
  })
})

describe('a short budget', () => {
  it('is asked for at least half a body, or all that waits', async () => {
    void lane.run()
    serve([many(40, { bytes: 300 })])
    await turn()
    const [first] = heart.ledger.reserved
    expect(first!.need.events).toBeLessThan(first!.cost.events)
    expect(first!.need.events).toBeGreaterThanOrEqual(Math.floor(first!.cost.events / 2))
  })

  it('is used for what it affords when a worthwhile body fits, and the rest waits', async () => {
    const free = { ...NOTHING_FREE, events: 20 }
    heart.ledger.grants.push({ outcome: 'wait', waitMs: 400, allMs: 30_000, free })
    void lane.run()
    serve([many(30, { bytes: 300 })])
    await turn()
    expect(heart.ledger.reserved[1]?.cost.events).toBe(20)
    expect(sent()[0]).toHaveLength(20)
  })

  it('is used for what little it affords when half a body is affordable only long after', async () => {
    const free = { ...NOTHING_FREE, events: 3 }
    heart.ledger.grants.push({ outcome: 'wait', waitMs: 2_999, allMs: 30_000, free })
    void lane.run()
    serve([many(30, { bytes: 300 })])
    await turn()
    expect(sent()).toEqual([])
    heart.ledger.grants.push({ outcome: 'wait', waitMs: 3_000, allMs: 30_000, free })
    await pass(1_000)
    expect(sent()[0]).toHaveLength(3)
  })

  it('is waited for when the whole body is affordable soon', async () => {
    const free = { ...NOTHING_FREE, events: 20 }
    heart.ledger.grants.push({ outcome: 'wait', waitMs: 400, allMs: 1_000, free })
    void lane.run()
    serve([many(30, { bytes: 300 })])
    await pass(999)
    expect(sent()).toEqual([])
    await pass(1)
    expect(sent()[0]).toHaveLength(30)
  })

  it('does not hold up elements of another budget', async () => {
    const free = { ...NOTHING_FREE, users: 1_000 }
    heart.ledger.grants.push({ outcome: 'wait', waitMs: 400, allMs: 30_000, free })
    void lane.run()
    serve([[event(1), event(2, { kind: 'user' })]])
    await turn()
    expect(sent()).toEqual([['2:2']])
    await pass(1_000)
    expect(sent()).toEqual([['2:2'], ['1:1']])
  })

  it('has the lane look further ahead for elements of another budget, as far as they reach', async () => {
    heart.ledger.grant = {
      ...{ outcome: 'wait', waitMs: 400, allMs: 30_000 },
      free: { ...NOTHING_FREE, users: 1_000 },
    }
    const reserve = heart.ledger.reserve
    heart.ledger.reserve = async (reservation) => {
      heart.ledger.grant =
        reservation.cost.events > 0
          ? { outcome: 'wait', waitMs: 400, allMs: 30_000, free: NOTHING_FREE }
          : { outcome: 'granted' }
      return reserve(reservation)
    }
    void lane.run()
    const events = Array.from({ length: 30 }, (_, i) => many(5, { bytes: 400 + i }))
    const [window] = serve([...events, [event(0), event(9, { kind: 'user' })]])
    await turn()
    expect(sent()).toEqual([['9:152']])
    expect(queueOf(window!).peeks).toBeGreaterThan(1)
    // The next add is announced, since another budget may pay for it.
    expect(queueOf(window!).watched).toBe(true)
  })

  it('of everything has the lane ask again when the first wait is over, a second later at most', async () => {
    heart.ledger.grant = { outcome: 'wait', waitMs: 5_000, allMs: 30_000, free: NOTHING_FREE }
    void lane.run()
    serve([[event(1), event(2, { kind: 'user' })]])
    await turn()
    const asked = heart.ledger.reserved.length
    heart.ledger.grant = { outcome: 'granted' }
    await pass(1_000)
    expect(heart.ledger.reserved.length).toBeGreaterThan(asked)
    expect(sent().flat().sort()).toEqual(['1:1', '2:2'])
  })

  it('is tried in a few sizes only, when the ledger denies each of them', async () => {
    const reserve = heart.ledger.reserve
    heart.ledger.reserve = (reservation) => {
      const free = { ...reservation.cost, events: reservation.cost.events - 1 }
      heart.ledger.grant = { outcome: 'wait', waitMs: 400, allMs: 30_000, free }
      return reserve(reservation)
    }
    void lane.run()
    serve([many(40, { bytes: 300 })])
    await turn()
    expect(heart.ledger.reserved).toHaveLength(4)
  })

  it('is as good as any for a body that takes half of a small limit', async () => {
    heart.workspace = workspaceOf({ limits: { ...heart.workspace.limits, eventsPerWindow: 4 } })
    const free = { ...NOTHING_FREE, events: 2 }
    heart.ledger.grants.push({ outcome: 'wait', waitMs: 400, allMs: 30_000, free })
    void lane.run()
    serve([many(4)])
    await turn()
    expect(sent()[0]).toEqual(['0:1', '1:2'])
  })

  it('under which Redis stops to answer leads to no more reads than one', async () => {
    heart.ledger.grant = { outcome: 'wait', waitMs: 400, allMs: 30_000, free: NOTHING_FREE }
    const reserve = heart.ledger.reserve
    heart.ledger.reserve = async (reservation) => {
      const grant = await reserve(reservation)
      heart.redis.isAway = true
      return grant
    }
    void lane.run()
    const [window] = serve(Array.from({ length: 30 }, (_, i) => many(5, { bytes: 400 + i })))
    await turn()
    expect(queueOf(window!).peeks).toBe(1)
    expect(sent()).toEqual([])
  })
})

it('an element dearer than one request may be after a 429 goes alone', async () => {
  heart.workspace = workspaceOf({ limits: { ...heart.workspace.limits, eventsPerWindow: 200 } })
  await heart.learned.rateRefused(clock.nowMs(), 1)
  const dear = 1 + heart.admission.perRequest().events
  expect(dear).toBeLessThan(heart.admission.limits().events)
  void lane.run()
  serve([[event(1, { cost: dear }), event(2), event(3)]])
  await pass(1_000)
  expect(sent()).toContainEqual(['1:1'])
  expect(sent().flat().sort()).toEqual(['1:1', '2:2', '3:3'])
})

it('an element dearer than an even share of a saturated budget goes alone', async () => {
  const { eventsPerWindow } = heart.workspace.limits
  // A body holds few of these, so that an even share is a few units.
  const large = Math.ceil(heart.learned.bodyBytes / 2.5)
  void lane.run()
  serve([many(4, { bytes: large })])
  await pass(1_000)
  const free = { ...NOTHING_FREE, users: 1_000 }
  heart.ledger.grant = { outcome: 'wait', waitMs: 500, allMs: 500, free }
  serve([many(4, { bytes: large })])
  await pass(400)
  heart.ledger.grant = { outcome: 'granted' }
  serve([[event(7, { cost: Math.floor(eventsPerWindow / 2) })]])
  await pass(2_000)
  expect(sent().flat()).toContain('7:1')
})

describe('a ledger that says later', () => {
  it('is asked again after what it said', async () => {
    heart.ledger.grants.push({ outcome: 'later' })
    void lane.run()
    serve([[event(1)]])
    await pass(49)
    expect(sent()).toEqual([])
    await pass(1)
    expect(sent()).toEqual([['1:1']])
  })
})

describe('a lane that stops', () => {
  it('starts nothing new, and ends when its requests have ended', async () => {
    heart.sender.answer = null
    void lane.run()
    serve([[event(1)]], [[event(2)]])
    await turn()
    void lane.stop().then(() => {
      hasStopped = true
    })
    heart.isStopping = true
    await turn()
    expect(hasStopped).toBe(false)
    while (heart.sender.openRequests > 0) await heart.sender.reply(accept())
    await pass(1_000)
    expect(hasStopped).toBe(true)
    expect(heart.waiting).toEqual([])
  })

  it('gives a place back that is granted after it was stopped', async () => {
    const reserve = heart.ledger.reserve
    heart.ledger.reserve = (reservation) => {
      void lane.stop()
      return reserve(reservation)
    }
    void lane.run()
    serve([[event(1)]])
    await turn()
    expect([sent(), heart.ledger.refunds]).toEqual([[], ['r1']])
  })

  it('wakes requests that wait for budget or the gate', async () => {
    await gateIs(held(60_000))
    void lane.run()
    serve([[event(1)]])
    await turn()
    heart.isStopping = true
    void lane.stop().then(() => {
      hasStopped = true
    })
    await turn()
    expect(hasStopped).toBe(true)
  })
})
