import { Redis } from 'ioredis'
import { manyWorkspaces, postHeaders, Sink, Stage, startIntake } from '../contenders/start.js'
import { elementTexts, Load, postBodies, requestBytes } from '../load/load.js'
import { memoryBytes } from '@relay/tools/process/facts.js'
import { at, atMost, columns, target, type BenchOptions, type Row, type Sample } from './row.js'

/** About a megabyte, below RELAY_MAX_REQUEST_BYTES. */
const LARGE_POST = 2_300
const CONNECTIONS = 256
const WORKSPACES = 200

async function largeBodies({ quick }: BenchOptions): Promise<Sample> {
  return Stage.run(async (stage) => {
    const redis = await stage.redis()
    const { target, child } = await startIntake(stage, 'relay', redis.url)
    const [body = Buffer.alloc(0)] = postBodies(elementTexts(LARGE_POST), LARGE_POST)
    const connections = quick ? 16 : CONNECTIONS
    const load = new Load(
      target.port,
      [requestBytes(target, body)],
      connections,
      connections * 3,
      true,
    )
    await load.finished()
    const values = {
      MB: memoryBytes(child.pid, 'VmHWM') / 1e6,
      'Redis connections': 0,
      refused: load.overloads / load.answers,
    }
    return { contender: 'api', values }
  })
}

async function ofClients(url: string): Promise<number> {
  const redis = new Redis(url)
  const info = await redis.info('clients')
  redis.disconnect()
  return Number(/^connected_clients:(\d+)/m.exec(info)?.[1] ?? 0) - 1
}

async function workspaces({ quick }: BenchOptions): Promise<Sample> {
  return Stage.run(async (stage) => {
    const redis = await stage.redis()
    const sink = await Sink.start(stage)
    const count = quick ? 5 : WORKSPACES
    const env = await manyWorkspaces(redis, sink.url, count)
    const { target } = await startIntake(stage, 'relay', redis.url, env)
    const fromApi = await ofClients(redis.url)
    // A hundred customers and more: every partition of each lane has some.
    const bodies = postBodies(elementTexts(400), 400)
    const requests = Array.from({ length: count * 2 }, (_, i) => {
      const appId = `APP${String(i >> 1)}`
      const headers = { ...postHeaders(appId), 'relay-lane': i % 2 ? 'backfill' : 'realtime' }
      const path = `/v1/transition/${appId}`
      return bodies.map((body) => requestBytes({ port: target.port, path, headers }, body))
    }).flat()
    await new Load(target.port, requests, 8, requests.length).finished()
    const { child } = await stage.service('worker', env)
    await sink.received(count * 2 * 400)
    const values = {
      MB: memoryBytes(child.pid, 'VmHWM') / 1e6,
      'Redis connections': (await ofClients(redis.url)) - fromApi,
      refused: 0,
    }
    return { contender: 'worker', values }
  })
}

export const MEMORY: Row = {
  name: 'memory',
  title: `Memory at most: api with ${String(CONNECTIONS)} connections that post 1 MB each, worker with ${String(WORKSPACES)} workspaces × 2 lanes × 8 partitions`,
  columns: columns({ MB: 0, 'Redis connections': 0, refused: 2 }),
  targets: [
    target('api', '≤ 400 MB', 0, at('api', 'MB'), atMost(400)),
    target('worker', '≤ 250 MB', 0, at('worker', 'MB'), atMost(250)),
    target("worker's Redis connections", '≤ 10', 0, at('worker', 'Redis connections'), atMost(10)),
  ],
  measure: async (options) => [await largeBodies(options), await workspaces(options)],
}
