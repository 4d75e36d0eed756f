import type { Roster } from '@relay/shared/queue/deployment.js'
import { partitionTag } from '@relay/shared/queue/keys.js'
import { newSessionId } from '@relay/shared/queue/session-id.js'
import type { PartitionWindow } from '../../src/fetch/window.js'
import { InFlight } from '../../src/ownership/in-flight.js'
import { Ownership } from '../../src/ownership/ownership.js'
import { Peers } from '../../src/ownership/peers.js'
import { clock, FakeQueue, FakeRedis, GRACE_MS, pass, turn } from '../support/fakes.js'

const LEASE_MS = 15_000
const RUN = 'run 1'
const [TAG = '', OTHER = ''] = [0, 1].map((index) =>
  partitionTag({ appId: 'APP', lane: 'realtime', generation: 0, index }),
)

let redis: FakeRedis
let queues: Map<string, FakeQueue>
let inFlight: InFlight
let peers: Peers
let session: { id: string; alive: boolean }
let pruned: string[]
let gained: PartitionWindow[]
let lost: string[]
let takeovers: string[]
let refreshes: number
let served: Set<string>
let ownership: Ownership

beforeEach(() => {
  jest.useFakeTimers()
  redis = new FakeRedis()
  queues = new Map()
  inFlight = new InFlight(clock, GRACE_MS)
  peers = new Peers({ clock, leaseMs: LEASE_MS, runId: () => RUN })
  session = { id: newSessionId('me', 1, RUN), alive: true }
  pruned = []
  gained = []
  lost = []
  takeovers = []
  refreshes = 0
  served = new Set(['APP'])
  ownership = new Ownership({
    ...{ worker: 'me', clock, leaseMs: LEASE_MS, peers, inFlight },
    queueOf: (tag) => queueOf(tag).asQueue,
    deployment: {
      prune: (marks) =>
        redis.reply(() => {
          pruned.push(...marks.keys())
        }),
    },
    runId: () => RUN,
    redisNowMs: () => clock.nowMs(),
    session: () => session,
    onGained: (window) => gained.push(window),
    onLost: ({ tag }) => lost.push(tag),
    serves: (appId) => served.has(appId),
    onTakeover: (_tag, from) => takeovers.push(from),
    onUnreadable: () => undefined,
    refresh: () => {
      refreshes += 1
    },
  })
})

afterEach(() => jest.useRealTimers())

function queueOf(tag: string): FakeQueue {
  const queue = queues.get(tag) ?? new FakeQueue(redis, tag)
  queues.set(tag, queue)
  return queue
}

/** A roster of now: these sessions with a whole lease, and these partitions with their marks. */
function rosterOf(
  others: readonly string[],
  active: readonly (readonly [string, number])[],
): Roster {
  const redisNowMs = clock.nowMs()
  const expiry = redisNowMs + LEASE_MS
  const sessions = new Map([session.id, ...others].map((id) => [id, expiry]))
  const rest = { state: 'alive', runSinceMs: redisNowMs - 60_000, before: [] } as const
  return { ...rest, redisNowMs, sessions, active: new Map(active) }
}

async function balance(
  others: readonly string[] = [],
  active: readonly (readonly [string, number])[] = [[TAG, clock.nowMs()]],
): Promise<void> {
  const askedAtMs = clock.monotonicMs()
  const roster = rosterOf(others, active)
  peers.observe(roster, askedAtMs)
  await ownership.balance(roster, askedAtMs)
}

/** Owns the partition, once every claim that Redis may have forgotten is over. */
async function owned(): Promise<PartitionWindow> {
  await pass(LEASE_MS)
  await balance()
  return gained[0]!
}

const chunk = { id: '1', bytes: 1, elements: [], done: Buffer.alloc(0) }
const other = newSessionId('other', 1, RUN)

