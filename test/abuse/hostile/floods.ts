import { fileURLToPath } from 'node:url'
import { startChild } from '@relay/tools/process/child.js'
import { call } from '@relay/shared/process/http-call.js'
import { SECRET } from '../../support/relay.js'
import { GOOD_BODY } from './bytes.js'
import { COSTLY, NESTED } from './costly.js'
import { FLOODING_SECRETS } from './access.js'
import type { Listener } from './input.js'
import type { Lap } from './neighbour.js'
import type { Siege } from './run.js'

interface FloodShape {
  readonly what: string
  readonly connections: number
  /** Who posts, in turn by connection. */
  readonly secrets: readonly string[]
  /** What is posted, in turn; the next as soon as one is answered. */
  readonly bodies: readonly Buffer[]
  readonly gzip?: true
  /** The last byte of each body is not sent. */
  readonly unended?: true
  /** Each connection posts once, and then says nothing more. */
  readonly once?: true
  /** Requests on new connections all the time, whose answers are not read. */
  readonly unread?: Unread
}

interface Unread {
  readonly listener: Listener
  readonly path: string
  /** Requests in one write. */
  readonly times: number
  /** With the credentials of a producer. */
  readonly known?: true
}

/** How often a flood of `unread` opens its connections, ms. */
export const WAVE_MS = 500

function unread(connections: number, asked: Unread): FloodShape {
  const { listener, path, times, known } = asked
  const requests = `${times.toLocaleString('en')} GET ${path} ${known ? 'of a producer' : 'without credentials'}`
  const what = `${connections} new connections every 0.5 s, each with ${requests} in one write, and no answer is read`
  const where = listener === 'ops' ? ' (ops port)' : ''
  return { what: what + where, connections, secrets: [], bodies: [], unread: asked }
}

const SHAPES = {
  connections: {
    what: '1,000 connections, each with a post in progress all the time',
    connections: 1_000,
    secrets: [SECRET],
    bodies: [Buffer.from(GOOD_BODY)],
  },
  bodies: {
    what: '60 bodies of 1,000,000 bytes, each but for its last byte',
    connections: 60,
    secrets: [SECRET],
    bodies: [Buffer.alloc(1_000_000, 'x')],
    unended: true,
  },
  bombs: {
    what: '8 producers on 128 connections each: 1 KB of gzip that is 1 MiB of nested arrays',
    connections: 1_024,
    secrets: FLOODING_SECRETS,
    bodies: [NESTED],
    gzip: true,
  },
  costly: {
    what: 'the twelve bodies of 1 MiB that cost most, on 64 connections',
    connections: 64,
    secrets: FLOODING_SECRETS,
    bodies: COSTLY.map(({ body }) => body),
    gzip: true,
  },
  strangers: {
    what: '10,000 connections without credentials: one 401 each, then silence',
    connections: 10_000,
    secrets: ['no secret of anybody'],
    bodies: [Buffer.from(GOOD_BODY)],
    once: true,
  },
  silent: {
    what: '10,000 connections that send nothing',
    connections: 10_000,
    secrets: [],
    bodies: [],
  },
  pipelined: unread(100, { listener: 'intake', path: '/nope', times: 1_000 }),
  pipelinedByProducer: unread(100, { listener: 'intake', path: '/nope', times: 400, known: true }),
  documents: unread(200, { listener: 'intake', path: '/openapi.json', times: 1 }),
  scrapes: unread(200, { listener: 'ops', path: '/metrics', times: 50 }),
} satisfies Record<string, FloodShape>

type Flood = keyof typeof SHAPES
export const FLOODS: Readonly<Record<Flood, FloodShape>> = SHAPES
/** Floods of callers that have no credentials and read nothing. */
export const UNREAD_FLOODS = ['pipelined', 'documents', 'scrapes'] as const
export const isFlood = (name: string): name is Flood => Object.hasOwn(FLOODS, name)

