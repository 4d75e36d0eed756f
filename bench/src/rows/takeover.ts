import { systemClock } from '@relay/shared/clock.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { relayEnvironment, Stage, startIntake } from '../contenders/start.js'
import { Trickle } from '../load/trickle.js'
import { at, atMost, columns, of, target, type BenchOptions, type Row, type Sample } from './row.js'

const LEASE_MS = 5_000
const EVENTS_PER_SECOND = 100
/** Two workers share the partitions once both are known to each other; each has had some by then. */
const SETTLED_S = 3

const LONGEST = 'longest wait, ms'
const BEFORE = 'longest wait before, ms'

/** Two workers under a steady trickle; one of them ends. */
async function takeover(signal: 'SIGTERM' | 'SIGKILL', { quick }: BenchOptions): Promise<Sample> {
  return Stage.run(async (stage) => {
    const leaseMs = quick ? 2_000 : LEASE_MS
    const redis = await stage.redis()
    const trickle = await Trickle.start(stage)
    const env = {
      ...relayEnvironment(redis.url, trickle.url),
      RELAY_LEASE_MS: String(leaseMs),
    }
    const { target } = await startIntake(stage, 'relay', redis.url, env)
    await stage.service('worker', env)
    const { child } = await stage.service('worker', env)
    const post = (seconds: number) =>
      trickle.post(target.port, seconds * EVENTS_PER_SECOND, EVENTS_PER_SECOND)
    await post(SETTLED_S)
    const steadyMs = systemClock.monotonicMs()
    await post(SETTLED_S)
    const before = trickle.waitsMs(steadyMs)
    const endedAtMs = systemClock.monotonicMs()
    child.kill(signal)
    await post(leaseMs / 1000 + 2)
    const isAllThere = () => trickle.waitsMs().every(Number.isFinite)
    await waitFor(isAllThere, { what: 'every event to arrive', timeoutMs: leaseMs * 4 })
    // An element accepted just before may wait for it, too.
    const waits = trickle.waitsMs(endedAtMs - 100)
    const values = {
      [BEFORE]: Math.max(...before.filter(Number.isFinite)),
      [LONGEST]: Math.max(...waits),
      'lease, ms': leaseMs,
    }
    return { contender: signal === 'SIGTERM' ? 'SIGTERM' : 'kill -9', values }
  })
}

export const TAKEOVER: Row = {
  name: 'takeover',
  title: `One of two workers ends, ${String(EVENTS_PER_SECOND)} single events a second, MoEngage answers in 20 ms: accepted → at MoEngage`,
  columns: columns({ [BEFORE]: 0, [LONGEST]: 0, 'lease, ms': 0 }),
  targets: [
    target(
      'SIGTERM: longest wait, the last attempt included',
      '≤ 300 ms',
      0,
      at('SIGTERM', LONGEST),
      atMost(300),
    ),
    target(
      'kill -9: longest wait, less the lease',
      '≤ 1,000 ms',
      0,
      (m) => of(m, 'kill -9', LONGEST) - of(m, 'kill -9', 'lease, ms'),
      atMost(1_000),
    ),
  ],
  measure: async (options) => [
    await takeover('SIGTERM', options),
    await takeover('SIGKILL', options),
  ],
}
