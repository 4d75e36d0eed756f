import { fileURLToPath } from 'node:url'
import { startChild } from '@relay/tools/process/child.js'
import type { Lap } from './neighbour.js'
import type { Siege } from './run.js'

interface FloodShape {
  readonly what: string
  readonly connections: number
  /** Bytes of a body that is never ended; 0: good posts, the next as soon as one is answered. */
  readonly body: number
}

export const FLOODS = {
  connections: {
    what: '1,000 connections, each with a post under way all the time',
    connections: 1_000,
    body: 0,
  },
  bodies: {
    what: '60 bodies of 1,000,000 bytes, each but for its last byte',
    connections: 60,
    body: 1_000_000,
  },
} as const satisfies Record<string, FloodShape>

type Flood = keyof typeof FLOODS
export const isFlood = (name: string): name is Flood => Object.hasOwn(FLOODS, name)

export interface Flooded {
  readonly what: string
  readonly seconds: number
  /** What the flooding producer was answered: status and how often. */
  readonly answers: Readonly<Record<string, number>>
  /** The neighbour as long before the flood, and during it. */
  readonly before: Lap
  readonly during: Lap
  readonly mostMiB: number
  readonly mostDescriptors: number
}

const FLOODER = fileURLToPath(new URL('flooder.ts', import.meta.url))
/** Until the flooder's connections stand. */
const BEGIN_S = 2
const LOOK_EVERY_MS = 100

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** One producer floods for so long; another, the neighbour, goes on posting. */
export async function flood(siege: Siege, name: Flood, seconds: number): Promise<Flooded> {
  siege.neighbour.lap()
  await sleep(seconds * 1_000)
  const before = siege.neighbour.lap()
  const { port } = new URL(siege.relay.apiUrl)
  const child = await startChild({
    name: 'flooder',
    entry: FLOODER,
    args: [port, name, String(seconds + BEGIN_S)],
  })
  let [mostMiB, mostDescriptors] = [0, 0]
  const look = setInterval(() => {
    const { residentMiB, descriptors } = siege.facts()
    mostMiB = Math.max(mostMiB, residentMiB)
    mostDescriptors = Math.max(mostDescriptors, descriptors)
  }, LOOK_EVERY_MS)
  await child.exited
  clearInterval(look)
  const during = siege.neighbour.lap()
  const answers = JSON.parse(child.lastLines().at(-1) ?? '{}') as Record<string, number>
  return { what: FLOODS[name].what, seconds, answers, before, during, mostMiB, mostDescriptors }
}

export async function floodAll(siege: Siege, seconds: number): Promise<readonly Flooded[]> {
  const flooded: Flooded[] = []
  for (const name of Object.keys(FLOODS).filter(isFlood)) {
    flooded.push(await flood(siege, name, seconds))
  }
  return flooded
}
