import { Queue } from 'bullmq'
import { APP_ID, FLOOR_LIST, NAIVE_QUEUE } from '../contenders/names.js'
import {
  manyWorkspaces,
  postHeaders,
  relayEnvironment,
  setPaused,
  startIntake,
  type Sink,
  type Stage,
} from '../contenders/start.js'
import { elementTexts, Load, postBodies, requestBytes } from '../load/load.js'

/** A contender that can be filled while it rests, and then be let loose. */
export interface Drainer {
  readonly workerPids: readonly number[]
  readonly redisPid: number
  /** Puts so many elements into its queue, with the worker at rest. */
  fill(count: number): Promise<void>
  release(): Promise<void>
}

export type OpenDrainer = (stage: Stage, sink: Sink) => Promise<Drainer>

const BATCH = 5_000
/** Elements made up once; longer backlogs repeat them. */
const DIFFERENT = 20_000

function* batches(count: number): Generator<string[]> {
  const all = elementTexts(Math.min(count, DIFFERENT))
  for (let from = 0; from < count; from += BATCH) {
    const size = Math.min(BATCH, count - from)
    yield Array.from({ length: size }, (_, i) => all[(from + i) % all.length] ?? '')
  }
}

export const openFloor: OpenDrainer = async (stage, sink) => {
  const server = await stage.redis()
  const redis = stage.probe(server.url)
  const env = { REDIS_URL: server.url, SINK_URL: sink.url, PER_REQUEST: '300' }
  const { pid } = await stage.contender('floor-worker', env, null)
  const aside = `${FLOOR_LIST}:aside`
  return {
    workerPids: [pid],
    redisPid: server.pid,
    fill: async (count) => {
      for (const batch of batches(count)) await redis.rpush(aside, ...batch)
    },
    release: async () => {
      await redis.rename(aside, FLOOR_LIST)
    },
  }
}

export const openNaive: OpenDrainer = async (stage, sink) => {
  const server = await stage.redis()
  const queue = new Queue(NAIVE_QUEUE, { connection: { url: server.url } })
  stage.onEnd(() => queue.close())
  await queue.pause()
  const env = { REDIS_URL: server.url, SINK_URL: sink.url }
  const { pid } = await stage.contender('naive-worker', env, null)
  return {
    workerPids: [pid],
    redisPid: server.pid,
    fill: async (count) => {
      await queue.pause()
      for (const batch of batches(count)) {
        await queue.addBulk(
          batch.map((text) => ({ name: 'element', data: JSON.parse(text) as unknown })),
        )
      }
    },
    release: () => queue.resume(),
  }
}

/** relay with so many workers and workspaces, filled through its api; all workspaces get as much. */
export const openRelay =
  ({ workers = 1, workspaces = 1 } = {}): OpenDrainer =>
  async (stage, sink) => {
    const server = await stage.redis()
    const one = workspaces === 1
    const env = one
      ? relayEnvironment(server.url, sink.url)
      : await manyWorkspaces(server, sink.url, workspaces)
    const appIds = one ? [APP_ID] : Array.from({ length: workspaces }, (_, i) => `APP${i}`)
    const { target, opsUrl } = await startIntake(stage, 'relay', server.url, env)
    const started = await Promise.all(
      Array.from({ length: workers }, () => stage.service('worker', env)),
    )
    const setAllPaused = async (paused: boolean) => {
      for (const appId of appIds) await setPaused(opsUrl, paused, appId)
    }
    return {
      workerPids: started.map(({ child }) => child.pid),
      redisPid: server.pid,
      fill: async (count) => {
        await setAllPaused(true)
        for (const appId of appIds) {
          const path = `/v1/transition/${appId}`
          const own = { port: target.port, path, headers: postHeaders(appId) }
          const posts: Buffer[] = []
          for (const batch of batches(count / workspaces)) posts.push(...postBodies(batch, 50))
          const requests = posts.map((body) => requestBytes(own, body))
          const load = new Load(target.port, requests, 32, requests.length)
          await load.finished()
          if (load.overloads > 0) throw new Error(`${load.overloads} posts were refused`)
        }
      },
      release: () => setAllPaused(false),
    }
  }
