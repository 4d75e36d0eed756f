import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '@relay/shared/clock.js'
import {
  INTAKES,
  relayEnvironment,
  Stage,
  startIntake,
  type IntakeName,
} from '../contenders/start.js'
import { elementTexts, Load, meanBytes, postBodies, requestBytes } from '../load/load.js'
import { cpuMicroseconds, usedMemory, quantile } from '../measure.js'
import {
  at,
  atLeast,
  atMost,
  columns,
  target,
  times,
  type BenchOptions,
  type Row,
  type Sample,
} from './row.js'

const CONNECTIONS = 32
const ELEMENTS = 20_000
/** By then what is hot is compiled. By number, not by time: the machine may be busy. */
const WARM_UP = { posts: 20_000, elements: 300_000 }
const MEASURED = { posts: 30_000, elements: 300_000 }
/** Redis writes its log behind; its memory is read once that is done, ms. */
const CALM_MS = 1_500

interface Variant {
  readonly label: string
  readonly name: IntakeName
  /** Limit of the backlog, as a multiple of all JSON that is posted. relay deflates chunks from 2 % of it on. */
  readonly backlog?: number
  /** Settings of Redis, as arguments. */
  readonly redis?: readonly string[]
}

const AS_IS = 'relay, stored as is'
const COMPRESSED = 'relay, compressed'
const LISTPACKS = `${COMPRESSED}, small chunks in listpacks`

const VARIANTS: readonly Variant[] = [
  ...INTAKES.map((name) => ({ label: name, name })),
  { label: AS_IS, name: 'relay', backlog: 1_000 },
  { label: COMPRESSED, name: 'relay', backlog: 12 },
  {
    label: LISTPACKS,
    name: 'relay',
    backlog: 12,
    redis: ['--hash-max-listpack-value', '4096'],
  },
]

const COLUMNS = columns({
  'µs/element': 1,
  'intake µs': 1,
  'Redis µs': 1,
  'elements/s': 0,
  'p50 ms': 2,
  'p99 ms': 2,
  'Redis bytes/element': 0,
  '× its JSON': 2,
})

async function measureOne(
  { label, name, backlog, redis: settings }: Variant,
  perPost: number,
  { quick }: BenchOptions,
): Promise<Sample> {
  // The naive one would take minutes for what the others do in seconds.
  const share = name === 'naive' ? 0.3 : 1
  const postsOf = ({ posts, elements }: typeof WARM_UP) =>
    Math.ceil(Math.min(posts, elements / perPost) * share)
  const texts = elementTexts(ELEMENTS)
  const bodies = postBodies(texts, perPost)
  const posts = quick ? 150 : postsOf(WARM_UP) + postsOf(MEASURED)
  const limit = Math.ceil((backlog ?? 0) * posts * perPost * meanBytes(texts))
  const env = backlog === undefined ? {} : { RELAY_MAX_BACKLOG_BYTES: String(limit) }
  return Stage.run(async (stage) => {
    const server = await stage.redis(settings)
    const { target, child } = await startIntake(stage, name, server.url, {
      ...relayEnvironment(server.url, 'http://127.0.0.1:9'),
      ...env,
    })
    const redis = stage.probe(server.url)
    const requests = bodies.map((body) => requestBytes(target, body))
    const emptyBytes = await usedMemory(redis)
    const load = new Load(target.port, requests, CONNECTIONS)
    await load.answered(quick ? 50 : postsOf(WARM_UP))
    const [intakeBefore, redisBefore] = [
      await cpuMicroseconds([child.pid]),
      await cpuMicroseconds([server.pid]),
    ]
    const [answersBefore, startedMs] = [load.answers, systemClock.monotonicMs()]
    load.forget()
    await load.answered(answersBefore + (quick ? 100 : postsOf(MEASURED)))
    const [intakeUs, redisUs] = [
      (await cpuMicroseconds([child.pid])) - intakeBefore,
      (await cpuMicroseconds([server.pid])) - redisBefore,
    ]
    const count = (load.answers - answersBefore) * perPost
    const seconds = (systemClock.monotonicMs() - startedMs) / 1000
    const latencies = load.latenciesMs
    await load.stop()
    if (load.overloads > 0) throw new Error(`${label} refused ${load.overloads} posts`)
    await sleep(CALM_MS)
    const bytes = ((await usedMemory(redis)) - emptyBytes) / (load.answers * perPost)
    const values = {
      'µs/element': (intakeUs + redisUs) / count,
      'intake µs': intakeUs / count,
      'Redis µs': redisUs / count,
      'elements/s': count / seconds,
      'p50 ms': quantile(latencies, 0.5),
      'p99 ms': quantile(latencies, 0.99),
      'Redis bytes/element': bytes,
      '× its JSON': bytes / meanBytes(texts),
    }
    return { contender: label, values }
  })
}

interface Wanted {
  readonly naive: number
  readonly floor: number
  readonly bytes: number
}

function intakeRow(perPost: number, wanted: Wanted): Row {
  const cost = 'µs/element'
  return {
    name: `intake-${perPost}`,
    title: `Intake: posts of ${perPost}, ${CONNECTIONS} connections`,
    columns: COLUMNS,
    targets: [
      target(
        'cheaper than naive',
        `≥ ${wanted.naive}×`,
        1,
        times(cost, 'naive', 'relay'),
        atLeast(wanted.naive),
      ),
      target(
        'dearer than the floor',
        `≤ ${wanted.floor}×`,
        2,
        times(cost, 'relay', 'floor'),
        atMost(wanted.floor),
      ),
      target(
        'Redis bytes per element, stored as is',
        `≤ ${wanted.bytes}× its JSON`,
        2,
        at(AS_IS, '× its JSON'),
        atMost(wanted.bytes),
      ),
      target(
        'Redis bytes per element, compressed',
        'below 0.6× its JSON',
        2,
        at(COMPRESSED, '× its JSON'),
        atMost(0.6),
      ),
      target(
        'the same, small chunks in listpacks',
        'below 0.6× its JSON',
        2,
        at(LISTPACKS, '× its JSON'),
        atMost(0.6),
      ),
    ],
    measure: async (options) => {
      const samples: Sample[] = []
      for (const variant of VARIANTS) samples.push(await measureOne(variant, perPost, options))
      return samples
    },
  }
}

export const INTAKE_ROWS: readonly Row[] = [
  intakeRow(50, { naive: 9, floor: 1.5, bytes: 1.3 }),
  intakeRow(1, { naive: 7, floor: 2, bytes: 2 }),
]
