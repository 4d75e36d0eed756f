import { setTimeout as sleep } from 'node:timers/promises'
import { waitFor } from '@relay/tools/wait-for.js'
import { DEFAULTS } from '../stack/settings.js'
import type { Aimed } from './plot.js'
import { Poster } from './poster.js'

/** Answers of Redis are this late, ms: an api still takes them. */
const SLOW_MS = 500
/** Each post fills a chunk, so that the last waits longer than the claim of a key lasts. */
const POSTS_BEFORE = 9
const CUSTOMERS_PER_POST = 300
const ROUNDS = 3

const DAY_MS = 86_400_000
/** Redis' clock is this far past midnight when the post is stored, and steps back across it, ms. */
const STEP_BACK_MS = 6_000

export const keyPlots: readonly Aimed[] = [
  {
    // A try still waits for its turn when the next with the same key comes: both may leave at once.
    name: 'one-key-twice',
    about:
      'answers of Redis take 0.5 s, one partition is busy for 5 s, and a keyed post that waits there is posted again until it is answered',
    conditions: { ...DEFAULTS, partitions: 1, workers: 1 },
    drainWithinMs: 30_000,
    play: async (stage) => {
      const poster = new Poster(stage)
      await poster.delivered(await poster.accepted('event', ['warm'], 0))
      stage.stack.api(0).redis.set({ delayMs: SLOW_MS }, 'down')
      for (let i = 0; i < ROUNDS; i += 1) {
        // Posts at once have no order among them, so each has separate customers.
        const before = Array.from({ length: POSTS_BEFORE }, (_, post) => {
          const ids = Array.from({ length: CUSTOMERS_PER_POST }, (_, n) => String(n))
          const customers = ids.map((id) => `full-${i}-${post}-${id}`)
          return poster.post(poster.next('event', customers), 0)
        })
        await sleep(100)
        const keyed = poster.next('event', [`keyed-${i}`])
        await Promise.all([poster.untilAccepted(keyed, 0, `twice-${i}`), ...before])
      }
    },
  },
  {
    // Which day it is must not decide whether a key is known.
    name: 'key-across-midnight',
    about:
      "Redis stores a keyed post just after midnight UTC, its answer is lost, Redis' clock steps back to before midnight, and the post is repeated through the other api",
    conditions: DEFAULTS,
    steppingRedis: true,
    play: async (stage) => {
      const { stack, remains } = stage
      const poster = new Poster(stage)
      for (const api of [0, 1])
        await poster.delivered(await poster.accepted('event', ['warm'], api))
      const elements = poster.next('event', ['ann', 'bob', 'cid'])
      await remains.stepClock(DAY_MS - ((await remains.redisNowMs()) % DAY_MS) + 1_000)
      // A request in flight while its worker's session ends is repeated.
      const { workers } = DEFAULTS
      const haveRejoined = async () => (await remains.liveSessions()) === workers
      await waitFor(haveRejoined, { what: 'new sessions', timeoutMs: 30_000 })
      // Both know the new time, and everything works under it.
      for (const api of [0, 1]) {
        await poster.untilAccepted(poster.next('event', ['warm']), api, `warm-${api}`)
      }
      stack.api(0).redis.set({ stallFrom: 'stored' }, 'down')
      const status = await poster.post(elements, 0, 'midnight')
      if (status === 200) throw new Error('a post was accepted although no api could know')
      await remains.stepClock(-STEP_BACK_MS)
      await poster.untilAccepted(elements, 1, 'midnight')
    },
  },
]
