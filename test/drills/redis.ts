import { DELIVERS, DRAINED, type Drill } from './drill.js'
import type { DrillSetup } from './drill-setup.js'

/** No post was refused in the last seconds, and some were taken. */
const POSTS_TAKEN = {
  'posts are answered 200':
    'sum(rate(relay_intake_requests_total{status="200"}[5s])) > 0 unless sum(rate(relay_intake_requests_total{status=~"5.."}[5s])) > 0',
} as const

const down: Drill = {
  name: 'redis-down',
  title: 'Redis down',
  injected: 'Redis was killed with SIGKILL and not started again.',
  inject: ({ redis }) => redis.kill9(),
  alerts: ['RelayRedisDown', 'RelayIntakeUnavailable'],
  reading:
    '_Redis_ says DOWN and _relay: intake unavailable_ is red. What is shared (backlog, budgets, workers) stays at its last value: it is read from Redis.',
  steps: [
    {
      ...{ page: 'RelayRedisDown', step: 1 },
      did: 'Redis was started again with its append-only file.',
      act: ({ redis }) => redis.restart(),
    },
  ],
  well: {
    'Redis is up everywhere': 'min(relay_redis_up) == 1',
    ...POSTS_TAKEN,
    ...DELIVERS,
    ...DRAINED,
  },
}

/** Another program's keys: until Redis refuses the next one. */
const BALLAST_BYTES = [2 ** 20 - 4_096, 4_000]

const full: Drill = {
  name: 'redis-full',
  title: 'Redis full',
  injected: 'Another program filled the same Redis until it refused every write.',
  setup: { maxmemory: '64mb' },
  inject: async (setup) => {
    for (const bytes of BALLAST_BYTES) await fill(setup, bytes)
  },
  alerts: ['RelayRedisMemoryHigh', 'RelayIntakeUnavailable'],
  misleading: ['RelayRedisDown'],
  seen: 'min(relay_redis_up) == 1 and max(relay_redis_memory_used_bytes) / max(relay_redis_memory_limit_bytes) > 0.99',
  reading:
    '_Redis_ says FULL while all else is green, and nothing is accepted: careful producers got 503 and wait. Nothing waits inside relay, so it is not the backlog that fills it; _Memory_ on _Redis and runtime_ shows both.',
  steps: [
    {
      ...{ page: 'RelayRedisMemoryHigh', step: 1 },
      did: '`CONFIG SET maxmemory 256mb`.',
      act: async (setup) => {
        await setup.askRedis('CONFIG SET maxmemory 268435456')
      },
    },
  ],
  well: {
    'Redis has room':
      'max(relay_redis_memory_used_bytes) / max(relay_redis_memory_limit_bytes) < 0.8',
    ...POSTS_TAKEN,
    ...DRAINED,
  },
}

async function fill(setup: DrillSetup, bytes: number): Promise<void> {
  for (let i = 0; ; i++) {
    const asked = setup.askRedis(`SETRANGE other:${bytes}:${i} ${bytes} x`)
    const refused = await asked.then(
      () => false,
      (error: unknown) => {
        if (error instanceof Error && error.message.includes('-OOM')) return true
        throw error
      },
    )
    if (refused) return
  }
}

export const REDIS_DRILLS: readonly Drill[] = [down, full]