describe('a claim', () => {
  it('is made only while the lease holds, and not before lost claims must be over', async () => {
    // Redis restarted, and this worker has not made its claims again yet.
    await balance([newSessionId('late', 1, 'run 0')])
    expect(queueOf(TAG).claimed).toBe('')
    await pass(LEASE_MS)
    session = { ...session, alive: false }
    await balance()
    expect(queueOf(TAG).claimed).toBe('')
    session = { ...session, alive: true }
    await balance()
    expect(gained.map(({ tag }) => tag)).toEqual([TAG])
  })

  it('without an answer is found again by a look at the owner, and then served', async () => {
    await pass(LEASE_MS)
    redis.losesReplies = false
    queueOf(TAG).before = (command) => {
      redis.losesReplies = command === 'claim'
    }
    await balance()
    expect(gained).toEqual([])
    expect(queueOf(TAG).claimed).toMatch(/^me/)
    redis.losesReplies = false
    queueOf(TAG).before = () => undefined
    await balance()
    expect(gained.map(({ claim }) => claim)).toEqual([queueOf(TAG).claimed])
    expect(takeovers).toEqual([])
  })

  it('that is answered after the session ended is not served, but given back when nothing needs it', async () => {
    await pass(LEASE_MS)
    queueOf(TAG).before = (command) => {
      if (command === 'claim') session = { ...session, id: newSessionId('me', 2, RUN) }
    }
    await balance()
    expect(gained).toEqual([])
    queueOf(TAG).before = () => undefined
    await balance()
    expect(gained).toHaveLength(1)
  })

  it('is not made while one of the same partition is in flight, for any apparent owner', async () => {
    await pass(LEASE_MS)
    await balance([], [])
    await Promise.all([ownership.woken(TAG, ''), ownership.woken(TAG, '')])
    expect(queueOf(TAG).claimed).toBe(`${session.id}:1`)
    expect(gained).toHaveLength(1)
  })

  it('is made of another partition when a faster worker has the first', async () => {
    await pass(LEASE_MS)
    queueOf(TAG).before = (command) => {
      if (command === 'claim') queueOf(TAG).claimed = `${other}:3`
    }
    await balance([other], [[TAG, clock.nowMs()]])
    await balance(
      [other],
      [
        [TAG, clock.nowMs()],
        [OTHER, clock.nowMs()],
      ],
    )
    expect(gained.map(({ tag }) => tag)).toEqual([OTHER])
  })

  it('refused for an owner that is over by now is made again with the next roster', async () => {
    await pass(LEASE_MS)
    const over = newSessionId('over', 1, 'run 0')
    queueOf(TAG).before = (command) => {
      if (command !== 'claim') return
      queueOf(TAG).before = () => undefined
      queueOf(TAG).claimed = `${over}:3`
    }
    await balance()
    expect(gained).toEqual([])
    await pass(1)
    await balance()
    expect(takeovers).toEqual([`${over}:3`])
  })

  it('whose release was announced while its refusal was in flight is made at once', async () => {
    await pass(LEASE_MS)
    await balance([other], [])
    queueOf(TAG).before = (command) => {
      if (command !== 'claim') return
      queueOf(TAG).before = () => undefined
      queueOf(TAG).claimed = `${other}:3`
      // The refusal is slow; the owner's release is announced before it is read.
      jest.advanceTimersByTime(1)
      void ownership.woken(TAG, '').then(() => undefined)
    }
    const woken = ownership.woken(TAG, '')
    await turn()
    await woken
    expect(queueOf(TAG).claimed).toBe(`${other}:3`)
    queueOf(TAG).claimed = ''
    await pass(1)
    await ownership.woken(TAG, '')
    expect(queueOf(TAG).claimed).toMatch(/^me/)
  })

  it('of a partition that the fair share leaves to others is made when they make none, unless the worker stops', async () => {
    await pass(LEASE_MS)
    const tags = [0, 1, 2].map((index) =>
      partitionTag({ appId: 'APP', lane: 'realtime', generation: 0, index }),
    )
    const active = tags.map((tag) => [tag, clock.nowMs()] as const)
    await balance([other], active)
    expect(ownership.owned.size).toBe(2)
    // The other worker may rank first for it.
    await pass(500)
    expect(ownership.owned.size).toBe(3)
    // The next roster gives it up again, so that the other worker can claim it.
    await balance([other], active)
    expect(ownership.owned.size).toBe(2)
    ownership.releaseAll()
    await pass(1_000)
    expect(ownership.owned.size).toBe(0)
  })

  it('of a partition that left the active set is looked up again when it comes back', async () => {
    queueOf(TAG).claimed = `${other}:1`
    await pass(LEASE_MS)
    await balance([other])
    await balance([other], [])
    queueOf(TAG).claimed = ''
    await balance([other])
    expect(gained.map(({ tag }) => tag)).toEqual([TAG])
  })

  it('of a session that only a later roster can judge has that roster fetched', async () => {
    await pass(LEASE_MS)
    const askedAtMs = clock.monotonicMs()
    const roster = rosterOf([], [[TAG, 0]])
    await pass(10)
    queueOf(TAG).claimed = `${newSessionId('newcomer', 1, RUN)}:1`
    peers.observe(roster, askedAtMs)
    await ownership.balance(roster, askedAtMs)
    expect([refreshes, gained]).toEqual([1, []])
  })

  it('is made by a worker that its own roster does not list yet', async () => {
    await pass(LEASE_MS)
    const roster = rosterOf([], [[TAG, 0]])
    await ownership.balance(roster, clock.monotonicMs())
    expect(gained).toHaveLength(1)
  })

  it('of a tag that names no partition is not made', async () => {
    await pass(LEASE_MS)
    await balance([], [['nonsense', 0]])
    expect([gained, queueOf('nonsense').claimed]).toEqual([[], ''])
  })

  it('is not made where Redis does not tell the owner', async () => {
    await pass(LEASE_MS)
    redis.isAway = true
    await balance()
    redis.isAway = false
    expect([gained, queueOf(TAG).claimed]).toEqual([[], ''])
  })

  it('given back after the worker began to stop is left to the lease when Redis does not answer', async () => {
    await pass(LEASE_MS)
    queueOf(TAG).before = (command) => {
      if (command === 'claim') ownership.releaseAll()
      if (command === 'release') redis.losesReplies = true
    }
    await balance()
    expect([gained, ownership.isReleased]).toEqual([[], true])
  })

  it('of another session is taken over once that session is over', async () => {
    queueOf(TAG).claimed = `${other}:1`
    await pass(LEASE_MS)
    await balance([other])
    expect(takeovers).toEqual([])
    expect(ownership.nextEndMs()).toBe(Infinity)
    await balance([])
    expect(ownership.nextEndMs()).toBe(LEASE_MS)
    await pass(LEASE_MS)
    await balance([])
    expect(takeovers).toEqual([`${other}:1`])
  })
})

