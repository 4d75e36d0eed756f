import { setTimeout as sleep } from 'node:timers/promises'
import { waitFor } from '@relay/tools/wait-for.js'
import { digestOf, disturb, type Aimed, type Stage } from './plot.js'
import { Poster } from './poster.js'
import { USUAL, DEFAULTS } from '../stack/settings.js'

const READY_WITHIN_MS = 15_000
/** Tries to hold an add up for long enough. */
const TRIES = 5

/** So few that a post spends them: an event that waits for them keeps its chunk in Redis. */
const EVENTS = 200
/** A customer's first event has two actions. */
const SPENDERS = Array.from({ length: EVENTS / 2 }, (_, i) => `spender-${i}`)

export const orderPlots: readonly Aimed[] = [
  {
    // A request outlives the lease of its worker, which cannot be renewed.
    name: 'outlived-lease',
    about:
      'MoEngage hangs and one worker is cut off from Redis: its lease (2 s) ends long before its request would (8 s), and another worker takes over',
    conditions: { ...USUAL, workers: 2, env: { RELAY_REQUEST_TIMEOUT_MS: '8000' } },
    load: true,
    play: async (stage) => {
      const { vendor, workers } = stage.stack
      await sleep(1_500)
      await vendor.addFault({ id: 'vendor-hang', action: { kind: 'hang', maxMs: 6_000 } })
      // Long enough for every worker to have a request in progress.
      await sleep(700)
      await disturb(stage, 'worker-redis-stall', { loses: 'settles' }, async () => {
        workers[0]?.redis.set({ stalled: true })
        await sleep(2_000)
        await vendor.removeFault('vendor-hang')
        await sleep(2_500)
        workers[0]?.redis.heal()
      })
    },
  },
  {
    // The settle of a delivered chunk comes after somebody else took its partition over.
    name: 'late-settle',
    about:
      'the settle of a delivered chunk is held up on its way until another worker has taken over and read that chunk, which it cannot pay for yet',
    conditions: {
      ...USUAL,
      limits: { ...USUAL.limits, users: 20 },
      partitions: 1,
      workers: 1,
    },
    play: async (stage) => {
      const [former, next] = [stage.stack.worker(0), stage.stack.worker(1)]
      const poster = new Poster(stage)
      // Every script is known to Redis from here on.
      await poster.delivered(await poster.accepted('event', ['warm'], 0))
      await poster.settled()
      await next.start()
      await next.ready(READY_WITHIN_MS)
      await disturb(stage, 'settle-held', { loses: 'settles' }, async () => {
        former.redis.set({ stallFrom: await digestOf(stage, 'settle') }, 'up')
        const users = Array.from({ length: 20 }, (_, i) => `user-${i}`)
        await poster.delivered(await poster.accepted('user', users, 0))
        // Delivered by the new owner: all users of the window are spent, events are not.
        await poster.delivered(await poster.accepted('event', ['ann'], 0))
        if (former.redis.heldBytes === 0) throw new Error('the settle was not held long enough')
        former.redis.heal()
        await former.ready(READY_WITHIN_MS)
      })
      await poster.accepted('event', ['ann'], 0)
      await sleep(500)
      await poster.accepted('event', ['ann'], 0)
    },
  },
  {
    // An add reaches Redis after newer elements of its customer were accepted.
    name: 'late-add',
    about:
      'an add is held up on its way until its producer, which uses no key, has posted the same and something newer through the other api',
    conditions: USUAL,
    play: async (stage) => {
      const { redis } = stage.stack.api(0)
      const poster = new Poster(stage)
      for (const api of [0, 1]) await poster.delivered(await poster.accepted('user', ['warm'], api))
      for (let i = 0; i < TRIES; i += 1) {
        const late = `late-${i}`
        redis.set({ stallFrom: late }, 'up')
        const first = poster.next('user', [late])
        const status = await poster.post(first, 0)
        if (status === 200) throw new Error('a post was accepted that is not stored')
        await poster.acceptedAll(first, 1)
        await poster.delivered(await poster.accepted('user', [late], 1))
        // An api gives up a connection that is silent for 1.2 s: then nothing is late any more.
        const wasHeld = redis.heldBytes > 0
        redis.heal()
        await poster.untilAccepted(poster.next('user', ['after']), 0, `after ${late}`)
        if (wasHeld) return
      }
      throw new Error('the add was never held long enough')
    },
  },
  {
    // An add whose answer is lost, so that its producer posts the same again.
    name: 'lost-reply',
    about:
      'Redis stores a keyed post, its answer does not get through, and the post is repeated through the other api',
    conditions: USUAL,
    play: async (stage) => {
      const { redis } = stage.stack.api(0)
      const poster = new Poster(stage)
      for (const api of [0, 1]) await poster.delivered(await poster.accepted('user', ['warm'], api))
      const elements = poster.next('user', ['ann', 'bob', 'cid'])
      redis.set({ stallFrom: 'stored' }, 'down')
      const status = await poster.post(elements, 0, 'lost-reply')
      if (status === 200) throw new Error('a post was accepted although no one could know')
      await poster.untilAccepted(elements, 1, 'lost-reply')
      redis.heal()
    },
  },
  {
    // The number of partitions changes while all of them are full.
    name: 'full-change',
    about:
      'MoEngage is down while every process is restarted with another number of partitions; afterwards one worker is slower than the others',
    conditions: USUAL,
    load: true,
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
    },
  },
  {
    // A chunk is sent in part, and its next owner knows only what Redis says of it.
    name: 'half-a-chunk',
    about:
      'a chunk holds a value that is sent and an event that cannot be paid for; then another worker takes over',
    conditions: {
      ...USUAL,
      limits: { ...USUAL.limits, events: EVENTS, windowMs: 10_000 },
      partitions: 1,
      workers: 1,
    },
    play: async (stage) => {
      const [former, next] = [stage.stack.worker(0), stage.stack.worker(1)]
      const poster = new Poster(stage)
      await poster.delivered(await poster.accepted('event', SPENDERS, 0))
      const mixed = [...poster.next('user', ['ann']), ...poster.next('event', ['eve'])]
      const posted = await poster.acceptedAll(mixed, 0)
      await poster.delivered(posted.slice(0, 1))
      await former.stop()
      if ((await stage.remains.waiting()) !== 1) throw new Error('the event did not wait')
      await next.start()
    },
  },
  {
    // Elements that came while no one listened are found all the same.
    name: 'nobody-there',
    about: 'elements are accepted while no worker runs, so that no one hears of them',
    conditions: { ...USUAL, workers: 1 },
    drainWithinMs: 20_000,
    play: async (stage) => {
      const worker = stage.stack.worker(0)
      await worker.stop()
      await new Poster(stage).accepted('user', ['ann', 'bob', 'cid'], 0)
      await worker.start()
    },
  },
]

