import { connectRedis, type RedisClient } from '../../src/redis/connect.js'

/** A connection to a real Redis whose scripts read their time from the test. */
export interface SteppedRedis {
  readonly client: RedisClient
  /** What `TIME` returns in scripts from now on, ms since 1970. */
  setTime(ms: number): Promise<unknown>
}

export async function connectStepped(url: string, clockKey: string): Promise<SteppedRedis> {
  const client = connectRedis({ mode: 'single', url }, { commandTimeoutMs: 5_000 })
  const define = client.defineCommand.bind(client)
  client.defineCommand = (name, definition) => {
    const clock = `{ redis.call('HGET', '${clockKey}', 's'), redis.call('HGET', '${clockKey}', 'us') }`
    define(name, { ...definition, lua: definition.lua.replaceAll("redis.call('TIME')", clock) })
  }
  await new Promise((resolve) => client.once('ready', resolve))
  const setTime = (ms: number) => {
    const us = Math.round((ms % 1000) * 1000)
    return client.hset(clockKey, 's', Math.floor(ms / 1000), 'us', us)
  }
  return { client, setTime }
}
