import { setTimeout as sleep } from 'node:timers/promises'
import { disturb, type Aimed, type Stage } from './plot.js'
import { Poster } from './poster.js'
import { nowMs } from '../clock.js'
import type { Service } from '../stack/service.js'
import { DEFAULTS } from '../stack/settings.js'

const RESTARTS = 10
/** After so many that came too late the rest shows nothing new. */
const ENOUGH_BREACHES = 3
/** From the first 200 after a restart until all of that post is at MoEngage, ms. */
const RESUMES_WITHIN_MS = 2_000
/** More than partitions, so that every partition gets some. */
const CUSTOMERS = Array.from({ length: 40 }, (_, i) => `c-${i}`)

/** Restarts Redis again and again; each time what is accepted next is delivered at once. */
async function restarts(stage: Stage): Promise<void> {
  const { stack, breach, say } = stage
  const poster = new Poster(stage)
  await poster.delivered(await poster.accepted('event', CUSTOMERS, 0))
  let breaches = 0
  for (let i = 0; i < RESTARTS && breaches < ENOUGH_BREACHES; i += 1) {
    await poster.settled()
    await disturb(stage, 'redis-restart', { loses: 'nothing' }, () => stack.redis.restart())
    const elements = poster.next('event', CUSTOMERS)
    await poster.untilAccepted(elements, 0, `after-${i}`)
    const acceptedMs = nowMs()
    await poster.delivered(elements)
    const tookMs = nowMs() - acceptedMs
    say(`  restart ${i + 1}: delivered ${tookMs.toFixed(0)} ms after the first 200`)
    if (tookMs <= RESUMES_WITHIN_MS) continue
    breaches += 1
    breach('sending resumes in time', `restart ${i + 1}: ${tookMs.toFixed(0)} ms`)
  }
}

/** Within the request timeout, and long enough for both services to see the file twice, ms. */
const SLOW_MS = 8_000
/** Both services see a change of the file within this, ms. */
const SEEN_WITHIN_MS = 2_500
/** From the arrival of the slow request until what waited behind it is at MoEngage: 1 s, and 0.5 s for the answer and the watch, ms. */
const FOLLOWS_WITHIN_MS = 1_500
/** One partition only: nothing else wakes the worker. */
const ONE_CUSTOMER = ['ann']

async function removeAndReturn(stage: Stage): Promise<void> {
  const { stack, breach, say } = stage
  const poster = new Poster(stage)
  await poster.delivered(await poster.accepted('user', ['warm'], 0))
  await stack.vendor.delay(SLOW_MS, { durationMs: 1_000 })
  const first = await poster.accepted('user', ONE_CUSTOMER, 0)
  await poster.requestOpen()
  await sleep(200)
  const behind = await poster.accepted('user', ONE_CUSTOMER, 0)
  await stack.removeWorkspace()
  await sleep(SEEN_WITHIN_MS)
  await stack.writeWorkspaces()
  await poster.delivered(first)
  const landedMs = nowMs()
  const isResumed = await poster.delivered(behind).then(
    () => true,
    () => false,
  )
  const took = `${(nowMs() - landedMs).toFixed(0)} ms after the landing`
  say(`  ${isResumed ? 'delivered' : 'not delivered'} ${took}`)
  if (!isResumed || nowMs() - landedMs > FOLLOWS_WITHIN_MS) {
    breach('sending resumes in time', took)
  }
}

export const resumePlots: readonly Aimed[] = [
  {
    name: 'resume-two-workers',
    about: 'Redis is restarted ten times; two workers',
    conditions: DEFAULTS,
    drainWithinMs: 30_000,
    play: restarts,
  },
  {
    name: 'resume-one-worker',
    about: 'Redis is restarted ten times; one worker',
    conditions: { ...DEFAULTS, workers: 1 },
    drainWithinMs: 30_000,
    play: restarts,
  },
  {
    name: 'workspace-returns',
    about: 'a workspace is taken out of the file and put back while one of its requests is open',
    conditions: { ...DEFAULTS, workers: 1 },
    drainWithinMs: 30_000,
    play: (stage) =>
      disturb(stage, 'workspace-removed', { loses: 'nothing' }, () => removeAndReturn(stage)),
  },
]

const READY_WITHIN_MS = 15_000
/** One window takes about half of it: the rest is in Redis for a minute. */
const WINDOW_USERS = 2_000
const USERS = 1.75 * WINDOW_USERS
const PER_POST = 250
/** Longer than any mark of a partition with data is trusted. */
const SILENCE_MS = 36_000
/** From the death of a worker until another has taken over its partitions. */
const TAKEN_OVER_MS = DEFAULTS.timers.leaseMs + 3_000

const conditions = { ...DEFAULTS, limits: { ...DEFAULTS.limits, users: WINDOW_USERS } }

/** Posts what takes two windows, and leaves relay alone for longer than it trusts a mark. */
async function leaveBacklog(stage: Stage): Promise<void> {
  const poster = new Poster(stage)
  const customers = Array.from({ length: USERS }, (_, i) => `c-${i}`)
  await poster.burst('user', customers, PER_POST)
  await poster.arrivals(WINDOW_USERS * 0.8)
  await sleep(SILENCE_MS)
}

/**
 * One worker takes the place of another. The rest is delivered without a further post, and until then the
 * autoscaler is asked for workers.
 */
async function replace(former: Service, next: Service, { views, breach }: Stage): Promise<void> {
  await sleep(TAKEN_OVER_MS)
  await former.stop()
  await next.start()
  await next.ready(READY_WITHIN_MS)
  await views.look()
  if (views.workersWanted === 0) {
    breach('the views show the backlog', 'relay_workers_wanted is 0 while elements wait')
  }
}

/** A partition with data is served after any former owner. */
export const dormantPlots: readonly Aimed[] = [
  {
    name: 'dormant-partitions',
    about:
      'two windows of users and no further post: after 36 s one of two workers dies, the other takes over and is then replaced by a third',
    conditions,
    play: async (stage) => {
      const { stack } = stage
      await leaveBacklog(stage)
      await stack.worker(0).kill9()
      await replace(stack.worker(1), stack.worker(2), stage)
    },
  },
  {
    name: 'dormant-after-restart',
    about:
      'two windows of users and no further post: after 36 s Redis is stopped and started, and a lease later the worker is replaced',
    conditions: { ...conditions, workers: 1 },
    play: async (stage) => {
      const { stack } = stage
      await leaveBacklog(stage)
      await stack.redis.restart()
      await replace(stack.worker(0), stack.worker(1), stage)
    },
  },
]
