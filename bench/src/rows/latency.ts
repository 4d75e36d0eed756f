import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '@relay/shared/clock.js'
import { relayEnvironment, Stage, startIntake } from '../contenders/start.js'
import { MOENGAGE_MS, Trickle } from '../load/trickle.js'
import { quantile } from '../measure/statistics.js'
import { at, atMost, columns, target, type BenchOptions, type Row, type Sample } from './row.js'

const LINGER_MS = 100
/** Half of 20,000 events a minute. */
const EVENTS_PER_SECOND = 20_000 / 60 / 2

async function measure({ quick }: BenchOptions): Promise<Sample[]> {
  return Stage.run(async (stage) => {
    const redis = await stage.redis()
    const trickle = await Trickle.start(stage)
    const env = {
      ...relayEnvironment(redis.url, trickle.url),
      MOENGAGE_EVENTS_PER_MINUTE: '20000',
      MOENGAGE_USERS_PER_MINUTE: '5000',
      RELAY_LINGER_MS: String(LINGER_MS),
    }
    const { target } = await startIntake(stage, 'relay', redis.url, env)
    await stage.service('worker', env)
    const count = Math.round(EVENTS_PER_SECOND * (quick ? 2 : 20))
    const warmUp = Math.round(EVENTS_PER_SECOND * (quick ? 1 : 5))
    await trickle.post(target.port, warmUp, EVENTS_PER_SECOND)
    const sinceMs = systemClock.monotonicMs()
    await trickle.post(target.port, count, EVENTS_PER_SECOND)
    await sleep(1_000)
    const waits = trickle.waitsMs(sinceMs)
    const values = {
      'p50 ms': quantile(waits, 0.5),
      'p99 ms': quantile(waits, 0.99),
      'most ms': Math.max(...waits),
      elements: waits.length,
    }
    return [{ contender: 'relay', values }]
  })
}

export const LATENCY: Row = {
  name: 'latency',
  title:
    'Accepted → at MoEngage, at half the budget of events, posts of 1, MoEngage answers in 20 ms',
  columns: columns({ 'p50 ms': 0, 'p99 ms': 0, 'most ms': 0, elements: 0 }),
  targets: [
    target(
      'p50',
      `≤ 20 ms + linger (${String(LINGER_MS)} ms)`,
      0,
      at('relay', 'p50 ms'),
      atMost(MOENGAGE_MS + LINGER_MS),
    ),
    target('p99', '≤ 250 ms', 0, at('relay', 'p99 ms'), atMost(250)),
  ],
  measure,
}
