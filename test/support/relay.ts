import { request } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startChild, type Child } from '@relay/tools/process/child.js'
import { freePort } from '@relay/tools/process/port.js'
import { startProxy, type TcpProxy } from './proxy/tcp-proxy.js'
import { startRedis, type TestRedis, type TestRedisOptions } from './redis/test-redis.js'
import { startSimulator, type Simulator } from '@relay/simulator/simulator.js'
import type { SettingsInput } from '@relay/simulator/settings.js'

const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url))
export const APP_ID = 'ACCEPT'
export const API_KEY = 'vendor-key'
export const SECRET = 'producer-secret'
export const ADMIN_TOKEN = 'admin-token'

export type Environment = Readonly<Record<string, string>>

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

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
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
  #api: Child
  readonly #apiEnv: Environment
  readonly #apis: Child[] = []
  #started = 0

  private constructor(
    simulator: Simulator,
    redis: TestRedis,
    api: Child,
    urls: { api: string; ops: string },
    env: Environment,
    apiRedis: TcpProxy | null,
    apiEnv: Environment,
  ) {
    this.simulator = simulator
    this.redis = redis
    this.#api = api
    this.apiUrl = urls.api
    this.opsUrl = urls.ops
    this.env = env
    this.apiRedis = apiRedis
    this.#apiEnv = apiEnv
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
    const ops = `http://127.0.0.1:${String(opsPort)}`
    const proxy = redisProxy ? await startProxy(redis) : null
    const apiRedis = proxy === null ? {} : { REDIS_URL: `redis://127.0.0.1:${String(proxy.port)}` }
    const apiEnv = { ...all, ...apiRedis, PORT: String(port), OPS_PORT: String(opsPort) }
    const api = await startChild({ name: 'api', entry: entryOf('api'), env: apiEnv })
    const urls = { api: `http://127.0.0.1:${String(port)}`, ops }
    const relay = new Relay(sim, redis, api, urls, all, proxy, apiEnv)
    await Promise.all([
      api.waitUntilReady(`${ops}/readyz`),
      ...Array.from({ length: workers }, () => relay.addWorker()),
    ])
    return relay
  }

  /** `root`: folder of the relay to run, the checkout by default. */
  async addWorker(env: Environment = {}, root = CHECKOUT): Promise<Child> {
    const opsPort = await freePort()
    this.#started += 1
    const worker = await startChild({
      name: `worker ${String(this.#started)}`,
      entry: entryOf('worker', root),
      env: { ...this.env, ...env, OPS_PORT: String(opsPort) },
    })
    const opsUrl = `http://127.0.0.1:${String(opsPort)}`
    await worker.waitUntilReady(`${opsUrl}/readyz`)
    this.workers.push(worker)
    this.workerOpsUrls.push(opsUrl)
    return worker
  }

  get api(): Child {
    return this.#api
  }

  /** Another api of this relay. Returns its URL. */
  async addApi(env: Environment = {}, root = CHECKOUT): Promise<string> {
    const [port, opsPort] = [await freePort(), await freePort()]
    const api = await startChild({
      name: 'another api',
      entry: entryOf('api', root),
      env: { ...this.env, ...env, PORT: String(port), OPS_PORT: String(opsPort) },
    })
    this.#apis.push(api)
    await api.waitUntilReady(`http://127.0.0.1:${String(opsPort)}/readyz`)
    return `http://127.0.0.1:${String(port)}`
  }

  /** Replaces the api, which must have ended. */
  async restartApi(env: Environment = {}): Promise<void> {
    const all = { ...this.#apiEnv, ...env }
    this.#api = await startChild({ name: 'api', entry: entryOf('api'), env: all })
    await this.#api.waitUntilReady(`${this.opsUrl}/readyz`)
  }

  async stop(): Promise<void> {
    const children = [this.#api, ...this.#apis, ...this.workers]
    await Promise.all(children.map((child) => child.stop()))
    await Promise.all([this.apiRedis?.stop(), this.redis.stop(), this.simulator.close()])
  }

  /** Posts `body` (JSON, or text as it is) to the intake. */
  post(
    path: string,
    body: unknown,
    headers: Environment = {},
    apiUrl = this.apiUrl,
  ): Promise<Answer> {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    return send(`${apiUrl}${path}`, 'POST', text, {
      ...basicAuth(),
      'Content-Type': 'application/json',
      ...headers,
    })
  }

  /** Asks the operator API: `path` is what follows `/admin/`. */
  operate(method: string, path: string, body: object | null = null): Promise<Answer> {
    const text = body === null ? '' : JSON.stringify(body)
    return send(`${this.opsUrl}/admin/${path}`, method, text, {
      Authorization: `Bearer ${ADMIN_TOKEN}`,
      'Content-Type': 'application/json',
      // Node adds none to a DELETE.
      'Content-Length': String(Buffer.byteLength(text)),
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
    if (status !== 200) throw new Error(`${to} was answered ${String(status)}: ${body}`)
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
  ): Promise<Answer> {
    const body = { type: 'transition', elements }
    return this.post(`/v1/transition/${APP_ID}`, body, headers, apiUrl)
  }

  /** Posts elements, 200 in a request, one request after another. Throws unless all are accepted. */
  async postAll(elements: readonly unknown[]): Promise<void> {
    for (let i = 0; i < elements.length; i += 200) {
      const { status, body } = await this.postElements(elements.slice(i, i + 200))
      if (status !== 200) throw new Error(`a post was answered ${String(status)}: ${body}`)
    }
  }
}

/** The producer's credentials. */
export function basicAuth(): Environment {
  return { Authorization: `Basic ${Buffer.from(`${APP_ID}:${SECRET}`).toString('base64')}` }
}

/** The built main file of a service. */
export function entryOf(service: string, root = CHECKOUT): string {
  return join(root, `services/${service}/dist/main.js`)
}

/** One HTTP request over its own connection. */
export function send(
  url: string,
  method: string,
  body: string | Buffer,
  headers: Environment,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text })
      })
      response.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
