import { startRedis, type TestRedis } from '@relay/dev/redis/test-redis.js'
import { systemClock } from '@relay/shared/clock.js'
import { Deployment } from '@relay/shared/queue/deployment.js'
import { deploymentKeys, partitionTag } from '@relay/shared/queue/keys.js'
import { PartitionQueue } from '@relay/shared/queue/partition-queue.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import type { PartitionWindow } from '../../src/fetch/window.js'
import { fairShare } from '../../src/ownership/fair-share.js'
import { Ownership } from '../../src/ownership/ownership.js'

const TAG = partitionTag({ appId: 'APP', lane: 'realtime', generation: 0, index: 0 })
const LEASE_MS = 60_000

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

function worker(session: string, clock = systemClock) {
  const seen = {
    refreshes: 0,
    takeovers: [] as string[],
    gained: [] as string[],
    windows: [] as PartitionWindow[],
    unreadable: [] as number[],
  }
  const ownership = new Ownership({
    ...{ client, prefix, deployment, clock, leaseMs: LEASE_MS },
    session: () => ({ id: session, alive: true }),
    onGained: (window) => {
      seen.windows.push(window)
      seen.gained.push(`${window.tag} ${window.stale ? 'unread' : 'read'}`)
    },
    onUnreadable: (_tag, format) => seen.unreadable.push(format),
    onLost: () => undefined,
    onTakeover: (tag) => seen.takeovers.push(tag),
    refresh: () => {
      seen.refreshes += 1
    },
  })
  const hear = async (step: 'join' | 'renew' | 'leave') => {
    const askedAtMs = clock.monotonicMs()
    return { roster: await deployment.session(session, LEASE_MS, step), askedAtMs }
  }
  return { ownership, seen, hear }
}

const owner = () => new PartitionQueue(client, prefix, TAG).owner()

test('a partition is never taken from a session that joined after the roster was asked for', async () => {
  await deployment.mark([TAG])
  const first = worker('first.1')
  const old = await first.hear('join')
  const later = worker('later.1')
  const { roster, askedAtMs } = await later.hear('join')
  // With one session only in its roster, it takes the partition.
  await later.ownership.balance({ ...roster, sessions: new Map([['later.1', 0]]) }, askedAtMs)
  expect(await owner()).toBe('later.1:1')

  await first.ownership.balance(old.roster, old.askedAtMs)
  expect(await owner()).toBe('later.1:1')
  expect(first.seen).toMatchObject({ refreshes: 1, takeovers: [], gained: [] })

  const fresh = await first.hear('renew')
  await first.ownership.balance(fresh.roster, fresh.askedAtMs)
  expect(await owner()).toBe('later.1:1')
  expect(first.seen).toMatchObject({ refreshes: 1, takeovers: [], gained: [] })
})

test('a wake-up that names an unknown owner takes nothing over before a fresh roster came', async () => {
  const first = worker('first.1')
  const old = await first.hear('join')
  await first.ownership.balance(old.roster, old.askedAtMs)
  const later = worker('later.1')
  const { roster, askedAtMs } = await later.hear('join')
  await deployment.mark([TAG])
  const dirty = [TAG]
  await later.ownership.balance(
    { ...roster, dirty, sessions: new Map([['later.1', 0]]) },
    askedAtMs,
  )
  await first.ownership.woken(TAG, 'later.1:1')
  expect(await owner()).toBe('later.1:1')
  expect(first.seen).toMatchObject({ refreshes: 1, takeovers: [], gained: [] })
})

test("a dead session's partition is taken over with the first roster asked for after it was seen", async () => {
  await deployment.mark([TAG])
  const dead = worker('dead.1')
  const joined = await dead.hear('join')
  await dead.ownership.balance(joined.roster, joined.askedAtMs)
  await dead.hear('leave')
  const heir = worker('heir.1')
  const first = await heir.hear('join')
  await heir.ownership.balance(first.roster, first.askedAtMs)
  expect(heir.seen.refreshes).toBe(1)
  const second = await heir.hear('renew')
  await heir.ownership.balance(second.roster, second.askedAtMs)
  expect(await owner()).toBe('heir.1:1')
  expect(heir.seen.takeovers).toEqual([TAG])
})

test('after missed wake-ups every owned partition is looked into again', async () => {
  await deployment.mark([TAG])
  const only = worker('only.1')
  const { roster, askedAtMs } = await only.hear('join')
  await only.ownership.balance(roster, askedAtMs)
  for (const { window } of only.ownership.owned.values()) window.stale = false
  only.ownership.recheck()
  expect(only.seen.gained).toEqual([`${TAG} unread`, `${TAG} unread`])
})

