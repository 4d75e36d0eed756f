import { startChild, type Child } from '@relay/tools/process/child.js'
import * as http from '@relay/shared/process/http-call.js'
import { freePort } from '@relay/tools/process/port.js'
import { startProxy, type TcpProxy } from './proxy/tcp-proxy.js'
import { startRedis, type TestRedis, type TestRedisOptions } from './redis/test-redis.js'
import { startSimulator, type Simulator } from '@relay/simulator/simulator.js'
import type { SettingsInput } from '@relay/simulator/settings.js'
import { startService, urlOf, type Environment } from './service.js'
import { fileURLToPath } from 'node:url'

export { entryOf, type Environment } from './service.js'
export type { Answer } from '@relay/shared/process/http-call.js'

export const APP_ID = 'ACCEPT'
export const API_KEY = 'vendor-key'
export const SECRET = 'producer-secret'
export const ADMIN_TOKEN = 'admin-token'

export interface Parts {
  readonly redis: TestRedis
  readonly simulator: Simulator
}

export interface RelayOptions {
  readonly workers?: number
  /** Settings besides the usual; computed once Redis and the simulator are there, if a function. */
  readonly env?: Environment | ((parts: Parts) => Promise<Environment>)
  readonly simulator?: SettingsInput
  /** Its own Redis; by default one that appends every second. */
  readonly redis?: TestRedisOptions
  /** The api speaks to Redis through `apiRedis`, which can be told to misbehave. */
  readonly redisProxy?: true
}

/** What tests read of a dead letter in the operator API. */
export interface ShownDeadLetter {
  readonly id: string
  readonly reason: string
  readonly attempts: number
  readonly answer: { readonly message: string }
}

/** A whole relay as users run it: a Redis, one api, workers, and the simulator in this process. */
export class Relay {
  readonly simulator: Simulator
  readonly redis: TestRedis
  readonly workers: Child[] = []
  /** Where the workers tell of themselves, in the same order. */
  readonly workerOpsUrls: string[] = []
  readonly apiUrl: string
  readonly opsUrl: string
  readonly env: Environment
  /** Between the api and Redis; null unless asked for. */
  readonly apiRedis: TcpProxy | null
  #api: Child | null = null
  readonly #ports: { readonly port: number; readonly opsPort: number }
  /** Settings that only the api gets. */
  readonly #apiEnv: Environment
  readonly #apis: Child[] = []

  private constructor(
    { simulator, redis }: Parts,
    env: Environment,
    apiRedis: TcpProxy | null,
    api: { port: number; opsPort: number; apiRedis: Environment },
  ) {
    this.simulator = simulator
    this.redis = redis
    this.#ports = api
    this.apiUrl = urlOf(api.port)
    this.opsUrl = urlOf(api.opsPort)
    this.env = env
    this.apiRedis = apiRedis
    this.#apiEnv = api.apiRedis
  }

  static async start(options: RelayOptions = {}): Promise<Relay> {
    const { workers = 1, env = {}, simulator = {}, redisProxy } = options
    const redisOptions = options.redis ?? { appendonly: 'everysec' }
    // First, and alone: it is what throws for wrong options.
    const sim = await startSimulator({ workspaces: { [APP_ID]: API_KEY }, ...simulator })
    const [redis, port, opsPort] = await Promise.all([
      startRedis(redisOptions),
      freePort(),
      freePort(),
    ])
    const all = {
      REDIS_URL: redis.url,
      RELAY_PREFIX: redis.freshPrefix(),
      MOENGAGE_APP_ID: APP_ID,
      MOENGAGE_API_KEY: API_KEY,
      MOENGAGE_BASE_URL: sim.url,
      RELAY_PRODUCERS: `shop:${SECRET}`,
      RELAY_ADMIN_TOKEN: ADMIN_TOKEN,
      ...(typeof env === 'function' ? await env({ redis, simulator: sim }) : env),
    }
    const proxy = redisProxy ? await startProxy(redis) : null
    const apiRedis = proxy === null ? {} : { REDIS_URL: `redis://127.0.0.1:${proxy.port}` }
    const relay = new Relay({ redis, simulator: sim }, all, proxy, { port, opsPort, apiRedis })
    await Promise.all([
      relay.restartApi(),
      ...Array.from({ length: workers }, () => relay.addWorker()),
    ])
    return relay
  }

  /** `root`: folder of the relay to run, the checkout by default. */
  async addWorker(env: Environment = {}, root?: string): Promise<Child> {
    const { child, opsUrl } = await startService('worker', {
      ...(root !== undefined && { root }),
      env: { ...this.env, ...env },
    })
    this.workers.push(child)
    this.workerOpsUrls.push(opsUrl)
    return child
  }

