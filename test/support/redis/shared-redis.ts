import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'

/** A Redis for a test file. A private one never evicts and dies with the test process. */
export interface TestRedis {
  readonly url: string
  readonly port: number
  readonly dir: string
  /** Of the server that runs now; changes with `restart`. */
  readonly pid: number
  /** A fresh `RELAY_PREFIX`: cheaper than a Redis per test. */
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

/** A test requested something that needs a separate server. */
class NeedsOwnServer extends Error {
  constructor(what: string) {
    super(`${what} needs its own Redis: startRedis({ own: true }), not the one of REDIS_URL`)
    this.name = 'NeedsOwnServer'
  }
}

/**
 * The Redis of `REDIS_URL`, which belongs to somebody: tests keep to their prefixes, and `stop`
 * removes what lies under those and nothing else.
 */
export function sharedRedis(url: string): TestRedis {
  const prefixes: string[] = []
  const { port, hostname } = new URL(url)
  const refuse = (what: string) => () => {
    throw new NeedsOwnServer(what)
  }
  return {
    url,
    port: Number(port || '6379'),
    get dir(): string {
      throw new NeedsOwnServer(`the data folder of ${hostname}`)
    },
    get pid(): number {
      throw new NeedsOwnServer(`the process id of ${hostname}`)
    },
    freshPrefix: () => {
      const prefix = `t${randomBytes(6).toString('hex')}`
      prefixes.push(prefix)
      return prefix
    },
    stop: () => removeKeys(url, prefixes),
    kill9: () => Promise.reject(new NeedsOwnServer('kill9')),
    restart: () => Promise.reject(new NeedsOwnServer('restart')),
    pause: refuse('pause'),
    resume: refuse('resume'),
  }
}

async function removeKeys(url: string, prefixes: readonly string[]): Promise<void> {
  const redis = new Redis(url)
  try {
    for (const prefix of prefixes) await removeMatching(redis, `*${prefix}*`)
  } finally {
    redis.disconnect()
  }
}

async function removeMatching(redis: Redis, match: string): Promise<void> {
  for await (const keys of redis.scanStream({ match, count: 1_000 })) {
    // One by one, with the round trips in one: several keys of one command would have to share a slot.
    await Promise.all((keys as string[]).map((key) => redis.unlink(key)))
  }
}
