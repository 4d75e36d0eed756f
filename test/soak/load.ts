import {
  BUDGET_WINDOW_SECONDS,
  EVENTS_PER_MINUTE,
  USERS_PER_MINUTE,
} from '@relay/shared/vendor/limits.js'
import { seededRandom } from '@relay/shared/seeded-random.js'
import { metricsOf, sumOf, type Relay } from '../support/relay.js'
import { numberedEvent, numberedUser } from '../support/shop.js'
import type { Tally } from './tally.js'

const TICK_MS = 100
const CUSTOMERS = 20_000
const PER_POST = 5
/**
 * Both budgets are to be used whole, and nothing is to pile up: what is posted follows the backlog.
 * So much of each kind shall wait, in seconds of its budget; much less would leave bodies half empty.
 */
const WAITING_S = 3
/** Share of the deviation of the backlog that is corrected in a second. */
const GAIN = 0.2
/** Most that is posted, as a share of the budget. */
const MAX_SHARE = 1.05

interface Kind {
  readonly perSecond: number
  readonly waiting: RegExp
  readonly make: (customer: string, n: number) => unknown
}

const KINDS: readonly Kind[] = [
  {
    perSecond: USERS_PER_MINUTE / BUDGET_WINDOW_SECONDS,
    waiting: /^relay_backlog_elements\{[^}]*kind="user"[^}]*\} (\S+)$/gm,
    make: numberedUser,
  },
  {
    perSecond: EVENTS_PER_MINUTE / BUDGET_WINDOW_SECONDS,
    waiting: /^relay_backlog_elements\{[^}]*kind="event"[^}]*\} (\S+)$/gm,
    make: numberedEvent,
  },
]

export interface Load {
  /** Posts answered otherwise than 200, or not at all. They are posted once. */
  refused(): number
  stop(): Promise<void>
}

/** Posts as much as both budgets carry until it is stopped. */
export function startLoad(relay: Relay, tally: Tally, nowMs: () => number): Load {
  const random = seededRandom(1)
  const underWay = new Set<Promise<void>>()
  const rates = KINDS.map(({ perSecond }) => perSecond)
  const owed = KINDS.map(() => 0)
  let refused = 0
  let lastMs = nowMs()

  const post = async (elements: readonly unknown[], numbers: readonly number[]): Promise<void> => {
    const answer = await relay.postElements(elements).catch(() => null)
    if (answer?.status === 200) tally.accepted(numbers)
    else refused += 1
  }
  const tick = (): void => {
    const seconds = (nowMs() - lastMs) / 1000
    lastMs = nowMs()
    const made = KINDS.flatMap(({ make }, i) => {
      owed[i] = (owed[i] ?? 0) + (rates[i] ?? 0) * seconds
      const due = Math.floor(owed[i])
      owed[i] -= due
      return Array.from({ length: due }, () => {
        const n = tally.next()
        return { n, element: make(`c-${Math.floor(random.next() * CUSTOMERS)}`, n) }
      })
    })
    for (let at = 0; at < made.length; at += PER_POST) {
      const some = made.slice(at, at + PER_POST)
      const elements = some.map(({ element }) => element)
      const numbers = some.map(({ n }) => n)
      const sent = post(elements, numbers).finally(() => underWay.delete(sent))
      underWay.add(sent)
    }
  }
  const look = async (): Promise<void> => {
    const text = await metricsOf(relay.opsUrl)
    if (text === '') return
    KINDS.forEach(({ perSecond, waiting }, i) => {
      const missing = perSecond * WAITING_S - sumOf(text, waiting)
      const most = perSecond * MAX_SHARE
      rates[i] = Math.min(most, Math.max(0, perSecond + GAIN * missing))
    })
  }
  const timers = [setInterval(tick, TICK_MS), setInterval(() => void look(), 1_000)]
  return {
    refused: () => refused,
    stop: async () => {
      for (const timer of timers) clearInterval(timer)
      await Promise.all(underWay)
    },
  }
}
