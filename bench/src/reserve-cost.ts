import { startRedis } from '@relay/test/support/redis/test-redis.js'
import { Ledger, type Reservation } from '@relay/shared/budget/ledger.js'
import { systemClock } from '@relay/shared/clock.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'

/**
 * How long one `reserve` keeps Redis' only thread, by how many reservations lie in the window:
 * `npx tsx --conditions=@relay/source bench/src/reserve-cost.ts`. Redis' own count (commandstats).
 */
const RESERVATIONS = [1_000, 5_000, 20_000]
const CALLS = 200
const WINDOW_MS = 60_000

const base: Omit<Reservation, 'id' | 'cost' | 'limits'> = {
  ...{ lane: 'realtime', windowMs: WINDOW_MS, openMs: 15_000, gateVersion: '0', incarnation: '' },
  ...{ oldestMs: 1, waiter: '', need: { users: 0, events: 0, devices: 0 } },
  ...{ backfillFloor: 0.1, realtimeHeadroom: 0.05, requestsAtOnce: 0 },
}

async function usPerCall(client: RedisClient, act: () => Promise<unknown>): Promise<number> {
  await client.config('RESETSTAT')
  for (let i = 0; i < CALLS; i += 1) await act()
  const stats = await client.info('commandstats')
  return Number(/cmdstat_evalsha:.*usec_per_call=([\d.]+)/.exec(stats)?.[1])
}

async function measure(client: RedisClient, count: number): Promise<void> {
  const ledger = new Ledger(client, `cost-${String(count)}`, 'APP', systemClock)
  const one = { users: 1, events: 1, devices: 1 }
  const limits = { users: count, events: count, devices: count }
  let ids = 0
  const reserve = (cost = one, within = limits) => {
    ids += 1
    return ledger.reserve({ ...base, id: String(ids), cost, limits: within, need: cost })
  }
  while (ids < count) await Promise.all(Array.from({ length: 500 }, () => reserve()))
  // Everything is in use: half of it is asked for, in all three budgets.
  const half = { users: count / 2, events: count / 2, devices: count / 2 }
  const deniedUs = await usPerCall(client, () => reserve(half))
  const wide = { users: 1e9, events: 1e9, devices: 1e9 }
  const grantedUs = await usPerCall(client, () => reserve(one, wide))
  const line = { reservations: count, deniedUs, grantedUs }
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

const redis = await startRedis({ appendonly: false })
const client = connectRedis({ mode: 'single', url: redis.url }, { commandTimeoutMs: 30_000 })
await new Promise((resolve) => client.once('ready', resolve))
for (const count of RESERVATIONS) await measure(client, count)
client.disconnect()
await redis.stop()
