import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { systemClock } from '@relay/shared/clock.js'
import { Deployment, type Roster } from '@relay/shared/queue/deployment.js'
import { deploymentKeys, partitionKeys, partitionTag } from '@relay/shared/queue/keys.js'
import { PartitionQueue } from '@relay/shared/queue/partition-queue.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import type { PartitionWindow } from '../../src/fetch/window.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { fairShare } from '../../src/ownership/fair-share.js'
import { InFlight } from '../../src/ownership/in-flight.js'
import { Ownership } from '../../src/ownership/ownership.js'
import { Peers } from '../../src/ownership/peers.js'
import { newSessionId, runDigest, sessionOf, workerOf } from '@relay/shared/queue/session-id.js'

const TAG = partitionTag({ appId: 'APP', lane: 'realtime', generation: 0, index: 0 })
const LEASE_MS = 60_000
const RUN = 'run of Redis'
/** No claim is late. */
const FAR = Number.MAX_SAFE_INTEGER

let redis: TestRedis
let client: RedisClient
let prefix: string
let deployment: Deployment

beforeAll(async () => {
  redis = await startRedis()
  client = connectRedis({ mode: 'single', url: redis.url }, { commandTimeoutMs: 5_000 })
  await new Promise((resolve) => client.once('ready', resolve))
})

beforeEach(() => {
  prefix = redis.freshPrefix()
  deployment = new Deployment(client, prefix)
})

afterAll(async () => {
  client.disconnect()
  await redis.stop()
})

const idOf = (worker: string) => newSessionId(worker, 1, RUN)

function worker(name: string, clock = systemClock) {
  const session = idOf(name)
  const seen = {
    refreshes: 0,
    takeovers: [] as string[],
    gained: [] as string[],
    windows: [] as PartitionWindow[],
    unreadable: [] as number[],
  }
  const runId = () => RUN
  const peers = new Peers({ clock, leaseMs: LEASE_MS, runId })
  const inFlight = new InFlight(clock, 5_000)
  const ownership = new Ownership({
    ...{ worker: name, deployment, clock, peers, inFlight, runId, leaseMs: LEASE_MS },
    queueOf: (tag) => new PartitionQueue(client, prefix, tag),
    redisNowMs: () => Number.MAX_SAFE_INTEGER - 10_000,
    session: () => ({ id: session, alive: true }),
    onGained: (window) => {
      seen.windows.push(window)
      seen.gained.push(`${window.tag} ${window.stale ? 'unread' : 'read'}`)
    },
    onUnreadable: (_tag, format) => seen.unreadable.push(format),
    onLost: () => undefined,
    serves: () => true,
    onTakeover: (tag) => seen.takeovers.push(tag),
    refresh: () => {
      seen.refreshes += 1
    },
  })
  const hear = async (step: 'join' | 'renew' | 'leave') => {
    const askedAtMs = clock.monotonicMs()
    const call = { id: session, leaseMs: LEASE_MS, step, replaces: '', run: runDigest(RUN) }
    return { roster: await deployment.session(call), askedAtMs }
  }
  const balance = async (roster: Roster, askedAtMs: number) => {
    peers.observe(roster, askedAtMs)
    await ownership.balance(roster, askedAtMs)
  }
  return { ownership, inFlight, seen, hear, balance }
}

const workerOfClaim = (claim: string) => workerOf(sessionOf(claim))
const owner = () => new PartitionQueue(client, prefix, TAG).owner()

test('a partition is never taken from a session that joined after the roster was asked for', async () => {
  await deployment.mark([TAG])
  const first = worker('first')
  const old = await first.hear('join')
  const later = worker('later')
  const { roster, askedAtMs } = await later.hear('join')
  // With one session only in its roster, it takes the partition.
  await later.balance({ ...roster, sessions: new Map([[idOf('later'), 0]]) }, askedAtMs)
  expect(await owner()).toBe(`${idOf('later')}:1`)

  await first.balance(old.roster, old.askedAtMs)
  expect(await owner()).toBe(`${idOf('later')}:1`)
  expect(first.seen).toMatchObject({ refreshes: 1, takeovers: [], gained: [] })

  const fresh = await first.hear('renew')
  await first.balance(fresh.roster, fresh.askedAtMs)
  expect(await owner()).toBe(`${idOf('later')}:1`)
  expect(first.seen).toMatchObject({ refreshes: 1, takeovers: [], gained: [] })
})

