import { setTimeout as sleep } from 'node:timers/promises'
import { nowMs } from '../../clock.js'
import { DEFAULTS, OTHER_WORKSPACE } from '../../stack/settings.js'
import { disturb, type Aimed, type Stage } from '../plot.js'
import { Poster } from '../poster.js'

/** Within the request timeout, and long enough for both services to see the file twice, ms. */
const SLOW_MS = 8_000
/** Both services see a change of the file within this, ms. */
const SEEN_WITHIN_MS = 2_500
/** From the landing of the request until what waited behind it is at MoEngage, ms. */
const RESUMES_WITHIN_MS = 1_000
/** From the arrival of a request until relay has its answer, and for the watch itself, ms. */
const SLACK_MS = 500
/** One partition only: nothing else wakes the worker. */
const CUSTOMERS = ['ann']

async function removeAndReturn(stage: Stage): Promise<void> {
  const { stack, breach, say } = stage
  const poster = new Poster(stage)
  await poster.delivered(await poster.accepted('user', ['warm'], 0))
  await stack.vendor.delay(SLOW_MS, { durationMs: 1_000 })
  const first = await poster.accepted('user', CUSTOMERS, 0)
  await poster.requestsOpen(1)
  await sleep(200)
  const behind = await poster.accepted('user', CUSTOMERS, 0)
  await stack.removeWorkspace(OTHER_WORKSPACE)
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
  if (!isResumed || nowMs() - landedMs > RESUMES_WITHIN_MS + SLACK_MS) {
    breach('sending resumes in time', took)
  }
}

export const workspaceReturns: Aimed = {
  name: 'workspace-returns',
  about: 'a workspace is taken out of the file and put back while one of its requests is open',
  conditions: { ...DEFAULTS, workers: 1 },
  drainWithinMs: 30_000,
  play: (stage) =>
    disturb(stage, 'workspace-removed', { loses: 'nothing' }, () => removeAndReturn(stage)),
}
