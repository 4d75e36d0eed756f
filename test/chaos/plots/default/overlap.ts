import { setTimeout as sleep } from 'node:timers/promises'
import { waitFor } from '@relay/tools/wait-for.js'
import { DEFAULTS } from '../../stack/settings.js'
import { disturb } from '../disturb.js'
import type { Aimed, Stage } from '../plot.js'
import { Poster } from '../poster.js'

/** Longer than everything but the request timeout: MoEngage takes this for one request, ms. */
const SLOW_MS = 6_000
const READY_WITHIN_MS = 30_000
/** More customers than partitions, so that several requests are open when the fault comes. */
const CUSTOMERS = ['ann', 'bob', 'cid', 'dan', 'eve', 'fay']

/**
 * One value of each customer is on its way to a slow MoEngage when `fault` ends all claims; a newer
 * value is posted as soon as an api accepts it. It must neither be in flight beside the older one
 * nor be overwritten by it.
 */
async function overtake(stage: Stage, fault: () => Promise<void>) {
  const { stack } = stage
  const poster = new Poster(stage)
  await poster.delivered(await poster.accepted('user', ['warm'], 0))
  const action = { kind: 'delay', beforeMs: SLOW_MS }
  await stack.vendor.addFault({ id: 'vendor-slow', durationMs: 2_000, action })
  await poster.accepted('user', CUSTOMERS, 0)
  await poster.requestsOpen(1)
  const done = await disturb(
    { name: 'claims-end', loses: 'settles', mayLinger: false },
    async () => {
      await sleep(500)
      await fault()
      // The first may be answered by an api that is about to notice.
      const newer = poster.next('user', CUSTOMERS)
      await waitFor(async () => (await poster.post(newer, 0, 'newer')) === 200, {
        what: 'the newer values to be accepted',
        timeoutMs: READY_WITHIN_MS,
        everyMs: 100,
      })
      await poster.delivered(newer)
      // What was on its way all the while has arrived by now, or never will.
      await sleep(SLOW_MS + DEFAULTS.timers.arrivalGraceMs)
    },
  )
  return [done]
}

const base = { conditions: DEFAULTS, load: false, drainWithinMs: 60_000 }

const redisBlinks: Aimed = {
  ...base,
  name: 'overlap-redis-blinks',
  about: 'Redis is killed and back in 0.2 s while MoEngage takes 6 s for a request',
  conditions: { ...DEFAULTS, appendonly: 'always' },
  play: (stage) =>
    overtake(stage, async () => {
      await stage.stack.redis.kill9()
      await sleep(200)
      await stage.stack.redis.restart()
    }),
}

const sessionForgotten: Aimed = {
  ...base,
  name: 'overlap-session-forgotten',
  about: 'the registry forgets every session while MoEngage takes 6 s for a request',
  play: (stage) => overtake(stage, () => stage.remains.forgetSessions()),
}

const clockSteps: Aimed = {
  ...base,
  name: 'overlap-clock-steps',
  about: "Redis' clock steps by a minute while MoEngage takes 6 s for a request",
  steppingRedis: true,
  play: (stage) => overtake(stage, () => stage.remains.stepClock(60_000)),
}

export const overlapPlots: readonly Aimed[] = [redisBlinks, sessionForgotten, clockSteps]