test('a wake-up that names an unknown owner takes nothing over before a fresh roster came', async () => {
  const first = worker('first')
  const old = await first.hear('join')
  await first.balance(old.roster, old.askedAtMs)
  const later = worker('later')
  const { roster, askedAtMs } = await later.hear('join')
  await deployment.mark([TAG])
  const active = new Map([[TAG, 1]])
  await later.balance({ ...roster, active, sessions: new Map([[idOf('later'), 0]]) }, askedAtMs)
  await first.ownership.woken(TAG, `${idOf('later')}:1`)
  expect(await owner()).toBe(`${idOf('later')}:1`)
  expect(first.seen).toMatchObject({ refreshes: 1, takeovers: [], gained: [] })
})

test('a claim of a session that the registry does not have is taken over once its lease must be over', async () => {
  await deployment.mark([TAG])
  let shiftMs = 0
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + shiftMs }
  const gone = worker('gone')
  const joined = await gone.hear('join')
  await gone.balance(joined.roster, joined.askedAtMs)
  const heir = worker('heir', clock)
  const there = await heir.hear('join')
  await heir.balance(there.roster, there.askedAtMs)
  // Forgotten by the registry: its worker may have renewed its lease just before.
  await client.zrem(deploymentKeys(prefix).sessions, idOf('gone'))
  for (const afterMs of [0, LEASE_MS / 2]) {
    shiftMs = afterMs
    const soon = await heir.hear('renew')
    await heir.balance(soon.roster, soon.askedAtMs)
    expect(await owner()).toBe(`${idOf('gone')}:1`)
  }
  shiftMs = LEASE_MS + 1_000
  const later = await heir.hear('renew')
  await heir.balance(later.roster, later.askedAtMs)
  expect(await owner()).toBe(`${idOf('heir')}:1`)
  expect(heir.seen.takeovers).toEqual([TAG])
})

test('the claims of a former session stand again before the worker joins, and are served at once after', async () => {
  await deployment.mark([TAG])
  const only = worker('only')
  const { roster, askedAtMs } = await only.hear('join')
  await only.balance(roster, askedAtMs)
  only.ownership.dropAll(true)
  const next = newSessionId('only', 2, 'another run')
  await only.ownership.reclaim(next)
  expect(await owner()).toBe(`${next}:2`)
  expect(only.ownership.owned.size).toBe(0)
  await only.balance(roster, askedAtMs)
  expect(only.ownership.owned.get(TAG)?.window.claim).toBe(await owner())
})

test('a claim of a former session is not given back while a request of it is in flight', async () => {
  const tags = [0, 1].map((index) =>
    partitionTag({ appId: 'APP', lane: 'realtime', generation: 0, index }),
  )
  await deployment.mark(tags)
  const only = worker('only')
  const first = await only.hear('join')
  await only.balance(first.roster, first.askedAtMs)
  const open = only.inFlight.begin(tags)
  only.ownership.dropAll(true)
  await only.ownership.reclaim(idOf('only'))
  // Another worker has joined: of two partitions each should have one.
  await worker('other').hear('join')
  const second = await only.hear('renew')
  await only.balance(second.roster, second.askedAtMs)
  const owners = () =>
    Promise.all(tags.map((tag) => new PartitionQueue(client, prefix, tag).owner()))
  expect((await owners()).map(workerOfClaim)).toEqual(['only', 'only'])
  open?.end()
  const third = await only.hear('renew')
  await only.balance(third.roster, third.askedAtMs)
  expect((await owners()).map(workerOfClaim).sort()).toEqual(['', 'only'])
})

