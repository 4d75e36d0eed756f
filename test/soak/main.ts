/**
 * `npm run soak`: relay at its default budgets for an hour, measured. Writes docs/reports/soak.md and its
 * picture; status 1 when something was not flat or a law did not hold.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { writePage } from '@relay/tools/docs/page.js'
import { ROOT } from '@relay/tools/folders.js'
import { EVENTS_PER_MINUTE, MAX_BODY_BYTES, USERS_PER_MINUTE } from '@relay/shared/vendor/limits.js'
import { Relay } from '../support/relay.js'
import { startTroubles } from './faults.js'
import { WARM_UP_SHARE, type SoakFacts } from './judge.js'
import { startLoad } from './load.js'
import { plotSoak } from './plot.js'
import { soakDocument } from './report.js'
import { Sampler, type Sample } from './sample.js'
import { Tally } from './tally.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    /** Makes faults so many times as often. From about 5 on every probe meets one, and nothing is mild any more. */
    pace: { type: 'string', default: '1' },
    /** Folder for soak.md; soak.svg is written to ../img. */
    out: { type: 'string', default: join(ROOT, 'docs/reports') },
  },
})
const minutes = Number(values.minutes)
const SAMPLE_MS = 5_000
/** For what is still on its way at the end. */
const DRAIN_MS = 120_000

const nowMs = () => performance.now()
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const relay = await Relay.start({
  workers: 2,
  // Smaller than the default, so that their bound is reached within the warm-up.
  env: { RELAY_TRACE_BYTES: String(512 * 1_024) },
  simulator: {
    recordMaxElements: 50_000,
    latency: { beforeMs: 20, beforeJitterMs: 30, afterMs: 20, afterJitterMs: 60 },
  },
})
try {
  const { text, samples, holds } = await soak()
  const page = join(values.out, 'soak.md')
  mkdirSync(join(values.out, '../img'), { recursive: true })
  await writePage(page, text)
  writeFileSync(join(values.out, '../img/soak.svg'), plotSoak(samples))
  process.stdout.write(`written: ${page}\n`)
  process.exitCode = holds ? 0 : 1
} finally {
  await relay.stop()
}

async function soak() {
  const tally = new Tally()
  const sampler = new Sampler(relay, nowMs)
  const load = startLoad(relay, tally, nowMs)
  const troubles = startTroubles(relay, Number(values.pace))
  const samples: Sample[] = []
  const take = async (): Promise<Sample> => {
    tally.readArrivals(relay.simulator.record)
    return sampler.take()
  }
  const startedMs = nowMs()
  const durationMs = minutes * 60_000
  let warm = { ...relay.simulator.record.totals, atMs: startedMs }
  while (nowMs() < startedMs + durationMs) {
    await sleep(Math.min(SAMPLE_MS, startedMs + durationMs - nowMs()))
    const sample = await take()
    samples.push(sample)
    process.stdout.write(`${JSON.stringify(sample)}\n`)
    if (sample.atMs <= durationMs * WARM_UP_SHARE) {
      warm = { ...relay.simulator.record.totals, atMs: nowMs() }
    }
  }
  const used = usedSince(warm)
  await troubles.stop()
  await load.stop()
  const drainedByMs = nowMs() + DRAIN_MS
  let last = await take()
  while (last.backlog > 0 && nowMs() < drainedByMs) {
    await sleep(1_000)
    last = await take()
  }
  const facts = {
    ...{ minutes, samples, troubles: troubles.made },
    refusedPosts: load.refused(),
    ...tallied(tally),
    deadLettered: last.deadLetters,
    backlogAtEnd: last.backlog,
    ...observed(troubles.rateLimits(), used),
  }
  return { ...soakDocument(facts), samples }
}

/** Which share of each budget was used since `from`. */
function usedSince(from: { readonly users: number; readonly events: number; atMs: number }) {
  const inMinutes = (nowMs() - from.atMs) / 60_000
  const { users, events } = relay.simulator.record.totals
  return {
    users: (users - from.users) / inMinutes / USERS_PER_MINUTE,
    events: (events - from.events) / inMinutes / EVENTS_PER_MINUTE,
  }
}

function tallied(tally: Tally) {
  tally.readArrivals(relay.simulator.record)
  return { accepted: tally.acceptedCount, lost: tally.lost, unseenArrivals: tally.missed }
}

/** What the simulator saw, and how the processes fared. */
function observed(
  rateLimits: number,
  used: { readonly users: number; readonly events: number },
): Pick<
  SoakFacts,
  'arrivals' | 'budgets' | 'overBudget' | 'largestBody' | 'bodyLimit' | 'restarts' | 'errors'
> {
  const { record } = relay.simulator
  const [budgets] = relay.simulator.budgets()
  const children = [relay.api, ...relay.workers]
  const errors = new Map<string, number>()
  for (const { level, message } of children.flatMap((child) => child.logs())) {
    if (level === 'error') errors.set(String(message), (errors.get(String(message)) ?? 0) + 1)
  }
  return {
    arrivals: record.totals.elements,
    budgets: (['users', 'events'] as const).map((name) => ({
      name,
      limit: budgets?.[name].limit ?? 0,
      peak: budgets?.[name].peakArrived ?? Infinity,
      used: used[name],
    })),
    overBudget: (record.statuses.get(429) ?? 0) - rateLimits,
    largestBody: record.bodyBytes.summary().max,
    bodyLimit: MAX_BODY_BYTES,
    restarts: children.filter((child) => child.exit() !== null).length,
    errors,
  }
}
