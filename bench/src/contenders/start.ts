import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startChild, type Child } from '@relay/tools/process/child.js'
import { freePort, isListening } from '@relay/tools/process/port.js'
import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import { Redis } from 'ioredis'
import { basicAuth, call, type Call } from '@relay/shared/process/http-call.js'
import { startService, urlOf, type Environment, type Service } from '@relay/test/support/service.js'
import type { Target } from '../load/load.js'
import { APP_ID } from './names.js'
import type { SinkTotals } from './sink.js'

const SECRET = 'producer-secret'
const ADMIN_TOKEN = 'admin-token'
/** For profiles of relay's services, e.g. `--cpu-prof --cpu-prof-dir=profiles`. */
const PROFILING = (process.env.BENCH_NODE_OPTIONS ?? '').split(' ').filter((o) => o !== '')
/** Budgets that bind nothing. */
const UNLIMITED = '100000000'
/** A backlog that repeats elements drains more of one customer than MoEngage allows. */
const CUSTOMER_LIMITS = '1000000/60'
/** The api speaks to MoEngage never. */
const NOWHERE = 'http://127.0.0.1:9'
/** Kept out of all measurements alike: it would begin at some point in some of them. */
const NO_AOF_REWRITE = ['--auto-aof-rewrite-percentage', '0']

export const INTAKES = ['floor', 'naive', 'relay'] as const
export type IntakeName = (typeof INTAKES)[number]

/** Processes that are ended together, last started first. */
export class Stage {
  readonly #ends: (() => Promise<unknown>)[] = []