test('a claim that Redis forgot stands again, unless its worker may have lost it before', async () => {
  await deployment.mark([TAG])
  for (const wasAlive of [true, false]) {
    const only = worker('only')
    const { roster, askedAtMs } = await only.hear('join')
    await only.balance(roster, askedAtMs)
    await client.hdel(partitionKeys(prefix, TAG).control, 'owner')
    only.ownership.dropAll(wasAlive)
    await only.ownership.reclaim(newSessionId('only', 2, 'another run'))
    expect((await owner()) !== '').toBe(wasAlive)
    await client.hdel(partitionKeys(prefix, TAG).control, 'owner')
  }
})

test('after missed wake-ups every owned partition is looked into again', async () => {
  await deployment.mark([TAG])
  const only = worker('only')
  const { roster, askedAtMs } = await only.hear('join')
  await only.balance(roster, askedAtMs)
  for (const { window } of only.ownership.owned.values()) window.stale = false
  only.ownership.recheck()
  expect(only.seen.gained).toEqual([`${TAG} unread`, `${TAG} unread`])
})

test('a claim seen before its answer came is not claimed over: what is served is what owns', async () => {
  const only = worker('only')
  const { roster, askedAtMs } = await only.hear('join')
  await only.balance(roster, askedAtMs)

  await Promise.all([
    only.ownership.woken(TAG, ''),
    // Announced by an add that came right after the claim.
    only.ownership.woken(TAG, `${idOf('only')}:1`),
  ])
  expect(only.ownership.owned.get(TAG)?.window.claim).toBe(await owner())
})

test('a claim that is answered after the worker began to stop is given back', async () => {
  await deployment.mark([TAG])
  const only = worker('only')
  const { roster, askedAtMs } = await only.hear('join')
  const balanced = only.balance(roster, askedAtMs)
  while (only.ownership.isReleased) await new Promise((resolve) => setImmediate(resolve))
  only.ownership.releaseAll()
  await balanced
  expect(only.ownership.isReleased).toBe(true)
  expect(await owner()).toBe('')
})

test('a partition given up while a claim of it is refused is claimed again at once', async () => {
  const other = worker('other')
  await other.hear('join')
  const first = worker('first')
  const { roster, askedAtMs } = await first.hear('join')
  await first.balance(roster, askedAtMs)
  const queue = new PartitionQueue(client, prefix, TAG)
  await queue.claim('', `${idOf('other')}:1`, FAR)

  const refused = first.ownership.woken(TAG, '')
  const released = queue.release(`${idOf('other')}:1`)
  await Promise.all([refused, released, first.ownership.woken(TAG, '')])
  expect(await owner()).toMatch(/^first\.1@/)
})

test('who was beaten to a partition claims another in its place', async () => {
  const tags = [0, 1].map((index) =>
    partitionTag({ appId: 'APP', lane: 'realtime', generation: 0, index }),
  )
  const other = worker('other')
  await other.hear('join')
  const first = worker('first')
  const { roster, askedAtMs } = await first.hear('join')
  await first.balance(roster, askedAtMs)
  // Whichever of the two it tries first, the other worker has it by then.
  const [taken = '', left = ''] = fairShare(
    idOf('first'),
    [idOf('first'), idOf('other')],
    tags,
    new Map(),
  )
    .claim.concat(tags)
    .filter((tag, i, all) => all.indexOf(tag) === i)
  await new PartitionQueue(client, prefix, taken).claim('', `${idOf('other')}:1`, FAR)

  // Both wake up together: of two with data it wants one.
  await first.ownership.woken(left, `${idOf('other')}:0`)
  const woken = first.ownership.woken(taken, '')
  await Promise.all([woken, first.ownership.woken(left, '')])
  expect(await new PartitionQueue(client, prefix, left).owner()).toMatch(/^first\.1@/)
})

