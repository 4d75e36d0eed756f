import { waitFor } from '@relay/tools/wait-for.js'
import { nowMs } from '../../clock.js'
import type { Disturbance } from '../../oracle/model.js'
import { DEFAULTS } from '../../stack/settings.js'
import { disturb } from '../disturb.js'
import type { Aimed, Stage } from '../plot.js'
import { Poster } from '../poster.js'

const RESTARTS = 10
/** After so many that came too late the rest shows nothing new. */
const ENOUGH_BREACHES = 3
/** From the first 200 after a restart until all of that post is at MoEngage, ms. */
const RESUMES_WITHIN_MS = 2_000
const ACCEPTED_WITHIN_MS = 30_000
/** More than partitions, so that every partition gets some. */
const CUSTOMERS = Array.from({ length: 40 }, (_, i) => `c-${String(i)}`)

/** Restarts Redis again and again; each time what is accepted next is delivered at once. */
async function restarts(stage: Stage): Promise<readonly Disturbance[]> {
  const { stack, breach, say } = stage
  const poster = new Poster(stage)
  await poster.delivered(await poster.accepted('event', CUSTOMERS, 0))
  const done: Disturbance[] = []
  let breaches = 0
  for (let i = 0; i < RESTARTS && breaches < ENOUGH_BREACHES; i += 1) {
    await poster.settled()
    done.push(
      await disturb({ name: 'redis-restart', loses: 'nothing', mayLinger: false }, () =>
        stack.redis.restart(),
      ),
    )
    const elements = poster.next('event', CUSTOMERS)
    await waitFor(async () => (await poster.post(elements, 0, `after-${String(i)}`)) === 200, {
      what: 'a post to be accepted',
      timeoutMs: ACCEPTED_WITHIN_MS,
      everyMs: 50,
    })
    const acceptedMs = nowMs()
    await poster.delivered(elements)
    const tookMs = nowMs() - acceptedMs
    say(`  restart ${String(i + 1)}: delivered ${tookMs.toFixed(0)} ms after the first 200`)
    if (tookMs <= RESUMES_WITHIN_MS) continue
    breaches += 1
    breach('sending resumes in time', `restart ${String(i + 1)}: ${tookMs.toFixed(0)} ms`)
  }
  return done
}

const base = { load: false, drainWithinMs: 30_000, play: restarts }

export const resumePlots: readonly Aimed[] = [
  {
    ...base,
    name: 'resume-two-workers',
    about: 'Redis is restarted ten times; two workers',
    conditions: DEFAULTS,
  },
  {
    ...base,
    name: 'resume-one-worker',
    about: 'Redis is restarted ten times; one worker',
    conditions: { ...DEFAULTS, workers: 1 },
  },
]
