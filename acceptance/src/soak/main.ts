import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { format, resolveConfig } from 'prettier'
import { ROOT } from '@relay/dev/folders.js'
import { Relay } from '../relay.js'
import { startTroubles } from './faults.js'
import { startLoad } from './load.js'
import { plotSoak } from './plot.js'
import { soakDocument } from './report.js'
import { Sampler, type Sample } from './sample.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    /** Makes faults so many times as often. From about 5 on every probe meets one, and nothing is mild any more. */
    pace: { type: 'string', default: '1' },
    /** Folder for soak.md and img/soak.svg. */
    out: { type: 'string', default: join(ROOT, 'docs') },
  },
})
const minutes = Number(values.minutes)
const SAMPLE_MS = 5_000
/** For what is still on its way at the end. */
const DRAIN_MS = 90_000

const nowMs = () => performance.now()
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

// `npm run soak`: relay at its default budgets for a long time, measured.
const relay = await Relay.start({
  workers: 2,
  simulator: {
    record: 'counts',
    latency: { beforeMs: 20, beforeJitterMs: 30, afterMs: 20, afterJitterMs: 60 },
  },
})
try {
  const sampler = new Sampler(relay, nowMs)
  const load = startLoad(relay, nowMs)
  const troubles = startTroubles(relay, Number(values.pace))
  const samples: Sample[] = []
  const endsMs = nowMs() + minutes * 60_000
  while (nowMs() < endsMs) {
    await sleep(Math.min(SAMPLE_MS, endsMs - nowMs()))
    const sample = await sampler.take()
    samples.push(sample)
    process.stdout.write(`${JSON.stringify(sample)}\n`)
  }
  await troubles.stop()
  await load.stop()
  const drainedByMs = nowMs() + DRAIN_MS
  let last = await sampler.take()
  while (last.backlog > 0 && nowMs() < drainedByMs) {
    await sleep(1_000)
    last = await sampler.take()
  }
  const { totals } = relay.simulator.record
  const lines = [relay.api, ...relay.workers].flatMap((child) => child.logs())
  const text = soakDocument({
    ...{ minutes, samples, troubles: troubles.made },
    accepted: load.accepted(),
    refusedPosts: load.refused(),
    arrived: totals.elements,
    deadLettered: last.deadLetters,
    backlogAtEnd: last.backlog,
    errors: lines.filter(({ level }) => level === 'error').length,
  })
  const page = join(values.out, 'soak.md')
  mkdirSync(join(values.out, 'img'), { recursive: true })
  const style = { ...(await resolveConfig(join(ROOT, 'docs', 'soak.md'))), parser: 'markdown' }
  writeFileSync(page, await format(text, style))
  writeFileSync(join(values.out, 'img', 'soak.svg'), plotSoak(samples))
  process.stdout.write(`written: ${page}\n`)
} finally {
  await relay.stop()
}