test('a partition that its fair share leaves to others is claimed when they do not', async () => {
  const tags = [0, 1, 2].map((index) =>
    partitionTag({ appId: 'APP', lane: 'realtime', generation: 0, index }),
  )
  await deployment.mark(tags)
  await worker('idle').hear('join')
  const first = worker('first')
  const { roster, askedAtMs } = await first.hear('join')
  await first.balance(roster, askedAtMs)
  expect(first.ownership.owned.size).toBe(2)
  await waitFor(() => first.ownership.owned.size === 3, { what: 'the third partition' })

  // The next roster gives it up again, so that the other worker can claim it.
  const next = await first.hear('renew')
  await first.balance(next.roster, next.askedAtMs)
  expect(first.ownership.owned.size).toBe(2)
})

test('a partition whose giving up was not heard of is found within a lease', async () => {
  await deployment.mark([TAG])
  let shiftMs = 0
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + shiftMs }
  await worker('other').hear('join')
  const queue = new PartitionQueue(client, prefix, TAG)
  await queue.claim('', `${idOf('other')}:1`, FAR)
  const first = worker('first', clock)
  const early = await first.hear('join')
  await first.balance(early.roster, early.askedAtMs)
  await queue.release(`${idOf('other')}:1`)

  const soon = await first.hear('renew')
  await first.balance(soon.roster, soon.askedAtMs)
  expect(await owner()).toBe('')
  shiftMs = LEASE_MS + 1
  const later = await first.hear('renew')
  await first.balance(later.roster, later.askedAtMs)
  expect(await owner()).toMatch(/^first\.1@/)
})

test('a partition that a worker cannot read is left to another, and looked at again later', async () => {
  await deployment.mark([TAG])
  const old = worker('old')
  const joined = await old.hear('join')
  await old.balance(joined.roster, joined.askedAtMs)
  const [window] = old.seen.windows
  if (window === undefined) throw new Error('the only worker takes the partition')
  window.unreadable = 2
  old.ownership.idle(window)
  expect(old.seen.unreadable).toEqual([2])
  expect(old.ownership.unreadable).toEqual([TAG])
  expect(await owner()).toBe('')
  // Alone as it is, it does not take it back at once.
  const again = await old.hear('renew')
  await old.balance(again.roster, again.askedAtMs)
  expect(await owner()).toBe('')
  const newer = worker('newer')
  const there = await newer.hear('join')
  await newer.balance(there.roster, there.askedAtMs)
  expect(await owner()).toMatch(/^newer\.1@/)
})

test("a step back of Redis' clock does not keep a dead worker's session alive for as long", async () => {
  const { sessions } = deploymentKeys(prefix)
  const [seconds] = await client.time()
  const aheadMs = (Number(seconds) + 3_600) * 1000
  await client.zadd(sessions, aheadMs, 'dead.1')
  const { roster } = await worker('alive').hear('join')
  const leftMs = (roster.sessions.get('dead.1') ?? Infinity) - roster.redisNowMs
  expect(leftMs).toBeGreaterThan(LEASE_MS)
  expect(leftMs).toBeLessThanOrEqual(4 * LEASE_MS)
})

test('the registry tells a new run of Redis which sessions had not left before, though their leases are over', async () => {
  const { sessions } = deploymentKeys(prefix)
  const call = { id: idOf('new'), leaseMs: LEASE_MS, step: 'join', replaces: '' } as const
  const old = await deployment.session({ ...call, id: 'left.1@x', run: 'first' })
  expect(old.before).toEqual([])
  await deployment.session({ ...call, id: 'left.1@x', step: 'leave', run: 'first' })
  await client.zadd(sessions, 1_000, 'dead.1@x', old.redisNowMs + LEASE_MS, 'alive.1@x')
  for (let i = 0; i < 2; i += 1) {
    const { before, runSinceMs, redisNowMs } = await deployment.session({ ...call, run: 'second' })
    expect(before).toEqual(['dead.1@x', 'alive.1@x'])
    expect(redisNowMs - runSinceMs).toBeLessThan(60_000)
  }
})
