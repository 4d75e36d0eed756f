import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { temporaryFolder } from '@relay/tools/folders.js'
import { freePort, LOOPBACK, releasePort } from '@relay/tools/process/port.js'
import { findRedisServer } from '@relay/tools/fetch/redis.js'
import { sharedRedis, type TestRedis } from './shared-redis.js'
import { startRedisServer } from '@relay/tools/process/redis-server.js'

export type { TestRedis } from './shared-redis.js'

export interface TestRedisOptions {
  readonly appendonly?: 'everysec' | 'always' | false
  readonly maxmemory?: string
  readonly extra?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Data folder; by default a fresh one, removed by `stop`. */
  readonly dir?: string
  /** Also when `REDIS_URL` names one: for tests that kill or pause it. Implied by any other option. */
  readonly own?: true
}

/**
 * Whether a server of the test's own can be started; false when `REDIS_URL` is all there is. Tests
 * that kill or pause Redis are skipped then.
 */
export const ownRedisIsPossible = process.env.RELAY_TEST_OWN_REDIS !== 'no'

/** A Redis for one test file: a private one, or that of `REDIS_URL` if it needs nothing special. */
export async function startRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const given = process.env.REDIS_URL
  // A cluster or sentinels are for the tests of those.
  const isShared = Object.keys(options).length === 0 && /^rediss?:\/\/[^,]+$/.test(given ?? '')
  if (given && isShared) return sharedRedis(given)
  const program = await findRedisServer()
  const dir = options.dir ?? (await temporaryFolder('redis'))
  const settings = {
    program: { ...program, env: { ...program.env, ...options.env } },
    dir,
    appendonly: options.appendonly ?? false,
    maxmemory: options.maxmemory,
    extra: options.extra ?? [],
  }
  const port = await freePort()
  let child = await startRedisServer({ ...settings, port })
  return {
    url: `redis://${LOOPBACK}:${port}`,
    port,
    dir,
    get pid() {
      return child.pid
    },
    freshPrefix: () => `t${randomBytes(6).toString('hex')}`,
    stop: async () => {
      child.kill('SIGKILL')
      await child.exited
      releasePort(port)
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true })
    },
    kill9: async () => {
      child.kill('SIGKILL')
      await child.exited
    },
    pause: () => child.pause(),
    resume: () => child.resume(),
    restart: async () => {
      await child.stop()
      child = await startRedisServer({ ...settings, port })
    },
  }
}
