import { setTimeout as sleep } from 'node:timers/promises'
import { nowMs } from '../clock.js'
import { DEFAULTS, USUAL } from '../stack/settings.js'
import { disturb, type Aimed, type Stage } from './plot.js'
import { Poster } from './poster.js'

/** So little that a few requests spend it, and that two windows' worth is posted in a moment. */
const conditions = { ...USUAL, limits: { ...USUAL.limits, users: 500, events: 600 } }

const CUSTOMERS = Array.from({ length: 60 }, (_, i) => `c-${i}`)
/** Each posts one event of every customer, which has one action or two. */
const POSTS = 14

/** Posts events worth more than two windows, and waits until so many have arrived. */
async function postTwoWindows(stage: Stage, arrivals: number): Promise<void> {
  const poster = new Poster(stage)
  for (let i = 0; i < POSTS; i += 1) await poster.accepted('event', CUSTOMERS, i % 2)
  await poster.arrivals(arrivals)
}

export const budgetPlots: readonly Aimed[] = [
  {
    // What arrived is charged although its answer was lost.
    name: 'lost-answers',
    about: 'MoEngage takes the first four requests of a backlog and resets their connections',
    conditions,
    play: async (stage) => {
      const action = { kind: 'reset', at: 'answer' }
      await stage.stack.vendor.addFault({ id: 'vendor-reset-after', count: 4, action })
      await postTwoWindows(stage, CUSTOMERS.length * POSTS * 0.8)
    },
  },
  {
    // A request is charged from when it may have arrived, not from when it was begun.
    name: 'slow-first',
    about:
      'the first window of a backlog reaches MoEngage a second after it was sent, the second at once',
    conditions,
    play: async (stage) => {
      const { vendor } = stage.stack
      await vendor.addFault({ id: 'vendor-delay', action: { kind: 'delay', beforeMs: 1_000 } })
      await postTwoWindows(stage, CUSTOMERS.length * 5)
      await vendor.removeFault('vendor-delay')
    },
  },
]

const WINDOW_EVENTS = 1_000
/** Customers of one burst: a first event has two actions, so that it is worth a window. */
const BURST = WINDOW_EVENTS / 2
const PER_POST = 100
const WITHIN_MS = 30_000

async function postBurst(poster: Poster, name: string): Promise<void> {
  const customers = Array.from({ length: BURST }, (_, i) => `${name}-${i}`)
  for (let at = 0; at < BURST; at += PER_POST) {
    const elements = poster.next('event', customers.slice(at, at + PER_POST))
    await poster.untilAccepted(elements, 0, `${name}-${at}`)
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
    const thawed = sleep(frozenMs).then(() => sender.resume())
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
