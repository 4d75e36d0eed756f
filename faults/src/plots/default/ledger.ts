import { setTimeout as sleep } from 'node:timers/promises'
import { nowMs } from '../../clock.js'
import { DEFAULTS } from '../../stack/settings.js'
import { disturb } from '../disturb.js'
import type { Aimed, Stage } from '../plot.js'
import { Poster } from '../poster.js'

const WINDOW_EVENTS = 1_000
const BURST = 1_900
const PER_POST = 190
/** How long the worker that sent the burst is frozen, ms. */
const FROZEN_MS = 6_000
const READY_WITHIN_MS = 30_000

/**
 * Redis comes back from before a burst, whose sender is frozen, and a new worker starts: it must not
 * take the ledger of that Redis for the truth.
 */
async function forgetBurst(stage: Stage): Promise<void> {
  const { stack } = stage
  const [sender, newcomer] = stack.workers
  if (sender === undefined || newcomer === undefined) throw new Error('two workers are needed')
  const poster = new Poster(stage)
  await poster.delivered(await poster.accepted('event', ['warm'], 0))
  await poster.settled()
  await stack.pause()
  const customers = Array.from({ length: BURST }, (_, i) => `c-${String(i)}`)
  for (let at = 0; at < BURST; at += PER_POST) {
    await poster.accepted('event', customers.slice(at, at + PER_POST), 0)
  }
  const fromMs = nowMs()
  await stack.saveRedis()
  await stack.resume()
  await poster.arrivals(WINDOW_EVENTS * 0.9)
  sender.pause()
  await stack.restoreRedis()
  stage.journal.forgets.push({ fromMs, toMs: nowMs() })
  await newcomer.start()
  const thawed = sleep(FROZEN_MS).then(() => {
    sender.resume()
  })
  await newcomer.ready(READY_WITHIN_MS).catch(() => undefined)
  await stack.resume()
  await thawed
}

const forgottenBurst: Aimed = {
  name: 'forgotten-burst',
  about:
    'Redis comes back from before a burst of a whole window while its sender is frozen for 6 s, and a new worker starts',
  conditions: {
    ...DEFAULTS,
    // Its second window begins within the run.
    limits: { ...DEFAULTS.limits, events: WINDOW_EVENTS, windowMs: 30_000 },
    workers: 1,
  },
  load: false,
  drainWithinMs: 150_000,
  play: async (stage) => [
    await disturb({ name: 'redis-forgets', mayDuplicate: true, mayLinger: true }, () =>
      forgetBurst(stage),
    ),
  ],
}

export const ledgerPlots: readonly Aimed[] = [forgottenBurst]