describe('an own claim', () => {
  it('of another run of Redis does not count before lost claims must be over', async () => {
    // Given up before Redis went back; the worker that claimed it then may still send.
    const old = `${newSessionId('me', 0, 'run 0')}:1`
    queueOf(TAG).claimed = old
    await balance([newSessionId('late', 1, 'run 0')])
    expect(queueOf(TAG).claimed).toBe(old)
    await owned()
    expect(queueOf(TAG).claimed).toBe(`${session.id}:1`)
  })
})

describe('a former claim', () => {
  it('without an answer is not made twice', async () => {
    await owned()
    ownership.dropAll(true)
    redis.isAway = true
    await ownership.reclaim('me.2@x')
    redis.isAway = false
    expect(queueOf(TAG).claimed).toMatch(/^me\.1@/)
    expect(lost).toEqual([TAG])
  })

  it('that Redis has replaced by an older one of another run is made over it', async () => {
    await owned()
    ownership.dropAll(true)
    const older = `${newSessionId('me', 0, 'run 0')}:4`
    queueOf(TAG).claimed = older
    await ownership.reclaim(newSessionId('me', 2, RUN))
    expect(queueOf(TAG).claimed).toBe(`${newSessionId('me', 2, RUN)}:3`)
  })

  it('of a lease that was over is not made again in a Redis that went back', async () => {
    session = { id: newSessionId('me', 1, 'run 0'), alive: true }
    await owned()
    ownership.dropAll(false)
    // Another worker took the partition over, which Redis forgot.
    const left = queueOf(TAG).claimed
    await ownership.reclaim(newSessionId('me', 2, RUN))
    expect(queueOf(TAG).claimed).toBe(left)
  })

  it('of which another worker of this run of Redis was faster is left to it', async () => {
    await owned()
    ownership.dropAll(true)
    queueOf(TAG).claimed = `${other}:9`
    await ownership.reclaim(newSessionId('me', 2, RUN))
    expect(queueOf(TAG).claimed).toBe(`${other}:9`)
  })
})

