import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '@relay/shared/clock.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { at, atMost, columns, target, type BenchOptions, type Row, type Sample, of } from './row.js'
import { relayEnvironment, Stage, startIntake } from '../contenders/start.js'
import { elementTexts, Load, postBodies, requestBytes } from '../load/load.js'
import { Trickle } from '../load/trickle.js'
import { quantile } from '../measure.js'

const LINGER_MS = 100
/** Of events, in a window. */
const BUDGET = { events: 20_000, windowS: 60 }
/** A shorter window at the same rate, so that backfill saturates it within the row. */
const SHORT = { events: 6_667, windowS: 20 }
/** Windows' worth of backfill that waits: what the row lasts, and some more. */
const BACKFILL_WINDOWS = 4

const IDLE = 'relay'
const WITHIN = 'beside backfill, 4 % of the budget'
const BEYOND = 'beside backfill, 20 % of the budget'

async function relayWith(stage: Stage, { events, windowS }: typeof BUDGET) {
  const redis = await stage.redis()
  const trickle = await Trickle.start(stage)
  const env = {
    ...relayEnvironment(redis.url, trickle.url),
    MOENGAGE_EVENTS_PER_MINUTE: String(events),
    MOENGAGE_BUDGET_WINDOW_SECONDS: String(windowS),
    RELAY_LINGER_MS: String(LINGER_MS),
  }
  const { target } = await startIntake(stage, 'relay', redis.url, env)
  await stage.service('worker', env)
  return { trickle, target }
}

/** Single events at a share of the budget, for a while. */
async function measured(
  contender: string,
  trickle: Trickle,
  port: number,
  { perSecond, seconds }: { perSecond: number; seconds: number },
): Promise<Sample> {
  const sinceMs = systemClock.monotonicMs()
  await trickle.post(port, Math.round(perSecond * seconds), perSecond)
  const isAllThere = () => trickle.waitsMs(sinceMs).every(Number.isFinite)
  await waitFor(isAllThere, { what: 'every event to arrive', timeoutMs: 60_000 })
  const waits = trickle.waitsMs(sinceMs)
  const values = {
    'p50 ms': quantile(waits, 0.5),
    'p99 ms': quantile(waits, 0.99),
    'most ms': Math.max(...waits),
    elements: waits.length,
  }
  return { contender, values }
}

async function idle({ quick }: BenchOptions): Promise<Sample> {
  return Stage.run(async (stage) => {
    const { trickle, target } = await relayWith(stage, BUDGET)
    const perSecond = BUDGET.events / BUDGET.windowS / 2
    await trickle.post(target.port, Math.round(perSecond * (quick ? 1 : 5)), perSecond)
    return measured(IDLE, trickle, target.port, { perSecond, seconds: quick ? 2 : 20 })
  })
}

/** Realtime comes once backfill has the whole window. */
async function besideBackfill({ quick }: BenchOptions): Promise<Sample[]> {
  return Stage.run(async (stage) => {
    const { events, windowS } = quick ? { events: 667, windowS: 2 } : SHORT
    const { trickle, target } = await relayWith(stage, { events, windowS })
    const headers = { ...target.headers, 'relay-lane': 'backfill' }
    const bodies = postBodies(elementTexts(events * BACKFILL_WINDOWS), 50)
    const requests = bodies.map((body) => requestBytes({ ...target, headers }, body))
    await new Load(target.port, requests, 8, requests.length).finished()
    await sleep(windowS * 1000)
    const seconds = windowS * 0.75
    const perSecond = (share: number) => (events / windowS) * share
    return [
      await measured(WITHIN, trickle, target.port, { perSecond: perSecond(0.04), seconds }),
      await measured(BEYOND, trickle, target.port, { perSecond: perSecond(0.2), seconds }),
    ]
  })
}

export const LATENCY: Row = {
  name: 'latency',
  title:
    'Accepted → at MoEngage, posts of 1, MoEngage answers in 20 ms: at half the budget of events, and beside a backfill that saturates it',
  columns: columns({ 'p50 ms': 0, 'p99 ms': 0, 'most ms': 0, elements: 0 }),
  targets: [
    target('p99', '≤ 15 ms', 0, at(IDLE, 'p99 ms'), atMost(15)),
    ...[WITHIN, BEYOND].map((label) =>
      target(`p99 ${label}`, '≤ 50 ms', 0, at(label, 'p99 ms'), atMost(50)),
    ),
  ],
  measure: async (options) => [await idle(options), ...(await besideBackfill(options))],
}

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
  title: `One of two workers ends, ${EVENTS_PER_SECOND} single events a second, MoEngage answers in 20 ms: accepted → at MoEngage`,
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
