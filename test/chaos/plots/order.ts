import { setTimeout as sleep } from 'node:timers/promises'
import { waitFor } from '@relay/tools/wait-for.js'
import { USUAL } from '../stack/settings.js'
import { digestOf } from './digest.js'
import { disturb } from './disturb.js'
import { DRAIN_WITHIN_MS, type Aimed } from './plot.js'
import { Poster } from './poster.js'

const READY_WITHIN_MS = 15_000
const usual = { conditions: USUAL, load: true, drainWithinMs: DRAIN_WITHIN_MS }

/** A request outlives the lease of its worker, which cannot be renewed. */
const outlivedLease: Aimed = {
  ...usual,
  name: 'outlived-lease',
  about:
    'MoEngage hangs and one worker is cut off from Redis: its lease (2 s) ends long before its request would (8 s), and another worker takes over',
  conditions: { ...USUAL, workers: 2, env: { RELAY_REQUEST_TIMEOUT_MS: '8000' } },
  play: async ({ stack }) => {
    await sleep(1_500)
    await stack.vendor.addFault({ id: 'vendor-hang', action: { kind: 'hang', maxMs: 6_000 } })
    // Long enough for every worker to have a request in progress.
    await sleep(700)
    const cut = await disturb(
      { name: 'worker-redis-stall', loses: 'settles', mayLinger: false },
      async () => {
        stack.workers[0]?.redis.set({ stalled: true })
        await sleep(2_000)
        await stack.vendor.removeFault('vendor-hang')
        await sleep(2_500)
        stack.workers[0]?.redis.heal()
      },
    )
    return [cut]
  },
}

/** The settle of a delivered chunk comes after somebody else took its partition over. */
const lateSettle: Aimed = {
  ...usual,
  name: 'late-settle',
  about:
    'the settle of a delivered chunk is held up on its way until another worker has taken over and read that chunk, which it cannot pay for yet',
  conditions: {
    ...USUAL,
    limits: { ...USUAL.limits, users: 20 },
    partitions: 1,
    workers: 1,
  },
  load: false,
  play: async (stage) => {
    const { stack } = stage
    const [former, next] = stack.workers
    if (former === undefined || next === undefined) throw new Error('two workers are needed')
    const poster = new Poster(stage)
    // Every script is known to Redis from here on.
    await poster.delivered(await poster.accepted('event', ['warm'], 0))
    await poster.settled()
    await next.start()
    await next.ready(READY_WITHIN_MS)
    const held = await disturb(
      { name: 'settle-held', loses: 'settles', mayLinger: false },
      async () => {
        former.redis.set({ stallFrom: await digestOf(stack.root, 'settle') }, 'up')
        const users = Array.from({ length: 20 }, (_, i) => `user-${String(i)}`)
        await poster.delivered(await poster.accepted('user', users, 0))
        // Delivered by the new owner: all users of the window are spent, events are not.
        await poster.delivered(await poster.accepted('event', ['ann'], 0))
        if (former.redis.heldBytes === 0) throw new Error('the settle was not held long enough')
        former.redis.heal()
        await former.ready(READY_WITHIN_MS)
      },
    )
    await poster.accepted('event', ['ann'], 0)
    await sleep(500)
    await poster.accepted('event', ['ann'], 0)
    return [held]
  },
}

const TRIES = 5

/** An add reaches Redis after newer elements of its customer were accepted. */
const lateAdd: Aimed = {
  ...usual,
  name: 'late-add',
  about:
    'an add is held up on its way until its producer, which uses no key, has posted the same and something newer through the other api',
  load: false,
  play: async (stage) => {
    const { stack } = stage
    const [slow] = stack.apis
    if (slow === undefined) throw new Error('an api is needed')
    const { redis } = slow.service
    const poster = new Poster(stage)
    for (const api of [0, 1]) await poster.delivered(await poster.accepted('user', ['warm'], api))
    for (let i = 0; i < TRIES; i += 1) {
      const late = `late-${String(i)}`
      redis.set({ stallFrom: late }, 'up')
      const first = poster.next('user', [late])
      const status = await poster.post(first, 0)
      if (status === 200) throw new Error('a post was accepted that is not stored')
      if ((await poster.post(first, 1)) !== 200) throw new Error('a repeated post was refused')
      const newer = await poster.accepted('user', [late], 1)
      await poster.delivered(newer)
      // An api gives up a connection that is silent for 1.2 s: then nothing is late any more.
      const wasHeld = redis.heldBytes > 0
      redis.heal()
      const isUp = async () => (await poster.post(poster.next('user', ['after']), 0)) === 200
      await waitFor(isUp, { what: 'the api to accept again', timeoutMs: READY_WITHIN_MS })
      if (wasHeld) return []
    }
    throw new Error('the add was never held long enough')
  },
}

/** An add whose answer is lost, so that its producer posts the same again. */
const lostReply: Aimed = {
  ...usual,
  name: 'lost-reply',
  about:
    'Redis stores a keyed post, its answer does not get through, and the post is repeated through the other api',
  load: false,
  play: async (stage) => {
    const { stack } = stage
    const poster = new Poster(stage)
    for (const api of [0, 1]) await poster.delivered(await poster.accepted('user', ['warm'], api))
    const elements = poster.next('user', ['ann', 'bob', 'cid'])
    stack.apis[0]?.service.redis.set({ stallFrom: 'stored' }, 'down')
    const status = await poster.post(elements, 0, 'lost-reply')
    if (status === 200) throw new Error('a post was accepted although no one could know')
    const isAccepted = async () => (await poster.post(elements, 1, 'lost-reply')) === 200
    await waitFor(isAccepted, { what: 'the post to be accepted', timeoutMs: READY_WITHIN_MS })
    stack.apis[0]?.service.redis.heal()
    return []
  },
}

/** The number of partitions changes while all of them are full. */
const fullChange: Aimed = {
  ...usual,
  name: 'full-change',
  about:
    'MoEngage is down while every process is restarted with another number of partitions; afterwards one worker is slower than the others',
  play: async ({ stack }) => {
    await sleep(1_000)
    await stack.vendor.addFault({ id: 'vendor-5xx', action: { kind: 'status', status: 503 } })
    await sleep(1_500)
    stack.partitions = 3
    for (const service of stack.services.filter(({ running }) => running)) {
      await service.stop()
      await service.start()
      await service.ready(READY_WITHIN_MS)
    }
    await sleep(2_000)
    // Well within the request timeout: its partitions fall behind, and nothing else.
    stack.workers[0]?.vendor?.set({ delayMs: 400 }, 'up')
    await stack.vendor.removeFault('vendor-5xx')
    await sleep(4_000)
    return []
  },
}

/** Elements that came while no one listened are found all the same. */
const nobodyThere: Aimed = {
  ...usual,
  name: 'nobody-there',
  about: 'elements are accepted while no worker runs, so that no one hears of them',
  conditions: { ...USUAL, workers: 1 },
  load: false,
  drainWithinMs: 20_000,
  play: async (stage) => {
    const [worker] = stage.stack.workers
    if (worker === undefined) throw new Error('a worker is needed')
    await worker.stop()
    await new Poster(stage).accepted('user', ['ann', 'bob', 'cid'], 0)
    await worker.start()
    return []
  },
}

export const orderPlots: readonly Aimed[] = [
  outlivedLease,
  lateSettle,
  lateAdd,
  lostReply,
  fullChange,
  nobodyThere,
]
