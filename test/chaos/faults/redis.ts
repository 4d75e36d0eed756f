import { setTimeout as sleep } from 'node:timers/promises'
import { askRedis } from '@relay/tools/process/redis-server.js'
import { nowMs } from '../clock.js'
import { between } from '@relay/shared/seeded-random.js'
import type { Stack } from '../stack/stack.js'
import { fault, lasting, type Fault } from './fault.js'

/** A Redis that does not answer cannot be told anything: it is told later, by `healRedis`. */
const tell = (stack: Stack, command: string) => askRedis(stack.redis.port, command, 8_000)

const ROOM = `CONFIG SET maxmemory ${256 * 1024 * 1024}`

/** Takes back every setting that a fault may have left. */
export async function healRedis(stack: Stack): Promise<void> {
  await tell(stack, ROOM)
  await tell(stack, 'REPLICAOF NO ONE')
}

const keeps = { group: 'redis' } as const
const forgetful = { group: 'redis', loses: 'settles' } as const
/** A new run of Redis ends every session, and its claims with it. */
const restarts = { group: 'redis', loses: 'claims' } as const

export const REDIS_FAULTS: readonly Fault[] = [
  fault('redis-kill', restarts, async ({ stack, random }) => {
    await stack.redis.kill9()
    await lasting(random, 0, 2500)
    await stack.redis.restart()
  }),
  fault('redis-pause', { ...forgetful, resumes: 'lease' }, async ({ stack, random }) => {
    stack.redis.pause()
    await lasting(random, 300, 4000)
    stack.redis.resume()
  }),
  fault('redis-slow', { ...forgetful, resumes: 'lease' }, async ({ stack, random }) => {
    for (let i = 0; i < 4; i += 1) {
      await tell(stack, `DEBUG SLEEP ${(0.1 + random.next() * 0.9).toFixed(2)}`)
      await lasting(random, 50, 400)
    }
  }),
  fault('redis-busy-script', keeps, async ({ stack, random }) => {
    const rounds = between(random, 2_000_000, 20_000_000)
    await tell(stack, `EVAL "for i=1,${rounds} do end" 0`)
  }),
  fault('redis-client-kill', keeps, async ({ stack, random }) => {
    for (let i = 0; i < between(random, 1, 4); i += 1) {
      await tell(stack, 'CLIENT KILL TYPE normal SKIPME yes')
      await tell(stack, 'CLIENT KILL TYPE pubsub')
      await lasting(random, 50, 700)
    }
  }),
  // Workers hear of nothing for a while, although all else works.
  fault('redis-deaf', keeps, async ({ stack, random }) => {
    for (let i = 0; i < between(random, 5, 40); i += 1) {
      await tell(stack, 'CLIENT KILL TYPE pubsub')
      await lasting(random, 10, 80)
    }
  }),
  fault('redis-full', forgetful, async ({ stack, random }) => {
    await tell(stack, 'CONFIG SET maxmemory 1mb')
    await lasting(random, 300, 2500)
    await tell(stack, ROOM)
  }),
  fault('redis-readonly', forgetful, async ({ stack, random }) => {
    // A master that no one listens as: data stays, writes are refused.
    await tell(stack, 'REPLICAOF 127.0.0.1 1')
    await lasting(random, 300, 3000)
    await tell(stack, 'REPLICAOF NO ONE')
  }),
  fault('redis-kill-slow-vendor', { ...restarts, onlyDefault: true }, async ({ stack, random }) => {
    const beforeMs = Math.floor(stack.conditions.timers.requestTimeoutMs * 0.6)
    await stack.vendor.delay(beforeMs)
    await lasting(random, 300, 1_000)
    await stack.redis.kill9()
    await lasting(random, 0, 500)
    await stack.redis.restart()
    await sleep(1_000)
    await stack.vendor.removeFault('vendor-slow')
  }),
  // It comes back without its last seconds, as a replica does that was behind.
  fault(
    'redis-forgets',
    { ...restarts, resumes: 'later', onlyDefault: true },
    async ({ stack, random, journal }) => {
      const fromMs = nowMs()
      await stack.saveRedis()
      await lasting(random, 500, 3_000)
      await stack.restoreRedis()
      journal.forgets.push({ fromMs, toMs: nowMs() })
    },
  ),
  fault('redis-aof-rewrite', keeps, async ({ stack, random }) => {
    await tell(stack, 'BGREWRITEAOF')
    await lasting(random, 300, 1000)
  }),
]
