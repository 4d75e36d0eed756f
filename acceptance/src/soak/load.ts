import { seededRandom } from '@relay/shared/seeded-random.js'
import type { Relay } from '../relay.js'
import { numberedEvent, numberedUser } from '../shop.js'

/** A tenth of a second of posts: the budgets of the overview are 83 users and 333 events a second. */
const TICK_MS = 100
/** Share of each budget that is posted: full budgets, and room to catch up after a fault. */
const SHARE = 0.9
const USERS_PER_TICK = (5_000 / 600) * SHARE
const EVENTS_PER_TICK = (20_000 / 600) * SHARE
const CUSTOMERS = 20_000
const PER_POST = 5

export interface Load {
  /** Elements that were answered 200. */
  accepted(): number
  /** Posts answered otherwise, or not at all. They are posted once. */
  refused(): number
  stop(): Promise<void>
}

/** Posts at a steady pace until it is stopped. */
export function startLoad(relay: Relay, nowMs: () => number): Load {
  const random = seededRandom(1)
  const startedMs = nowMs()
  const underWay = new Set<Promise<void>>()
  let accepted = 0
  let refused = 0
  let posted = 0
  let ticks = 0

  const post = async (elements: readonly unknown[]): Promise<void> => {
    const answer = await relay.postElements(elements).catch(() => null)
    if (answer?.status === 200) accepted += elements.length
    else refused += 1
  }
  const tick = (): void => {
    for (; ticks * TICK_MS < nowMs() - startedMs; ticks++) {
      const due = (perTick: number) =>
        Math.floor((ticks + 1) * perTick) - Math.floor(ticks * perTick)
      const customer = () => `c-${String(Math.floor(random.next() * CUSTOMERS))}`
      const elements = [
        ...Array.from({ length: due(USERS_PER_TICK) }, () => numberedUser(customer(), posted++)),
        ...Array.from({ length: due(EVENTS_PER_TICK) }, () => numberedEvent(customer(), posted++)),
      ]
      for (let at = 0; at < elements.length; at += PER_POST) {
        const sent = post(elements.slice(at, at + PER_POST)).finally(() => underWay.delete(sent))
        underWay.add(sent)
      }
    }
  }
  const timer = setInterval(tick, TICK_MS / 2)
  return {
    accepted: () => accepted,
    refused: () => refused,
    stop: async () => {
      clearInterval(timer)
      await Promise.all(underWay)
    },
  }
}
