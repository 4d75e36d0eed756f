import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { memoryBytes } from '@relay/tools/process/facts.js'
import { at, atMost, columns, target, type BenchOptions, type Row, type Sample } from './row.js'
import { manyWorkspaces, Stage, startIntake, postHeaders, Sink } from '../contenders/start.js'
import { elementTexts, Load, postBodies, requestBytes } from '../load/load.js'

const WORKSPACES = 200

/** Commands that reach Redis from outside; what scripts call inside is not counted. */
async function commandsPerSecond(url: string, seconds: number): Promise<number> {
  const redis = new Redis(url)
  const monitor = await redis.monitor()
  let count = 0
  monitor.on('monitor', (_time: string, _args: string[], source: string) => {
    if (source !== 'lua') count += 1
  })
  await sleep(seconds * 1000)
  monitor.disconnect()
  redis.disconnect()
  return count / seconds
}

async function idle(workspaces: number, { quick }: BenchOptions): Promise<Sample> {
  return Stage.run(async (stage) => {
    const redis = await stage.redis()
    const env = await manyWorkspaces(redis, 'http://127.0.0.1:9', workspaces)
    await stage.service('worker', env)
    await sleep(quick ? 500 : 5_000)
    const seconds = quick ? 2 : 20
    const worker = await commandsPerSecond(redis.url, seconds)
    await startIntake(stage, 'relay', redis.url, env)
    await sleep(quick ? 500 : 5_000)
    const both = await commandsPerSecond(redis.url, seconds)
    const values = { 'worker, commands/s': worker, 'with an api, commands/s': both }
    return { contender: `${workspaces} workspaces`, values }
  })
}

const WORKER = 'worker, commands/s'
const label = (workspaces: number) => `${workspaces} workspaces`

export const IDLE: Row = {
  name: 'idle',
  title: 'At rest: one worker, then an api beside it, without scrapes of metrics',
  columns: columns({ [WORKER]: 2, 'with an api, commands/s': 2 }),
  targets: [1, WORKSPACES].map((workspaces) =>
    target(
      `Redis commands/s, ${label(workspaces)}`,
      `≤ 2 per worker + 0.1 per workspace = ${2 + workspaces / 10}`,
      2,
      at(label(workspaces), WORKER),
      atMost(2 + workspaces / 10),
    ),
  ),
  measure: async (options) => [await idle(1, options), await idle(WORKSPACES, options)],
}

/** About a megabyte, below RELAY_MAX_REQUEST_BYTES. */
const LARGE_POST = 2_300
const CONNECTIONS = 256

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
      const appId = `APP${i >> 1}`
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
  title: `Memory at most: api with ${CONNECTIONS} connections that post 1 MB each, worker with ${WORKSPACES} workspaces × 2 lanes × 8 partitions`,
  columns: columns({ MB: 0, 'Redis connections': 0, refused: 2 }),
  targets: [
    target('api', '≤ 400 MB', 0, at('api', 'MB'), atMost(400)),
    target('worker', '≤ 250 MB', 0, at('worker', 'MB'), atMost(250)),
    target("worker's Redis connections", '≤ 10', 0, at('worker', 'Redis connections'), atMost(10)),
  ],
  measure: async (options) => [await largeBodies(options), await workspaces(options)],
}