describe('a release', () => {
  it('waits for the request in flight, and for the grace of a late arrival', async () => {
    await owned()
    const open = inFlight.begin([TAG])!
    ownership.releaseAll()
    await turn()
    expect(ownership.isReleased).toBe(false)
    open.mayArriveLate()
    open.end()
    await pass(GRACE_MS - 1)
    expect(queueOf(TAG).claimed).not.toBe('')
    await pass(1)
    expect([queueOf(TAG).claimed, ownership.isReleased]).toEqual(['', true])
  })

  it('without an answer is looked up again', async () => {
    const window = await owned()
    redis.losesReplies = true
    ownership.releaseAll()
    await turn()
    redis.losesReplies = false
    expect([ownership.isReleased, window.lost, queueOf(TAG).claimed]).toEqual([true, true, ''])
  })

  it('asked for twice is made once, and not for a partition that was lost meanwhile', async () => {
    const window = await owned()
    const open = inFlight.begin([TAG])!
    ownership.releaseAll()
    ownership.releaseAll()
    ownership.drop(window)
    open.end()
    await turn()
    expect(queueOf(TAG).claimed).toBe(window.claim)
    expect(lost).toEqual([TAG])
  })

  it('gives partitions to a worker that joined, until each has its share', async () => {
    await pass(LEASE_MS)
    const active = [
      [TAG, clock.nowMs()],
      [OTHER, clock.nowMs()],
    ] as const
    await balance([], active)
    expect(ownership.owned.size).toBe(2)
    await balance([other], active)
    await turn()
    expect(ownership.owned.size).toBe(1)
    expect([...queues.values()].filter(({ claimed }) => claimed === '')).toHaveLength(1)
  })

  it('of an unused claim is repeated with the next roster when Redis does not answer', async () => {
    await pass(LEASE_MS)
    // The share is one of two: the claim of a former session is one too many.
    queueOf(OTHER).claimed = `${session.id}:7`
    queueOf(TAG).claimed = `${session.id}:8`
    const active = [
      [TAG, clock.nowMs()],
      [OTHER, clock.nowMs()],
    ] as const
    queueOf(TAG).before = queueOf(OTHER).before = (command) => {
      if (command === 'release') throw new Error('no answer')
    }
    await balance([other], active)
    expect(ownership.owned.size).toBe(1)
    queueOf(TAG).before = queueOf(OTHER).before = () => undefined
    await balance([other], active)
    expect([...queues.values()].map(({ claimed }) => claimed).sort()[0]).toBe('')
  })

  it('of unused claims is left to the lease while the session is not alive', async () => {
    await pass(LEASE_MS)
    session = { ...session, alive: false }
    queueOf(TAG).claimed = `${session.id}:7`
    await balance()
    expect(queueOf(TAG).claimed).toBe(`${session.id}:7`)
  })
})

describe('an owned partition of which everything seems to be loaded', () => {
  it('is read when Redis has chunks of it, because a wake-up may be lost', async () => {
    const window = await owned()
    window.stale = false
    queueOf(TAG).chunks = [chunk]
    await balance()
    expect([window.stale, gained.length]).toEqual([true, 2])
  })

  it('is read when Redis has more chunks than were loaded and held back', async () => {
    const window = await owned()
    queueOf(TAG).chunks = [chunk, chunk]
    window.load([chunk], 1)
    window.stale = false
    await balance()
    expect([window.stale, gained.length]).toEqual([true, 2])
  })

  it('is left alone when its work began meanwhile, or Redis does not answer', async () => {
    const window = await owned()
    window.stale = false
    queueOf(TAG).chunks = [chunk]
    queueOf(TAG).before = (command) => {
      if (command === 'waiting') window.waiting = 1
    }
    await balance()
    expect(gained).toHaveLength(1)
    window.waiting = 0
    redis.isAway = true
    await balance()
    expect(gained).toHaveLength(1)
  })

  it('leaves the active set 30 s after its last mark, if Redis finds it empty too', async () => {
    const window = await owned()
    window.stale = false
    const markedAtMs = clock.nowMs()
    await balance([], [[TAG, markedAtMs]])
    await pass(30_001)
    queueOf(TAG).chunks = [chunk]
    queueOf(TAG).before = (command) => {
      // Between the two reads.
      if (command === 'deactivate') queueOf(TAG).chunks = [chunk]
      if (command === 'waiting') queueOf(TAG).chunks = []
    }
    await balance([], [[TAG, markedAtMs]])
    expect(pruned).toEqual([])
    queueOf(TAG).before = () => undefined
    queueOf(TAG).chunks = []
    await balance([], [[TAG, markedAtMs]])
    expect(pruned).toEqual([TAG])
  })

  it('stays in the active set when Redis does not answer', async () => {
    const window = await owned()
    window.stale = false
    await pass(30_001)
    queueOf(TAG).before = (command) => {
      if (command === 'deactivate') redis.losesReplies = true
    }
    await balance([], [[TAG, 0]])
    expect(pruned).toEqual([])
  })

  it('is pruned later when Redis does not answer in between', async () => {
    const window = await owned()
    window.stale = false
    await pass(30_001)
    queueOf(TAG).deactivate = () => {
      redis.isAway = true
      return Promise.resolve(true)
    }
    await balance([], [[TAG, 0]])
    redis.isAway = false
    await balance([], [[TAG, 0]])
    expect(pruned).toEqual([])
    redis.isAway = false
    queueOf(TAG).deactivate = () => Promise.resolve(true)
    await balance([], [[TAG, 0]])
    expect(pruned).toEqual([TAG])
  })
})

