import { setTimeout as sleep } from 'node:timers/promises'
import { DEFAULTS } from '../../stack/settings.js'
import type { Aimed, Stage } from '../plot.js'
import { Poster } from '../poster.js'

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
const base = { load: false, drainWithinMs: 60_000 }

async function postTwoWindows(stage: Stage): Promise<void> {
  const poster = new Poster(stage)
  const customers = Array.from({ length: USERS }, (_, i) => `c-${String(i)}`)
  for (let at = 0; at < USERS; at += PER_POST) {
    await poster.accepted('user', customers.slice(at, at + PER_POST), at % 2)
  }
  await poster.arrivals(WINDOW_USERS * 0.8)
}

/** The rest is delivered without a further post, and until then the autoscaler is asked for workers. */
async function expectServed(stage: Stage): Promise<void> {
  const { views, breach } = stage
  await views.look()
  if (views.workersWanted === 0) {
    breach('the views show the backlog', 'relay_workers_wanted is 0 while elements wait')
  }
}

/** A partition with data is served after any former owner. */
const dormantPartitions: Aimed = {
  ...base,
  name: 'dormant-partitions',
  about:
    'two windows of users and no further post: after 36 s one of two workers dies, the other takes over and is then replaced by a third',
  conditions,
  play: async (stage) => {
    const [first, second, third] = stage.stack.workers
    if (first === undefined || second === undefined || third === undefined) throw new Error('three workers are needed') // prettier-ignore
    await postTwoWindows(stage)
    await sleep(SILENCE_MS)
    await first.kill9()
    await sleep(TAKEN_OVER_MS)
    await second.stop()
    await third.start()
    await third.ready(READY_WITHIN_MS)
    await expectServed(stage)
    return []
  },
}

const dormantAfterRestart: Aimed = {
  ...base,
  name: 'dormant-after-restart',
  about:
    'two windows of users and no further post: after 36 s Redis is stopped and started, and a lease later the worker is replaced',
  conditions: { ...conditions, workers: 1 },
  play: async (stage) => {
    const [first, second] = stage.stack.workers
    if (first === undefined || second === undefined) throw new Error('two workers are needed')
    await postTwoWindows(stage)
    await sleep(SILENCE_MS)
    await stage.stack.redis.restart()
    await sleep(TAKEN_OVER_MS)
    await first.stop()
    await second.start()
    await second.ready(READY_WITHIN_MS)
    await expectServed(stage)
    return []
  },
}

export const dormantPlots: readonly Aimed[] = [dormantPartitions, dormantAfterRestart]