export interface Flooded {
  readonly what: string
  readonly seconds: number
  /** What the flooding producer was answered: status and how often. */
  readonly answers: Readonly<Record<string, number>>
  /** The neighbour as long before the flood, and during it. */
  readonly before: Lap
  readonly during: Lap
  /** The slowest answer of /healthz meanwhile, ms. */
  readonly slowestHealthMs: number
  readonly mostMiB: number
  readonly mostDescriptors: number
  /** While the flooder still has all of its connections that relay did not close. */
  readonly lastDescriptors: number
  /** Until the api has closed all connections of the flood, from its begin, ms; null: some are left. */
  readonly goneMs: number | null
}

const FLOODER = fileURLToPath(new URL('flooder.ts', import.meta.url))
/** Until the flooder's connections stand. */
const BEGIN_S = 2
/** How long an `unread` flood keeps its connections after it opened the last, for relay to close them. */
const HOLD_S = 10
const LOOK_EVERY_MS = 100
/** Descriptors that come and go without a flood. */
const OTHER_DESCRIPTORS = 20

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** A lap whose slowest post took this long was disturbed by earlier posts, ms. */
const QUIET_MS = 50
const QUIET_LAP_MS = 1_000
const QUIET_BY_MS = 60_000

/** Waits until the neighbour is served as if nothing had been. */
async function untilQuiet({ neighbour }: Siege): Promise<void> {
  const byMs = performance.now() + QUIET_BY_MS
  do {
    neighbour.lap()
    await sleep(QUIET_LAP_MS)
  } while (neighbour.lap().slowestMs > QUIET_MS && performance.now() < byMs)
}

/** One producer floods for this time; another, the neighbour, continues to post. */
export async function flood(siege: Siege, name: Flood, seconds: number): Promise<Flooded> {
  await untilQuiet(siege)
  siege.neighbour.lap()
  await sleep(seconds * 1_000)
  const before = siege.neighbour.lap()
  const { relay } = siege
  const { port } = new URL(FLOODS[name].unread?.listener === 'ops' ? relay.opsUrl : relay.apiUrl)
  const atRest = siege.facts().descriptors + OTHER_DESCRIPTORS
  const startedMs = performance.now()
  const child = await startChild({
    name: 'flooder',
    entry: FLOODER,
    args: [port, name, String(seconds + BEGIN_S), String(HOLD_S)],
  })
  let [mostMiB, mostDescriptors, lastDescriptors, seenMs] = [0, 0, 0, 0]
  const look = setInterval(() => {
    const { residentMiB, descriptors } = siege.facts()
    mostMiB = Math.max(mostMiB, residentMiB)
    mostDescriptors = Math.max(mostDescriptors, descriptors)
    lastDescriptors = descriptors
    if (descriptors > atRest) seenMs = performance.now() - startedMs
  }, LOOK_EVERY_MS)
  const health = watchHealth(siege)
  await child.exited
  clearInterval(look)
  const slowestHealthMs = await health.stop()
  const during = siege.neighbour.lap()
  const answers = JSON.parse(child.lastLines().at(-1) ?? '{}') as Record<string, number>
  const descriptors = { mostDescriptors, lastDescriptors }
  const goneMs = lastDescriptors > atRest ? null : seenMs
  const seen = { before, during, slowestHealthMs, mostMiB, ...descriptors, goneMs }
  return { what: FLOODS[name].what, seconds, answers, ...seen }
}

/** Asks for /healthz as the kubelet does, only more often. */
function watchHealth({ relay }: Siege): { stop(): Promise<number> } {
  let slowestMs = 0
  const asked: Promise<void>[] = []
  const ask = async (): Promise<void> => {
    const startedMs = performance.now()
    await call(`${relay.opsUrl}/healthz`)
    slowestMs = Math.max(slowestMs, performance.now() - startedMs)
  }
  const timer = setInterval(() => asked.push(ask()), LOOK_EVERY_MS)
  return {
    stop: async () => {
      clearInterval(timer)
      await Promise.all(asked)
      return slowestMs
    },
  }
}

export async function floodAll(
  siege: Siege,
  seconds: number,
  names: readonly string[] = Object.keys(FLOODS),
): Promise<readonly Flooded[]> {
  const flooded: Flooded[] = []
  for (const name of names.filter(isFlood)) flooded.push(await flood(siege, name, seconds))
  return flooded
}
