import { USUAL } from '../stack/settings.js'
import type { Aimed, Stage } from './plot.js'
import { Poster } from './poster.js'

/** So little that a few requests spend it, and that two windows' worth is posted in a moment. */
const conditions = { ...USUAL, limits: { ...USUAL.limits, users: 500, events: 600 } }

const CUSTOMERS = Array.from({ length: 60 }, (_, i) => `c-${String(i)}`)
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