  get api(): Child {
    if (this.#api === null) throw new Error('the api has not been started')
    return this.#api
  }

  /** Another api of this relay. Returns its URL. */
  async addApi(env: Environment = {}, root?: string): Promise<string> {
    const port = await freePort()
    const { child } = await startService('api', {
      ...{ name: 'another api', port, env: { ...this.env, ...env } },
      ...(root !== undefined && { root }),
    })
    this.#apis.push(child)
    return urlOf(port)
  }

  /** Starts the api, or starts it again after it has ended. */
  async restartApi(): Promise<void> {
    const env = { ...this.env, ...this.#apiEnv }
    const { child } = await startService('api', { ...this.#ports, env })
    this.#api = child
  }

  async stop(): Promise<void> {
    const children = [...(this.#api ? [this.#api] : []), ...this.#apis, ...this.workers]
    await Promise.all(children.map((child) => child.stop()))
    await Promise.all([this.apiRedis?.stop(), this.redis.stop(), this.simulator.close()])
  }

  /** Posts `body` (JSON, or text as it is) to the intake. */
  post(
    path: string,
    body: unknown,
    headers: Environment = {},
    apiUrl = this.apiUrl,
  ): Promise<http.Answer> {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    return send(`${apiUrl}${path}`, 'POST', text, {
      ...basicAuth(),
      'Content-Type': 'application/json',
      ...headers,
    })
  }

  /** Asks the operator API: `path` is what follows `/admin/`. */
  operate(method: string, path: string, body: object | null = null): Promise<http.Answer> {
    const text = body === null ? '' : JSON.stringify(body)
    return send(`${this.opsUrl}/admin/${path}`, method, text, {
      Authorization: `Bearer ${ADMIN_TOKEN}`,
      'Content-Type': 'application/json',
    })
  }

  /** Stops sending for the workspace, as an operator does; the intake still accepts. */
  pause(): Promise<void> {
    return this.#switch('pause')
  }

  resume(): Promise<void> {
    return this.#switch('resume')
  }

  async #switch(to: 'pause' | 'resume'): Promise<void> {
    const { status, body } = await this.operate('POST', `workspaces/${APP_ID}/${to}`)
    if (status !== 200) throw new Error(`${to} was answered ${status}: ${body}`)
  }

  /** The first 1,000 dead letters of the workspace, as the operator API shows them. */
  async deadLetters(): Promise<readonly ShownDeadLetter[]> {
    const { body } = await this.operate('GET', `dead-letters?app_id=${APP_ID}&limit=1000`)
    return (JSON.parse(body) as { dead_letters: ShownDeadLetter[] }).dead_letters
  }

  postElements(
    elements: readonly unknown[],
    headers?: Environment,
    apiUrl?: string,
  ): Promise<http.Answer> {
    const body = { type: 'transition', elements }
    return this.post(`/v1/transition/${APP_ID}`, body, headers, apiUrl)
  }

  /** Posts elements, 200 in a request, one request after another. Throws unless all are accepted. */
  async postAll(elements: readonly unknown[]): Promise<void> {
    for (let i = 0; i < elements.length; i += 200) {
      const { status, body } = await this.postElements(elements.slice(i, i + 200))
      if (status !== 200) throw new Error(`a post was answered ${status}: ${body}`)
    }
  }
}

/** The producer's credentials. */
export function basicAuth(): Environment {
  return { Authorization: http.basicAuth(APP_ID, SECRET) }
}

/** One HTTP request over its own connection. */
export function send(
  url: string,
  method: string,
  body: string | Buffer,
  headers: Environment,
): Promise<http.Answer> {
  return http.call(url, { method, headers, ...(body !== '' && { body }) })
}

const ENTRY = fileURLToPath(new URL('../../cli/bin/relay.mjs', import.meta.url))

/** Starts the command line against a running relay. */
export function startCommand(relay: Relay, ...args: readonly string[]): Promise<Child> {
  const env = {
    MOENGAGE_APP_ID: APP_ID,
    RELAY_ADMIN_TOKEN: ADMIN_TOKEN,
    RELAY_ADMIN_URL: relay.opsUrl,
    RELAY_INTAKE_URL: relay.apiUrl,
    RELAY_PRODUCER_SECRET: SECRET,
  }
  return startChild({ name: `relay ${args.join(' ')}`, entry: ENTRY, args, env })
}

/** The metrics of a process as text; '' when it does not answer at this moment. */
export async function metricsOf(opsUrl: string): Promise<string> {
  const answer = await send(`${opsUrl}/metrics`, 'GET', '', {}).catch(() => null)
  return answer?.body ?? ''
}

/** Where a worker's metrics are: it says so when it starts. */
export function opsUrlOf(worker: Child | undefined): string {
  const started = worker?.logs().find(({ opsPort }) => opsPort !== undefined)
  return `http://127.0.0.1:${String(started?.opsPort)}`
}

/** The sum of all series that a pattern finds; its one group is the value. */
export function sumOf(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].reduce((total, [, value]) => total + Number(value), 0)
}
