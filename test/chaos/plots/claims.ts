import { setTimeout as sleep } from 'node:timers/promises'
import { waitFor } from '@relay/tools/wait-for.js'
import { nowMs } from '../clock.js'
import { DEFAULTS, QUICK_TIMERS, USUAL } from '../stack/settings.js'
import { disturb, type Aimed, type Stage } from './plot.js'
import { Poster } from './poster.js'

/** The worker that has a request open, by its connection. */
async function senderOf({ stack }: Stage) {
  return waitFor(
    async () => {
      const requests = await stack.vendor.requests((port) => stack.sendersAt(port))
      const open = requests.find(({ fate }) => fate === 'open')
      return stack.workers.find(({ name }) => open?.places?.includes(name))
    },
    { what: 'an open request' },
  )
}

const LEASE_MS = 12_000
/** Longer than Redis takes to come back and a worker to claim, within what a lease leaves, ms. */
const OPEN_MS = 7_500

export const claimPlots: readonly Aimed[] = [
  {
    // An attempt that relay gave up is processed after its retry and after later requests.
    name: 'late-arrival',
    about:
      'MoEngage processes the first attempt 4.5 s after it was sent, 3 s after relay gave it up and 1 s after its retry; a newer value waits behind it',
    conditions: {
      ...USUAL,
      timers: { ...QUICK_TIMERS, arrivalGraceMs: 4_000, leaseMs: 10_000 },
      workers: 1,
      simulator: { SIM_CLOSED_BEFORE_ARRIVAL: 'process' },
    },
    play: async (stage) => {
      const poster = new Poster(stage)
      await stage.stack.vendor.delay(4_500, { count: 1 })
      await poster.accepted('user', ['ann'], 0)
      await poster.requestOpen()
      await poster.delivered(await poster.accepted('user', ['ann'], 0))
      await sleep(4_500)
    },
  },
  {
    // Redis forgets a claim whose owner is cut off from it, and has a request open.
    name: 'forgotten-claim',
    about:
      'a worker is cut off from Redis with a request open, Redis comes back from before its claim, and a newer value of the same customer is posted',
    conditions: {
      ...USUAL,
      workers: 2,
      partitions: 1,
      timers: { ...QUICK_TIMERS, leaseMs: LEASE_MS, requestTimeoutMs: 10_000 },
    },
    play: async (stage) => {
      const { stack, journal } = stage
      const poster = new Poster(stage)
      const fromMs = nowMs()
      await stack.saveRedis()
      // Trusted again: no worker has just started.
      await sleep(LEASE_MS + 1_000)
      await stack.vendor.delay(OPEN_MS, { count: 1 })
      await poster.accepted('user', ['ann'], 0)
      const sender = await senderOf(stage)
      await disturb(stage, 'redis-forgets', { loses: 'settles' }, async () => {
        sender.redis.refuse()
        sender.redis.cut()
        await stack.restoreRedis()
        journal.forgets.push({ fromMs, toMs: nowMs() })
        const newer = poster.next('user', ['ann'])
        await poster.untilAccepted(newer, 0, 'newer')
        await poster.delivered(newer)
        sender.redis.heal()
      })
    },
  },
]

/** Longer than everything but the request timeout: MoEngage takes this for one request, ms. */
const SLOW_MS = 6_000
/** More customers than partitions, so that several requests are open when the fault comes. */
const CUSTOMERS = ['ann', 'bob', 'cid', 'dan', 'eve', 'fay']

/**
 * One value of each customer is on its way to a slow MoEngage when `fault` ends all claims; a newer
 * value is posted as soon as an api accepts it. It must neither be in flight beside the older one
 * nor be overwritten by it.
 */
const overtake = (fault: (stage: Stage) => Promise<void>) => async (stage: Stage) => {
  const poster = new Poster(stage)
  await poster.delivered(await poster.accepted('user', ['warm'], 0))
  await stage.stack.vendor.delay(SLOW_MS, { durationMs: 2_000 })
  await poster.accepted('user', CUSTOMERS, 0)
  await poster.requestOpen()
  await disturb(stage, 'claims-end', { loses: 'settles' }, async () => {
    await sleep(500)
    await fault(stage)
    // The first may be answered by an api that is about to notice.
    const newer = poster.next('user', CUSTOMERS)
    await poster.untilAccepted(newer, 0, 'newer')
    await poster.delivered(newer)
    // What was on its way all the while has arrived by now, or never will.
    await sleep(SLOW_MS + DEFAULTS.timers.arrivalGraceMs)
  })
}

export const overlapPlots: readonly Aimed[] = [
  {
    name: 'overlap-redis-blinks',
    about: 'Redis is killed and back in 0.2 s while MoEngage takes 6 s for a request',
    conditions: { ...DEFAULTS, appendonly: 'always' },
    play: overtake(async ({ stack: { redis } }) => {
      await redis.kill9()
      await sleep(200)
      await redis.restart()
    }),
  },
  {
    name: 'overlap-session-forgotten',
    about: 'the registry forgets every session while MoEngage takes 6 s for a request',
    conditions: DEFAULTS,
    play: overtake(({ remains }) => remains.forgetSessions()),
  },
  {
    name: 'overlap-clock-steps',
    about: "Redis' clock steps by a minute while MoEngage takes 6 s for a request",
    conditions: DEFAULTS,
    steppingRedis: true,
    play: overtake(({ remains }) => remains.stepClock(60_000)),
  },
]
