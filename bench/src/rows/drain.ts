import { setTimeout as sleep } from 'node:timers/promises'
import { MAX_BODY_BYTES } from '@relay/shared/vendor/limits.js'
import { systemClock } from '@relay/shared/clock.js'
import { Sink, Stage } from '../contenders/start.js'
import type { SinkTotals } from '../contenders/sink.js'
import { memoryBytes } from '@relay/tools/process/facts.js'
import { cpuMicroseconds } from '../measure.js'
import { openFloor, openNaive, openRelay, type OpenDrainer } from './backlog.js'
import { at, atLeast, atMost, columns, of, target, times, type Row, type Sample } from './row.js'

/** Bytes of a bulk body around its elements; each but one element also has a comma. */
const ENVELOPE_BYTES = '{"type":"transition","elements":[]}'.length
/** After the last request what it settled is still written, ms. */
const SETTLE_MS = 300

const COLUMNS = columns({
  'µs/element': 2,
  'worker µs': 2,
  'Redis µs': 2,
  'elements/s': 0,
  requests: 0,
  'lower bound': 0,
  'mean body': 0,
  'worker MB': 0,
})

/** The fewest requests that can carry what these carried. */
function lowerBound({ bodyBytes, requests }: SinkTotals): number {
  const elementBytes = bodyBytes - requests * (ENVELOPE_BYTES - 1)
  return Math.ceil(elementBytes / (MAX_BODY_BYTES - (ENVELOPE_BYTES - 1)))
}

interface Drain {
  readonly label: string
  readonly open: OpenDrainer
  readonly elements: number
  readonly warmUp: number
}

async function drain({ label, open, elements, warmUp }: Drain): Promise<Sample> {
  return Stage.run(async (stage) => {
    const sink = await Sink.start(stage)
    const drainer = await open(stage, sink)
    const { workerPids, redisPid } = drainer
    await drainer.fill(warmUp)
    await drainer.release()
    await sink.received(warmUp)
    await drainer.fill(elements)
    await sleep(SETTLE_MS)
    await sink.reset()
    const workerBefore = await cpuMicroseconds(workerPids)
    const redisBefore = await cpuMicroseconds([redisPid])
    const startedMs = systemClock.monotonicMs()
    await drainer.release()
    const totals = await sink.received(elements)
    const seconds = (systemClock.monotonicMs() - startedMs) / 1000
    await sleep(SETTLE_MS)
    const workerUs = (await cpuMicroseconds(workerPids)) - workerBefore
    const redisUs = (await cpuMicroseconds([redisPid])) - redisBefore
    const peaks = workerPids.map((pid) => memoryBytes(pid, 'VmHWM'))
    const values = {
      'µs/element': (workerUs + redisUs) / elements,
      'worker µs': workerUs / elements,
      'Redis µs': redisUs / elements,
      'elements/s': elements / seconds,
      requests: totals.requests,
      'lower bound': lowerBound(totals),
      'mean body': totals.bodyBytes / totals.requests,
      'worker MB': Math.max(...peaks) / 1e6,
    }
    return { contender: label, values }
  })
}

async function each(drains: readonly Drain[]): Promise<Sample[]> {
  const samples: Sample[] = []
  for (const one of drains) samples.push(await drain(one))
  return samples
}

const cost = 'µs/element'

export const DRAIN: Row = {
  name: 'drain',
  title: 'Drain of a backlog, unlimited budgets',
  columns: COLUMNS,
  targets: [
    target('cheaper than naive', '≥ 35×', 1, times(cost, 'naive', 'relay'), atLeast(35)),
    target('dearer than the floor', '≤ 2×', 2, times(cost, 'relay', 'floor'), atMost(2)),
    target(
      'mean body',
      '≥ 98 % of 128,000 bytes',
      3,
      (m) => of(m, 'relay', 'mean body') / MAX_BODY_BYTES,
      atLeast(0.98),
    ),
    target(
      'requests',
      '≤ 1.02 × the lower bound',
      3,
      (m) => of(m, 'relay', 'requests') / of(m, 'relay', 'lower bound'),
      atMost(1.02),
    ),
  ],
  measure: ({ quick }) => {
    const many = quick ? 5_000 : 1_000_000
    const warmUp = quick ? 1_000 : 600_000
    return each([
      { label: 'floor', open: openFloor, elements: many, warmUp },
      { label: 'naive', open: openNaive, elements: many / 10, warmUp: warmUp / 10 },
      { label: 'relay', open: openRelay(), elements: many, warmUp },
    ])
  },
}

const ONE = '10⁶'
const EACH = '8 workers, 8 · 10⁵ shared'
const MANY = '200 workspaces of 5,000'

export const DRAIN_SCALE: Row = {
  name: 'drain-scale',
  title: 'Drain cost by length of the backlog, number of workspaces and of workers',
  columns: COLUMNS,
  targets: [
    target('backlog of 10⁶ against 10⁴', '≤ 1.2×', 2, times(cost, ONE, '10⁴'), atMost(1.2)),
    target(
      '10⁶ in 200 workspaces of 5,000 against one workspace',
      '≤ 1.2×',
      2,
      times(cost, MANY, ONE),
      atMost(1.2),
    ),
    target(
      '8 workers on one Redis against 1, as much for each',
      '≤ 1.2×',
      2,
      times(cost, EACH, '10⁵'),
      atMost(1.2),
    ),
    target(
      '8 workers on one backlog shared among them against 1',
      '≤ 1.3×',
      2,
      times(cost, EACH, ONE),
      atMost(1.3),
    ),
    target('200 workspaces: worker', '≤ 200 MB', 0, at(MANY, 'worker MB'), atMost(200)),
    target('worker with 10⁶ waiting', '≤ 200 MB', 0, at(ONE, 'worker MB'), atMost(200)),
  ],
  measure: ({ quick }) => {
    const warmUp = quick ? 1_000 : 600_000
    const workers = quick ? 2 : 8
    const backlog = (label: string, elements: number, size = {}): Drain => {
      return { label, open: openRelay(size), elements: quick ? 2_000 : elements, warmUp }
    }
    // A process gets cheaper as it runs, so each of them gets as much to do as the one, and as much before.
    const shared = { ...backlog(EACH, 100_000 * workers, { workers }), warmUp: warmUp * workers }
    return each([
      backlog('10⁴', 10_000),
      backlog('10⁵', 100_000),
      backlog(ONE, 1_000_000),
      backlog(MANY, 1_000_000, { workspaces: quick ? 5 : 200 }),
      shared,
    ])
  },
}
