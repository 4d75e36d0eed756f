import { setTimeout as sleep } from 'node:timers/promises'
import { DEFAULTS } from '../stack/settings.js'
import type { Service } from '../stack/service.js'
import type { Aimed, Stage } from './plot.js'
import { Poster } from './poster.js'

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
  const customers = Array.from({ length: USERS }, (_, i) => `c-${String(i)}`)
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