describe('a wake-up', () => {
  it('of an owned partition has it read, and of an unknown one has it claimed', async () => {
    const window = await owned()
    window.stale = false
    await ownership.woken(TAG, window.claim)
    expect([window.stale, gained.length]).toEqual([true, 2])
    await ownership.woken(OTHER, '')
    expect(gained.map(({ tag }) => tag)).toEqual([TAG, TAG, OTHER])
  })

  it('that names an owner which serves the partition changes nothing', async () => {
    await pass(LEASE_MS)
    queueOf(TAG).claimed = `${other}:1`
    await balance([other])
    await pass(1)
    await ownership.woken(TAG, `${other}:1`)
    expect([refreshes, queueOf(TAG).claimed, gained]).toEqual([0, `${other}:1`, []])
  })

  it('that names an owner which a later roster must judge fetches that roster', async () => {
    await owned()
    await pass(1)
    await ownership.woken(OTHER, `${newSessionId('newcomer', 1, RUN)}:1`)
    expect([refreshes, queueOf(OTHER).claimed]).toEqual([1, ''])
  })
})

describe('a window', () => {
  it('that was lost while in flight has the roster fetched when it is idle: it may have been claimed again', async () => {
    const window = await owned()
    ownership.idle(window)
    expect(refreshes).toBe(0)
    ownership.drop(window)
    ownership.idle(window)
    expect(refreshes).toBe(1)
  })

  it('of a partition that a former service let go of without losing it changes nothing', async () => {
    const window = await owned()
    ownership.releaseAll()
    await turn()
    window.lost = false
    ownership.idle(window)
    expect(refreshes).toBe(0)
  })

  it('that only a newer worker can read is given up once', async () => {
    const window = await owned()
    window.unreadable = 9
    ownership.idle(window)
    ownership.idle(window)
    await turn()
    expect([ownership.unreadable, queueOf(TAG).claimed]).toEqual([[TAG], ''])
    await balance()
    expect(ownership.owned.size).toBe(0)
    await pass(10_000)
    await balance()
    expect(ownership.owned.size).toBe(1)
  })
})

describe('a workspace that is not configured here', () => {
  it('is left to other workers, and claimed once it is configured', async () => {
    await pass(LEASE_MS)
    served.clear()
    await balance([other])
    await pass(2_000)
    expect(queueOf(TAG).claimed).toBe('')
    served.add('APP')
    await balance()
    expect(gained.map(({ tag }) => tag)).toEqual([TAG])
  })

  it('is given up to another worker, if there is one', async () => {
    await owned()
    served.clear()
    await balance()
    expect(lost).toEqual([])
    await balance([other])
    await turn()
    expect(lost).toEqual([TAG])
    expect(queueOf(TAG).claimed).toBe('')
  })

  it('is kept for a while once another worker left it free twice', async () => {
    await pass(LEASE_MS)
    const balanced = async () => {
      await balance(
        [other],
        [TAG, OTHER].map((tag) => [tag, clock.nowMs()]),
      )
      await turn()
    }
    await balanced()
    for (const givesUp of [1, 0, 0]) {
      await pass(2_000)
      expect(ownership.owned.size).toBe(2)
      await balanced()
      expect(ownership.owned.size).toBe(2 - givesUp)
      // What Redis tells of a release.
      for (const tag of [TAG, OTHER]) await ownership.woken(tag, queueOf(tag).claimed)
    }
    await pass(60_000)
    await balanced()
    expect(ownership.owned.size).toBe(1)
  })
})
