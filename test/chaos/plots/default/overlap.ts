import { setTimeout as sleep } from 'node:timers/promises'
import { DEFAULTS } from '../../stack/settings.js'
import { disturb, type Aimed, type Stage } from '../plot.js'
import { Poster } from '../poster.js'

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