  /** Runs `use` and ends all that it started, in any case. */
  static async run<T>(use: (stage: Stage) => Promise<T>): Promise<T> {
    const stage = new Stage()
    try {
      return await use(stage)
    } finally {
      for (const end of stage.#ends.reverse()) await end()
    }
  }

  onEnd(end: () => Promise<unknown>): void {
    this.#ends.push(end)
  }

  /** `settings`: of Redis, as arguments. */
  async redis(settings: readonly string[] = []): Promise<TestRedis> {
    const extra = [...NO_AOF_REWRITE, ...settings]
    const redis = await startRedis({ appendonly: 'everysec', extra })
    this.onEnd(() => redis.stop())
    return redis
  }

  /** Another connection to a Redis, to fill it and to look at it. */
  probe(url: string): Redis {
    const redis = new Redis(url)
    this.onEnd(() => redis.quit())
    return redis
  }

  /** An empty Redis, relay's client of it, and a probe. */
  async connected(): Promise<{ readonly client: RedisClient; readonly probe: Redis }> {
    const { url } = await this.redis()
    const client = connectRedis({ mode: 'single', url }, { commandTimeoutMs: 30_000 })
    this.onEnd(() => {
      client.disconnect()
      return Promise.resolve()
    })
    await once(client, 'ready')
    return { client, probe: this.probe(url) }
  }

  /** A process of this folder that listens on `PORT`, or serves no one (`port` null). */
  async contender(name: string, env: Environment, port: number | null): Promise<Child> {
    const entry = fileURLToPath(new URL(`./${name}.ts`, import.meta.url))
    const child = await startChild({
      ...{ name, entry },
      env: { ...env, ...(port === null ? {} : { PORT: String(port) }) },
    })
    this.onEnd(() => child.stop(1_000))
    if (port !== null) {
      const isUp = () => child.exit() !== null || isListening(port)
      await waitFor(isUp, { what: `${name} to listen`, timeoutMs: 30_000 })
    }
    return child
  }

  async service(name: 'api' | 'worker', { PORT, ...env }: Environment): Promise<Service> {
    const service = await startService(name, {
      ...{ node: PROFILING, env: { RELAY_ADMIN_TOKEN: ADMIN_TOKEN, ...env } },
      ...(PORT !== undefined && { port: Number(PORT) }),
    })
    this.onEnd(() => service.child.stop())
    return service
  }
}

/** What relay's services are told of everything but workspaces. */
export function commonEnvironment(redisUrl: string): Environment {
  // What is measured is the cost of carrying each element, which coalescing would spare.
  return {
    ...{ REDIS_URL: redisUrl, RELAY_PRODUCERS: `shop:${SECRET}`, RELAY_COALESCE: 'off' },
    MOENGAGE_CUSTOMER_LIMITS: CUSTOMER_LIMITS,
  }
}

/** What relay's services are told, before PORT: one workspace. */
export function relayEnvironment(redisUrl: string, moengageUrl: string): Environment {
  return {
    ...commonEnvironment(redisUrl),
    MOENGAGE_APP_ID: APP_ID,
    MOENGAGE_API_KEY: 'key',
    MOENGAGE_BASE_URL: moengageUrl,
    MOENGAGE_USERS_PER_MINUTE: UNLIMITED,
    MOENGAGE_EVENTS_PER_MINUTE: UNLIMITED,
  }
}

/** What a producer sends along with a post to a workspace. */
export function postHeaders(appId: string): Record<string, string> {
  return { authorization: basicAuth(appId, SECRET), 'content-type': 'application/json' }
}

export const POST_HEADERS = postHeaders(APP_ID)

/** The same with so many workspaces, `APP0` and on, from a file beside the data of Redis. */
export async function manyWorkspaces(
  redis: TestRedis,
  moengageUrl: string,
  count: number,
): Promise<Environment> {
  const file = join(redis.dir, 'workspaces.json')
  const limits = { usersPerMinute: Number(UNLIMITED), eventsPerMinute: Number(UNLIMITED) }
  const workspaces = Array.from({ length: count }, (_, i) => {
    return { appId: `APP${i}`, apiKey: 'key', baseUrl: moengageUrl, limits }
  })
  await writeFile(file, JSON.stringify({ workspaces }))
  return { ...commonEnvironment(redis.url), RELAY_WORKSPACES_FILE: file }
}

/** Where a contender's intake listens, and the process that it is. */
export interface Intake {
  readonly target: Target
  readonly child: Child
  /** Of relay's api alone: the operators' port. */
  readonly opsUrl: string
}

export async function startIntake(
  stage: Stage,
  name: IntakeName,
  redisUrl: string,
  env: Environment = relayEnvironment(redisUrl, NOWHERE),
): Promise<Intake> {
  const port = await freePort()
  const target = { port, path: `/v1/transition/${APP_ID}`, headers: POST_HEADERS }
  if (name !== 'relay') {
    const child = await stage.contender(`${name}-intake`, { REDIS_URL: redisUrl }, port)
    return { target, child, opsUrl: '' }
  }
  const { child, opsUrl } = await stage.service('api', { ...env, PORT: String(port) })
  return { target, child, opsUrl }
}

/** An exchange outside what is measured; throws for any other answer than 200. */
async function ask(url: string, how?: Call): Promise<string> {
  const { status, body } = await call(url, how)
  if (status !== 200) throw new Error(`${url} answered ${status}: ${body}`)
  return body
}

/** Stops or starts the sending of a workspace. */
export async function setPaused(opsUrl: string, paused: boolean, appId = APP_ID): Promise<void> {
  const what = paused ? 'pause' : 'resume'
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` }
  await ask(`${opsUrl}/admin/workspaces/${appId}/${what}`, { method: 'POST', headers })
}

/** The stand-in for MoEngage that only counts. */
export class Sink {
  readonly url: string

  private constructor(url: string) {
    this.url = url
  }

  static async start(stage: Stage): Promise<Sink> {
    const port = await freePort()
    await stage.contender('sink', {}, port)
    return new Sink(urlOf(port))
  }

  async totals(): Promise<SinkTotals> {
    return JSON.parse(await ask(`${this.url}/totals`)) as SinkTotals
  }

  async reset(): Promise<void> {
    await ask(`${this.url}/totals?reset`)
  }

  /** Resolves once so many elements have come since the last reset. */
  async received(elements: number, timeoutMs = 600_000): Promise<SinkTotals> {
    const what = `${elements} elements`
    const all = async () => (await this.totals()).elements >= elements
    await waitFor(all, { what, timeoutMs, everyMs: 50 })
    return this.totals()
  }
}
