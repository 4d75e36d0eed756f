import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { manyWorkspaces, Stage, startIntake } from '../contenders/start.js'
import { at, atMost, columns, target, type BenchOptions, type Row, type Sample } from './row.js'

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
    return { contender: `${String(workspaces)} workspaces`, values }
  })
}

const WORKER = 'worker, commands/s'
const label = (workspaces: number) => `${String(workspaces)} workspaces`

export const IDLE: Row = {
  name: 'idle',
  title: 'At rest: one worker, then an api beside it, without scrapes of metrics',
  columns: columns({ [WORKER]: 2, 'with an api, commands/s': 2 }),
  targets: [1, WORKSPACES].map((workspaces) =>
    target(
      `Redis commands/s, ${label(workspaces)}`,
      `≤ 2 per worker + 0.1 per workspace = ${String(2 + workspaces / 10)}`,
      2,
      at(label(workspaces), WORKER),
      atMost(2 + workspaces / 10),
    ),
  ),
  measure: async (options) => [await idle(1, options), await idle(WORKSPACES, options)],
}
