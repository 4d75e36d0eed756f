import { setTimeout as sleep } from 'node:timers/promises'
import { nowMs } from '../../clock.js'
import { DEFAULTS, USUAL } from '../../stack/settings.js'
import { disturb, type Aimed, type Stage } from '../plot.js'
import { Poster } from '../poster.js'

const WINDOW_EVENTS = 1_000
/** Customers of one burst: a first event has two actions, so that it is worth a window. */
const BURST = WINDOW_EVENTS / 2
const PER_POST = 100
const WITHIN_MS = 30_000

async function postBurst(poster: Poster, name: string): Promise<void> {
  const customers = Array.from({ length: BURST }, (_, i) => `${name}-${String(i)}`)
  for (let at = 0; at < BURST; at += PER_POST) {
    const elements = poster.next('event', customers.slice(at, at + PER_POST))
    await poster.untilAccepted(elements, 0, `${name}-${String(at)}`)
  }
}

/**
 * Redis comes back from before a burst, whose sender is frozen, and a new worker starts: it must not
 * take the ledger of that Redis for the truth. The sender is in the registry, but had claimed only
 * the partition of one customer.
 */
const forgetBurst = (frozenMs: number) => (stage: Stage) =>
  disturb(stage, 'redis-forgets', { loses: 'settles', mayLinger: true }, async () => {
    const { stack } = stage
    const [sender, newcomer] = [stack.worker(0), stack.worker(1)]
    const poster = new Poster(stage)
    await poster.delivered(await poster.accepted('event', ['warm'], 0))
    await poster.settled()
    const fromMs = nowMs()
    await stack.saveRedis()
    await postBurst(poster, 'before')
    await poster.arrivals(BURST * 0.7)
    sender.pause()
    await stack.restoreRedis()
    stage.journal.forgets.push({ fromMs, toMs: nowMs() })
    const thawed = sleep(frozenMs).then(() => {
      sender.resume()
    })
    await newcomer.start()
    await postBurst(poster, 'after')
    await newcomer.ready(WITHIN_MS)
    await thawed
  })

export const forgottenBurst: Aimed = {
  name: 'forgotten-burst',
  about:
    'a burst that fills the window is sent, Redis comes back from before it while the sender is frozen for 6 s, as much is posted again, and a new worker starts',
  conditions: {
    ...DEFAULTS,
    // Its second window begins within the run.
    limits: { ...DEFAULTS.limits, events: WINDOW_EVENTS, windowMs: 30_000 },
    workers: 1,
  },
  drainWithinMs: 150_000,
  play: forgetBurst(6_000),
}

/** The same with short timers: shorter than the lease, so that only the ledger is tried. */
export const forgottenWindow: Aimed = {
  name: 'forgotten-window',
  about: 'the same as forgotten-burst, with a window of 10 s and 1.5 s of frost',
  conditions: {
    ...USUAL,
    limits: { ...USUAL.limits, events: WINDOW_EVENTS, windowMs: 10_000 },
    workers: 1,
  },
  play: forgetBurst(1_500),
}
