import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startSimulator, type Simulator } from '@relay/simulator/simulator.js'
import { ROOT, temporaryFolder } from '@relay/tools/folders.js'
import { startChild, type Child, type LogRecord } from '@relay/tools/process/child.js'
import { runCommand } from '@relay/tools/process/command.js'
import { askRedis } from '@relay/tools/process/redis-server.js'
import { basicAuth } from '@relay/shared/process/http-call.js'
import { freePort } from '@relay/tools/process/port.js'
import { startRedis, type TestRedis } from '../../support/redis/test-redis.js'
import { entryOf, startTraffic, urlOf, type Environment } from '../../support/service.js'

export const SHOP = 'SHOP'
export const TOKEN = 'operator-token-of-the-drill'
export const SECRET = 'secret-of-the-shop-producer'

interface Services {
  /** Of the Redis that is started. */
  readonly password?: string
  /** Instead of the right one. */
  readonly redisUrl?: (port: number) => string
  readonly withoutWorker?: true
  /** Redis is the replica of a server that is gone. */
  readonly isReplica?: true
}

/** Redis, simulator, api and worker as separate processes, with default settings. */
export class Place {
  readonly simulator: Simulator
  readonly redis: TestRedis
  readonly folder: string
  readonly ports: Readonly<Record<'api' | 'apiOps' | 'workerOps', number>>
  readonly env: Environment
  api!: Child
  worker!: Child
  readonly #children: Child[] = []

  private constructor(
    simulator: Simulator,
    redis: TestRedis,
    folder: string,
    [api, apiOps, workerOps]: readonly [number, number, number],
    redisUrl: string,
  ) {
    this.simulator = simulator
    this.redis = redis
    this.folder = folder
    this.ports = { api, apiOps, workerOps }
    this.env = {
      REDIS_URL: redisUrl,
      MOENGAGE_APP_ID: SHOP,
      MOENGAGE_API_KEY: 'api-key',
      MOENGAGE_BASE_URL: simulator.url,
      RELAY_PRODUCERS: `shop:${SECRET}`,
      RELAY_ADMIN_TOKEN: TOKEN,
    }
  }

  static async start(services: Services = {}): Promise<Place> {
    const { password, redisUrl, withoutWorker, isReplica } = services
    const redis = await startRedis({ appendonly: 'everysec', maxmemory: '256mb' })
    if (password !== undefined) await askRedis(redis.port, `CONFIG SET requirepass ${password}`)
    if (isReplica) await askRedis(redis.port, 'REPLICAOF 127.0.0.1 1')
    const place = new Place(
      await startSimulator({ workspaces: { [SHOP]: 'api-key' } }),
      redis,
      await temporaryFolder('answers'),
      await Promise.all([freePort(), freePort(), freePort()]),
      redisUrl?.(redis.port) ?? redis.url,
    )
    await place.startApi()
    if (!withoutWorker) await place.startWorker()
    return place
  }

  async startApi(): Promise<void> {
    this.api = await this.#service('api', this.ports.apiOps)
    await this.api.waitForLine(/"message":"api started"/)
  }

  async startWorker(): Promise<void> {
    this.worker = await this.#service('worker', this.ports.workerOps)
    await this.worker.waitUntilReady(`${this.url('workerOps')}/readyz`)
  }

  async #service(name: string, opsPort: number): Promise<Child> {
    const child = await startChild({
      name,
      entry: entryOf(name),
      env: { ...this.env, PORT: String(this.ports.api), OPS_PORT: String(opsPort) },
    })
    this.#children.push(child)
    return child
  }

  /** A shop that posts until the end. */
  async traffic(): Promise<void> {
    const shop = { 'app-id': SHOP, secret: SECRET, rate: '60' }
    this.#children.push(await startTraffic(this.url('api'), shop))
  }

  url(port: keyof Place['ports']): string {
    return urlOf(this.ports[port])
  }

  /** One user update, or another element. */
  async post(body: unknown = user({ plan: 'gold' })): Promise<Response> {
    const { type = 'customer' } = body as { type?: string }
    return fetch(`${this.url('api')}/v1/${type}/${SHOP}`, {
      method: 'POST',
      headers: {
        Authorization: basicAuth(SHOP, SECRET),
        'Content-Type': 'application/json',
      },
      body: JSON.stringify(body),
    })
  }

  /** What the command line prints, and its exit status. */
  async relay(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Printed> {
    return runRelay(args, { RELAY_ADMIN_URL: this.url('apiOps'), RELAY_ADMIN_TOKEN: TOKEN, ...env })
  }

  async get(port: keyof Place['ports'], path: string): Promise<{ status: number; text: string }> {
    const answer = await fetch(this.url(port) + path)
    return { status: answer.status, text: await answer.text() }
  }

  /** A file in the place's own folder. */
  async write(name: string, text: string): Promise<string> {
    const file = join(this.folder, name)
    await writeFile(file, text)
    return file
  }

  async stop(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.stop(5_000)))
    await this.redis.stop()
    await this.simulator.close()
  }
}

export const user = (attributes: object, customer = 'customer-1') => ({
  ...{ type: 'customer', customer_id: customer },
  attributes,
})

/** An event of so many actions. */
export const event = (customer: string, actions: number) => ({
  ...{ type: 'event', customer_id: customer },
  actions: Array.from({ length: actions }, (_, i) => ({ action: 'Viewed', attributes: { i } })),
})

export interface Printed {
  readonly code: number
  readonly text: string
}

export async function runRelay(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd?: string,
): Promise<Printed> {
  const { code, stdout, stderr } = await runCommand(
    process.execPath,
    [join(ROOT, 'cli/bin/relay.mjs'), ...args],
    { env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env }, ...(cwd ? { cwd } : {}) },
  )
  return { code, text: (stdout + stderr).trimEnd() }
}

/** The lines of a text that contain one of these. */
export function linesWith(text: string, ...parts: readonly string[]): string {
  return text
    .split('\n')
    .filter((line) => parts.some((part) => line.includes(part)))
    .map((line) => line.trim())
    .join(' / ')
}

/** Different lines of a log: level, message and these facts. */
export function logLines(
  logs: readonly LogRecord[],
  isWanted: (record: LogRecord) => boolean,
  facts: readonly string[],
): string {
  const texts = logs.filter(isWanted).map((record) => {
    const told = facts.flatMap((name) =>
      record[name] === undefined ? [] : [`${name}=${JSON.stringify(record[name])}`],
    )
    return [`${String(record.level)}: ${String(record.message)}`, ...told].join(' ')
  })
  return [...new Set(texts)].join(' / ') || 'no line'
}
