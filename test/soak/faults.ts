import type { Relay } from '../support/relay.js'

export interface Trouble {
  readonly what: string
  /** Once in so long, ms; the first after half of it. */
  readonly everyMs: number
  readonly make: (relay: Relay) => Promise<void> | void
}

const MINUTE_MS = 60_000
const RATE_LIMIT = 'one 429 with Retry-After: 2'

/** What an ordinary hour may bring. */
export const TROUBLES: readonly Trouble[] = [
  {
    what: '5xx to one request in five, for 10 s',
    everyMs: 5 * MINUTE_MS,
    make: ({ simulator }) => {
      const action = { kind: 'answer', row: 'server_error' } as const
      simulator.addFault({ durationMs: 10_000, probability: 0.2, action })
    },
  },
  {
    what: 'one request whose connection is reset instead of answered',
    everyMs: 2 * MINUTE_MS,
    make: ({ simulator }) => {
      simulator.addFault({ count: 1, action: { kind: 'reset', at: 'answer' } })
    },
  },
  {
    what: 'one request without an answer',
    everyMs: 8 * MINUTE_MS,
    make: ({ simulator }) => {
      simulator.addFault({ count: 1, action: { kind: 'hang' } })
    },
  },
  {
    what: RATE_LIMIT,
    everyMs: 7 * MINUTE_MS,
    make: ({ simulator }) => {
      const action = { kind: 'rate_limit', retryAfterSeconds: 2 } as const
      simulator.addFault({ count: 1, action })
    },
  },
  {
    what: 'the second worker is killed and another started',
    everyMs: 10 * MINUTE_MS,
    make: async (relay) => {
      const last = relay.workers.length > 1 ? relay.workers.pop() : undefined
      last?.kill('SIGKILL')
      await last?.exited
      await relay.addWorker()
    },
  },
  {
    what: 'Redis answers nothing for 300 ms',
    everyMs: 6 * MINUTE_MS,
    make: async ({ redis }) => {
      redis.pause()
      await new Promise((resolve) => setTimeout(resolve, 300))
      redis.resume()
    },
  },
]

/** Makes trouble until it is stopped; returns how often it made each. `pace` above 1 makes it sooner. */
export function startTroubles(relay: Relay, pace: number) {
  const made = new Map(TROUBLES.map(({ what }) => [what, 0]))
  const underWay = new Set<Promise<void>>()
  const timers: NodeJS.Timeout[] = []
  const make = ({ what, make: doIt }: Trouble): void => {
    made.set(what, (made.get(what) ?? 0) + 1)
    const done = Promise.resolve(doIt(relay)).finally(() => underWay.delete(done))
    underWay.add(done)
  }
  for (const trouble of TROUBLES) {
    const everyMs = trouble.everyMs / pace
    const first = setTimeout(() => {
      make(trouble)
      timers.push(setInterval(make, everyMs, trouble))
    }, everyMs / 2)
    timers.push(first)
  }
  return {
    made,
    /** 429s that were asked for. */
    rateLimits: () => made.get(RATE_LIMIT) ?? 0,
    stop: async (): Promise<void> => {
      for (const timer of timers) clearTimeout(timer)
      await Promise.all(underWay)
    },
  }
}