test('a claim seen before its answer came is not claimed over: what is served is what owns', async () => {
  const only = worker('only.1')
  const { roster, askedAtMs } = await only.hear('join')
  await only.ownership.balance(roster, askedAtMs)

  await Promise.all([
    only.ownership.woken(TAG, ''),
    // Announced by an add that came right after the claim.
    only.ownership.woken(TAG, 'only.1:1'),
  ])
  expect(only.ownership.owned.get(TAG)?.window.claim).toBe(await owner())
})

test('a partition given up while a claim of it is refused is claimed again at once', async () => {
  const other = worker('other.1')
  await other.hear('join')
  const first = worker('first.1')
  const { roster, askedAtMs } = await first.hear('join')
  await first.ownership.balance(roster, askedAtMs)
  const queue = new PartitionQueue(client, prefix, TAG)
  await queue.claim('', 'other.1:1')

  const refused = first.ownership.woken(TAG, '')
  const released = queue.release('other.1:1')
  await Promise.all([refused, released, first.ownership.woken(TAG, '')])
  expect(await owner()).toMatch(/^first\.1:/)
})

test('who was beaten to a partition claims another in its place', async () => {
  const tags = [0, 1].map((index) =>
    partitionTag({ appId: 'APP', lane: 'realtime', generation: 0, index }),
  )
  const other = worker('other.1')
  await other.hear('join')
  const first = worker('first.1')
  const { roster, askedAtMs } = await first.hear('join')
  await first.ownership.balance(roster, askedAtMs)
  // Whichever of the two it tries first, the other worker has it by then.
  const [taken = '', left = ''] = fairShare('first.1', ['first.1', 'other.1'], tags, new Map())
    .claim.concat(tags)
    .filter((tag, i, all) => all.indexOf(tag) === i)
  await new PartitionQueue(client, prefix, taken).claim('', 'other.1:1')

  // Both wake up together: of two with data it wants one.
  await first.ownership.woken(left, 'other.1:0')
  const woken = first.ownership.woken(taken, '')
  await Promise.all([woken, first.ownership.woken(left, '')])
  expect(await new PartitionQueue(client, prefix, left).owner()).toMatch(/^first\.1:/)
})

test('a partition whose giving up was not heard of is found within a lease', async () => {
  await deployment.mark([TAG])
  let shiftMs = 0
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + shiftMs }
  await worker('other.1').hear('join')
  const queue = new PartitionQueue(client, prefix, TAG)
  await queue.claim('', 'other.1:1')
  const first = worker('first.1', clock)
  const early = await first.hear('join')
  await first.ownership.balance(early.roster, early.askedAtMs)
  await queue.release('other.1:1')

  const soon = await first.hear('renew')
  await first.ownership.balance(soon.roster, soon.askedAtMs)
  expect(await owner()).toBe('')
  shiftMs = LEASE_MS + 1
  const later = await first.hear('renew')
  await first.ownership.balance(later.roster, later.askedAtMs)
  expect(await owner()).toMatch(/^first\.1:/)
})

test('a partition that a worker cannot read is left to another, and looked at again later', async () => {
  await deployment.mark([TAG])
  const old = worker('old.1')
  const joined = await old.hear('join')
  await old.ownership.balance(joined.roster, joined.askedAtMs)
  const [window] = old.seen.windows
  if (window === undefined) throw new Error('the only worker takes the partition')
  window.unreadable = 2
  await old.ownership.idle(window)
  expect(old.seen.unreadable).toEqual([2])
  expect(old.ownership.unreadable).toEqual([TAG])
  expect(await owner()).toBe('')
  // Alone as it is, it does not take it back at once.
  const again = await old.hear('renew')
  await old.ownership.balance(again.roster, again.askedAtMs)
  expect(await owner()).toBe('')
  const newer = worker('newer.1')
  const there = await newer.hear('join')
  await newer.ownership.balance(there.roster, there.askedAtMs)
  expect(await owner()).toMatch(/^newer\.1:/)
})

test("a step back of Redis' clock does not keep a dead worker's session alive for as long", async () => {
  const { sessions } = deploymentKeys(prefix)
  const [seconds] = await client.time()
  const aheadMs = (Number(seconds) + 3_600) * 1000
  await client.zadd(sessions, aheadMs, 'dead.1')
  const { roster } = await worker('alive.1').hear('join')
  const leftMs = (roster.sessions.get('dead.1') ?? Infinity) - roster.redisNowMs
  expect(leftMs).toBeGreaterThan(LEASE_MS)
  expect(leftMs).toBeLessThanOrEqual(4 * LEASE_MS)
})
