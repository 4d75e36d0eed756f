import { setTimeout as sleep } from 'node:timers/promises'
import { DEFAULTS } from '../stack/settings.js'
import { disturb, type Aimed, type Stage } from './plot.js'
import { Poster } from './poster.js'

/** Few enough that one post uses them up: the next elements wait in the memory of a worker. */
const EVENTS = 200
/** A customer's first event has two actions. */
const SPENDERS = Array.from({ length: EVENTS / 2 }, (_, i) => `spender-${i}`)
const FORGOTTEN = 'forgotten'
const NO_ONE = 'no-one'
/** Messages of subscriptions are lost. */
const UNHEARD = { swallow: '$7\r\nmessage\r\n' }
/** Its look at the erasures is held back, and what it asks Redis after that. */
const UNREAD = { stallFrom: ':erasures' }

const spending = (windowMs: number) => ({
  ...DEFAULTS,
  limits: { ...DEFAULTS.limits, events: EVENTS, windowMs },
  partitions: 1,
  workers: 1,
})

/** A worker has read an event of the customer ahead, which waits for the budget, and hears of nothing. */
async function readAhead(stage: Stage): Promise<Poster> {
  const poster = new Poster(stage)
  await poster.delivered(await poster.accepted('event', SPENDERS, 0))
  await poster.accepted('event', [FORGOTTEN, 'ann', 'bob'], 0)
  await sleep(1_000)
  for (const { redis } of stage.stack.workers) redis.set(UNHEARD, 'down')
  return poster
}

/** Longer than the window, within the lease, ms. */
const FROZEN_MS = 11_000
/** For so long after it: less than the lease has left, ms. */
const UNREAD_MS = 2_000
/** How long MoEngage refuses everything, ms: enough for every element to be tried alone. */
const REFUSES_MS = 20_000
const REFUSED = Array.from({ length: 300 }, (_, i) => `c-${i}`)

export const operatorPlots: readonly Aimed[] = [
  {
    name: 'forget-unheard',
    about:
      'an operator has a customer erased whose event a worker has read ahead, while messages to the worker are lost',
    conditions: spending(20_000),
    play: async (stage) => {
      const { stack, journal } = stage
      await readAhead(stage)
      await stack.forget(FORGOTTEN, journal)
      for (const { redis } of stack.workers) redis.heal()
    },
  },
  {
    // The worker thaws with the customer's event in its memory when the budget is free again.
    name: 'forget-frozen',
    about:
      'an operator has a customer erased whose event a worker has read ahead; the worker hears of nothing, is frozen for 11 s, and can pay for the event when it thaws, before it can read of the erasure',
    conditions: spending(10_000),
    play: (stage) =>
      disturb(stage, 'worker-pause', { loses: 'both', mayLinger: true }, async () => {
        const { stack, journal } = stage
        const worker = stack.worker(0)
        // Done once the api has run for a lease: since then it knows which workers there are.
        await stack.forget(NO_ONE, journal)
        const poster = await readAhead(stage)
        worker.pause()
        worker.redis.set(UNREAD, 'up')
        const thawed = sleep(FROZEN_MS).then(() => worker.resume())
        const forgotten = stack.forget(FORGOTTEN, journal)
        await thawed
        await sleep(UNREAD_MS)
        for (const { redis } of stack.workers) redis.heal()
        await forgotten
        await poster.arrivals(SPENDERS.length + 2)
      }),
  },
  {
    name: 'everything-refused',
    about: 'MoEngage answers 400 of an unknown type to everything for 20 s; 300 events wait',
    conditions: { ...DEFAULTS, workers: 1 },
    drainWithinMs: 90_000,
    play: async (stage) => {
      const { vendor } = stage.stack
      const body = '{"status":"fail","error":{"message":"no","type":"Strange"}}'
      await vendor.addFault({ id: 'refuses', action: { kind: 'status', status: 400, body } })
      await new Poster(stage).accepted('event', REFUSED, 0)
      await sleep(REFUSES_MS)
      await vendor.removeFault('refuses')
    },
  },
]