const SETTLED_WITHIN_MS = 30_000
/** Two of these fill a request. */
const LARGE = 'x'.repeat(14_000)

/**
 * A chunk holds bob's and ann's values, too large for one request, and an event that cannot be paid
 * for. The settle of bob's value is held up on its way; the worker settles again, and then ann's.
 * What was held up comes last. The next owner must not send ann's value again: a newer one is out.
 */
async function holdFirstSettle(stage: Stage): Promise<void> {
  const { stack } = stage
  const [former, next] = [stack.worker(0), stack.worker(1)]
  const poster = new Poster(stage)
  await poster.delivered(await poster.accepted('event', SPENDERS, 0))
  await poster.delivered(await poster.accepted('user', ['warm'], 0))
  await poster.settled()
  const fault = { stallFrom: await digestOf(stage, 'settle'), once: true, late: true } as const
  former.redis.set(fault, 'up')
  const mixed = [...poster.next('user', ['bob', 'ann']), ...poster.next('event', ['eve'])]
  const posted = await poster.acceptedAll(mixed, 0, LARGE)
  await poster.delivered(posted.slice(0, 1))
  await waitFor(() => former.redis.heldBytes > 0, { what: 'the settle to be held up' })
  // Only after the settle of bob's value was repeated on another connection.
  await poster.delivered(posted.slice(1, 2))
  await poster.delivered(await poster.accepted('user', ['ann'], 0))
  await waitFor(async () => (await stage.remains.waiting()) === 1, {
    what: 'the newer value to be settled',
    timeoutMs: SETTLED_WITHIN_MS,
  })
  if (former.redis.heldBytes === 0) throw new Error('the settle was not held long enough')
  former.redis.heal()
  await waitFor(() => former.redis.heldBytes === 0, { what: 'the settle to arrive' })
  await former.stop()
  await next.start()
  await next.ready(SETTLED_WITHIN_MS)
}

export const settleArrivesLate: Aimed = {
  name: 'settle-arrives-late',
  about:
    'the first settle of a chunk reaches Redis after the second, sent by the same owner on another connection; then another worker takes over',
  conditions: {
    ...DEFAULTS,
    limits: { ...DEFAULTS.limits, events: EVENTS, windowMs: 30_000, bodyBytes: 20_000 },
    partitions: 1,
    workers: 1,
    env: { RELAY_COALESCE: 'off' },
  },
  play: (stage) =>
    disturb(stage, 'settle-late', { loses: 'nothing' }, () => holdFirstSettle(stage)),
}
