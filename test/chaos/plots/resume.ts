import { setTimeout as sleep } from 'node:timers/promises'
import { nowMs } from '../clock.js'
import { DEFAULTS } from '../stack/settings.js'
import { disturb, type Aimed, type Stage } from './plot.js'
import { Poster } from './poster.js'

const RESTARTS = 10
/** After so many that came too late the rest shows nothing new. */
const ENOUGH_BREACHES = 3
/** From the first 200 after a restart until all of that post is at MoEngage, ms. */
const RESUMES_WITHIN_MS = 2_000
/** More than partitions, so that every partition gets some. */
const CUSTOMERS = Array.from({ length: 40 }, (_, i) => `c-${String(i)}`)

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
    await poster.untilAccepted(elements, 0, `after-${String(i)}`)
    const acceptedMs = nowMs()
    await poster.delivered(elements)
    const tookMs = nowMs() - acceptedMs
    say(`  restart ${String(i + 1)}: delivered ${tookMs.toFixed(0)} ms after the first 200`)
    if (tookMs <= RESUMES_WITHIN_MS) continue
    breaches += 1
    breach('sending resumes in time', `restart ${String(i + 1)}: ${tookMs.toFixed(0)} ms`)
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
