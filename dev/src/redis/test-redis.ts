import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { temporaryFolder } from '../folders.js'
import { Ended, type Child } from '../process/child.js'
import { freePort, LOOPBACK } from '../process/port.js'
import { findRedisServer } from './find-server.js'
import { startRedisServer, type RedisServerOptions } from './server.js'

export interface TestRedisOptions {
  readonly appendonly?: 'everysec' | 'always' | false
  readonly maxmemory?: string
  readonly extra?: readonly string[]
  /** Data folder; by default a fresh one, removed by `stop`. */
  readonly dir?: string
  readonly port?: number
}

/** A private Redis for one test file; it never evicts and dies with the test process. */
export interface TestRedis {
  readonly url: string
  readonly port: number
  readonly dir: string
  /** Of the server that runs now; changes with `restart`. */
  readonly pid: number
  /** A fresh `RELAY_PREFIX`: cheaper for each test than a Redis of its own. */
  freshPrefix(): string
  /** Ends the server and removes its data. */
  stop(): Promise<void>
  /** Kills it with no time to write anything; its data stays for `restart`. */
  kill9(): Promise<void>
  /** Stops it from answering, with its connections open. */
  pause(): void
  resume(): void
  /** Starts it again with the same data and port, after a clean end if it still runs. */
  restart(): Promise<void>
}

const PORT_TRIES = 5

export async function startRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const program = await findRedisServer()
  const dir = options.dir ?? (await temporaryFolder('redis'))
  const settings = {
    program,
    dir,
    appendonly: options.appendonly ?? false,
    maxmemory: options.maxmemory,
    extra: options.extra ?? [],
  }
  const first = await startOnFreePort(settings, options.port)
  const { port } = first
  let { child } = first
  return {
    url: `redis://${LOOPBACK}:${String(port)}`,
    port,
    dir,
    get pid() {
      return child.pid
    },
    freshPrefix: () => `t${randomBytes(6).toString('hex')}`,
    stop: async () => {
      child.kill('SIGKILL')
      await child.exited
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true })
    },
    kill9: async () => {
      child.kill('SIGKILL')
      await child.exited
    },
    pause: () => {
      child.pause()
    },
    resume: () => {
      child.resume()
    },
    restart: async () => {
      await child.stop()
      child = await startRedisServer({ ...settings, port })
    },
  }
}

type Settings = Omit<RedisServerOptions, 'port'>

/** Between finding a free port and taking it, another process may have taken it: then try again. */
async function startOnFreePort(
  settings: Settings,
  wanted: number | undefined,
): Promise<{ child: Child; port: number }> {
  for (let tries = 1; ; tries++) {
    const port = wanted ?? (await freePort())
    try {
      return { child: await startRedisServer({ ...settings, port }), port }
    } catch (error) {
      const isTaken = error instanceof Ended && error.message.includes('Address already in use')
      if (!isTaken || wanted !== undefined || tries === PORT_TRIES) throw error
    }
  }
}
