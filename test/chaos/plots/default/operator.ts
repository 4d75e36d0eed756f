import { setTimeout as sleep } from 'node:timers/promises'
import { waitFor } from '@relay/tools/wait-for.js'
import { nowMs } from '../../clock.js'
import { APP_ID, DEFAULTS } from '../../stack/settings.js'
import { disturb } from '../disturb.js'
import type { Aimed, Stage } from '../plot.js'
import { Poster } from '../poster.js'

/** Few enough that one post uses them up: the next elements wait in the memory of a worker. */
const EVENTS = 200
/** A customer's first event has two actions. */
const SPENDERS = Array.from({ length: EVENTS / 2 }, (_, i) => `spender-${String(i)}`)
const FORGOTTEN = 'forgotten'
const DONE_WITHIN_MS = 60_000
/** Messages of subscriptions are lost. */
const UNHEARD = { swallow: '$7\r\nmessage\r\n' }

/** Has the customer erased, and waits until relay says that it is done. */
async function forget({ stack, journal }: Stage): Promise<void> {
  const erasure = { customer: FORGOTTEN, askedAtMs: nowMs(), doneAtMs: Infinity }
  journal.erasures.push(erasure)
  const body = { app_id: APP_ID, customer_id: FORGOTTEN }
  const isDone = async () => {
    const reply = await stack.operate('POST', 'forget', body)
    return reply.status === 200 && !reply.body.includes('"pending"')
  }
  await waitFor(isDone, { what: 'the erasure', timeoutMs: DONE_WITHIN_MS, everyMs: 200 })
  erasure.doneAtMs = nowMs()
}

async function forgetDeaf(stage: Stage): Promise<void> {
  const { stack } = stage
  const poster = new Poster(stage)
  await poster.delivered(await poster.accepted('event', SPENDERS, 0))
  await poster.accepted('event', [FORGOTTEN, 'ann', 'bob'], 0)
  // Both are read ahead, and wait for the budget.
  await sleep(1_000)
  for (const { redis } of stack.workers) redis.set(UNHEARD, 'down')
  await forget(stage)
  for (const { redis } of stack.workers) redis.heal()
}

const forgottenCustomer: Aimed = {
  name: 'forget-unheard',
  about:
    'an operator has a customer erased whose event a worker has read ahead, while messages to the worker are lost',
  conditions: {
    ...DEFAULTS,
    limits: { ...DEFAULTS.limits, events: EVENTS, windowMs: 20_000 },
    partitions: 1,
    workers: 1,
  },
  load: false,
  drainWithinMs: 60_000,
  play: async (stage) => {
    await forgetDeaf(stage)
    return []
  },
}

/** Longer than the window, within the lease, ms. */
const FROZEN_MS = 11_000

/** A worker is frozen with the customer's event in its memory, and thaws when the budget is free again. */
async function forgetFrozen(stage: Stage): Promise<void> {
  const [worker] = stage.stack.workers
  if (worker === undefined) throw new Error('a worker is needed')
  const poster = new Poster(stage)
  await poster.delivered(await poster.accepted('event', SPENDERS, 0))
  await poster.accepted('event', [FORGOTTEN, 'ann', 'bob'], 0)
  await sleep(1_000)
  worker.redis.set(UNHEARD, 'down')
  worker.pause()
  const thawed = sleep(FROZEN_MS).then(() => {
    worker.resume()
  })
  await forget(stage)
  await thawed
  await poster.arrivals(SPENDERS.length + 2)
  worker.redis.heal()
}

const forgottenFrozen: Aimed = {
  name: 'forget-frozen',
  about:
    'an operator has a customer erased whose event a worker has read ahead; the worker hears of nothing, is frozen for 11 s, and can pay for the event when it thaws',
  conditions: {
    ...DEFAULTS,
    limits: { ...DEFAULTS.limits, events: EVENTS, windowMs: 10_000 },
    partitions: 1,
    workers: 1,
  },
  load: false,
  drainWithinMs: 60_000,
  play: async (stage) => [
    await disturb({ name: 'worker-pause', loses: 'both', mayLinger: true }, () =>
      forgetFrozen(stage),
    ),
  ],
}

/** How long MoEngage refuses everything, ms: enough for every element to be tried alone. */
const REFUSES_MS = 20_000
const REFUSED = Array.from({ length: 300 }, (_, i) => `c-${String(i)}`)

const everythingRefused: Aimed = {
  name: 'everything-refused',
  about: 'MoEngage answers 400 of an unknown type to everything for 20 s; 300 events wait',
  conditions: { ...DEFAULTS, workers: 1 },
  load: false,
  drainWithinMs: 90_000,
  play: async (stage) => {
    const { vendor } = stage.stack
    const body = '{"status":"fail","error":{"message":"no","type":"Strange"}}'
    await vendor.addFault({ id: 'refuses', action: { kind: 'status', status: 400, body } })
    await new Poster(stage).accepted('event', REFUSED, 0)
    await sleep(REFUSES_MS)
    await vendor.removeFault('refuses')
    return []
  },
}

export const operatorPlots: readonly Aimed[] = [
  forgottenCustomer,
  forgottenFrozen,
  everythingRefused,
]
