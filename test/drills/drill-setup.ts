import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT, temporaryFolder } from '@relay/tools/folders.js'
import type { Child } from '@relay/tools/process/child.js'
import { runCommand } from '@relay/tools/process/command.js'
import { basicAuth, call } from '@relay/shared/process/http-call.js'
import { freePort } from '@relay/tools/process/port.js'
import type { PrometheusPrograms } from '@relay/tools/fetch/programs.js'
import { askRedis } from '@relay/tools/process/redis-server.js'
import { startRedis, type TestRedis } from '../support/redis/test-redis.js'
import { startService, startTraffic, urlOf, type Environment } from '../support/service.js'
import { startSimulator, type Simulator } from '@relay/simulator/simulator.js'
import { Prometheus } from '../live/prometheus.js'
import { shortenRules } from '../live/shortened-rules.js'

export const SHOP = 'SHOP'
const KEY = 'api-key'
const TOKEN = 'operator-token'
/** The careful producer, and the one that makes trouble. */
export const SECRETS = { shop: 'shop-secret', campaign: 'campaign-secret' } as const

/** Every time of the rules is divided by this: a drill takes minutes. */
export const FACTOR = 20
/** Budget window, s; limits of one window, units. In production it is 60 s. */
const WINDOW_S = 10
export const LIMITS = { usersPerMinute: 1_000, eventsPerMinute: 3_000 } as const
/** What the careful producer posts, elements a second. */
const CALM_RATE = 60

export interface DrillSetupOptions {
  readonly env?: Environment
  readonly maxmemory?: string
}

/** What a workspaces file may say here besides the workspace's name and host. */
export interface WorkspaceChange {
  readonly apiKey?: string
  readonly limits?: typeof LIMITS | Record<keyof typeof LIMITS, number>
  readonly producers?: readonly string[]
  readonly quotas?: Readonly<Record<string, { readonly elementsPerMinute: number }>>
}

/**
 * A whole relay as in production, of separate processes: Redis, api, two workers, the simulator,
 * a shop that posts, and a Prometheus with relay's rules, all their times shortened.
 */
export class DrillSetup {
  readonly simulator: Simulator
  readonly redis: TestRedis
  readonly workers: Child[] = []
  prometheus!: Prometheus
  readonly #folder: string
  readonly #env: Environment
  readonly #ports: Readonly<Record<'api' | 'apiOps', number>>
  readonly #workerPorts: readonly number[]
  readonly #others: Child[] = []
  #workspace: WorkspaceChange = {}
  #background: Promise<void> = Promise.resolve()

  private constructor(
    simulator: Simulator,
    redis: TestRedis,
    place: { folder: string; env: Environment },
    ports: readonly [api: number, apiOps: number, ...workers: number[]],
  ) {
    const [api, apiOps, ...workerPorts] = ports
    this.simulator = simulator
    this.redis = redis
    this.#folder = place.folder
    this.#env = place.env
    this.#ports = { api, apiOps }
    this.#workerPorts = workerPorts
  }

  static async start(
    programs: PrometheusPrograms,
    options: DrillSetupOptions = {},
  ): Promise<DrillSetup> {
    const simulator = await startSimulator({
      workspaces: { [SHOP]: KEY },
      ...{ windowMs: WINDOW_S * 1_000, record: 'counts' },
      usersPerWindow: LIMITS.usersPerMinute,
      eventsPerWindow: LIMITS.eventsPerMinute,
      latency: { afterMs: 60, afterJitterMs: 40 },
    })
    const redis = await startRedis({
      appendonly: 'everysec',
      maxmemory: options.maxmemory ?? '256mb',
    })
    const folder = await temporaryFolder('drill')
    const ports = await Promise.all([freePort(), freePort(), freePort(), freePort()])
    const env = {
      REDIS_URL: redis.url,
      RELAY_WORKSPACES_FILE: join(folder, 'workspaces.json'),
      RELAY_PRODUCERS: Object.entries(SECRETS)
        .map(([name, secret]) => `${name}:${secret}`)
        .join(','),
      RELAY_ADMIN_TOKEN: TOKEN,
      MOENGAGE_BUDGET_WINDOW_SECONDS: String(WINDOW_S),
      ...options.env,
    }
    const setup = new DrillSetup(simulator, redis, { folder, env }, ports)
    await setup.#begin(programs)
    return setup
  }

  async #begin(programs: PrometheusPrograms): Promise<void> {
    await this.changeWorkspace({})
    const { api, apiOps } = this.#ports
    const started = await startService('api', { env: this.#env, port: api, opsPort: apiOps })
    this.#others.push(started.child)
    await Promise.all(this.#workerPorts.map((_, i) => this.startWorker(i)))
    const names = ['relay-recording.yml', 'relay-alerts.yml']
    const rules = await Promise.all(
      names.map(async (name) => {
        const text = await readFile(join(ROOT, 'ops/rules', name), 'utf8')
        const file = join(this.#folder, name)
        await writeFile(file, shortenRules(text, FACTOR))
        return file
      }),
    )
    const jobs = { 'relay-api': [apiOps], 'relay-worker': this.#workerPorts }
    this.prometheus = await Prometheus.start(programs, { jobs, rules })
    await this.traffic('shop', { rate: CALM_RATE })
  }

  /** Starts the `n`th worker (again), where Prometheus looks for it. */
  async startWorker(n: number): Promise<void> {
    const opsPort = this.#workerPorts[n]
    if (opsPort === undefined) throw new RangeError(`There is no worker ${n}`)
    const { child } = await startService('worker', { env: this.#env, opsPort })
    this.workers[n] = child
  }

  /** A producer that posts until it is stopped, as one that has to be found and stopped. */
  async traffic(
    producer: keyof typeof SECRETS,
    { rate, lane = 'realtime' }: { rate: number; lane?: string },
  ): Promise<Child> {
    const child = await startTraffic(urlOf(this.#ports.api), {
      ...{ 'app-id': SHOP, secret: SECRETS[producer], lane, rate: String(rate) },
      'posts-of': rate > 200 ? '50' : '5',
    })
    this.#others.push(child)
    return child
  }

  /** Posts elements once; gives the status. */
  async post(producer: keyof typeof SECRETS, elements: readonly unknown[]): Promise<number> {
    const { status } = await call(`${urlOf(this.#ports.api)}/v1/transition/${SHOP}`, {
      method: 'POST',
      headers: {
        Authorization: basicAuth(SHOP, SECRETS[producer]),
        'Content-Type': 'application/json',
      },
      body: JSON.stringify({ type: 'transition', elements }),
    })
    return status
  }

  /** Rewrites the workspaces file with these and all earlier changes. */
  async changeWorkspace(change: WorkspaceChange): Promise<void> {
    this.#workspace = { ...this.#workspace, ...change }
    const workspace = { appId: SHOP, apiKey: KEY, baseUrl: this.simulator.url, limits: LIMITS }
    const text = JSON.stringify({ workspaces: [{ ...workspace, ...this.#workspace }] })
    await writeFile(join(this.#folder, 'workspaces.json'), text)
  }

  /** The operator's own command line; rejects when it fails. */
  async relay(...args: string[]): Promise<void> {
    const { code, stderr } = await this.#run(args)
    if (code !== 0) throw new Error(`relay ${args.join(' ')} ended with ${code}: ${stderr}`)
  }

  /** What `relay status` prints, which ends with 1 when something is wrong. */
  async status(): Promise<string> {
    const { stdout, stderr } = await this.#run(['status'])
    return stdout + stderr
  }

  #run(args: readonly string[]) {
    const env = {
      ...{ PATH: process.env.PATH, HOME: process.env.HOME },
      RELAY_ADMIN_URL: urlOf(this.#ports.apiOps),
      RELAY_ADMIN_TOKEN: TOKEN,
      RELAY_INTAKE_URL: urlOf(this.#ports.api),
      RELAY_PRODUCER_SECRET: SECRETS.campaign,
    }
    const program = join(ROOT, 'cli/bin/relay.mjs')
    return runCommand(process.execPath, [program, ...args], { env })
  }

  /** One inline command to Redis. */
  async askRedis(command: string): Promise<string> {
    const answer = await askRedis(this.redis.port, command)
    if (answer === null || answer.startsWith('-')) throw new Error(`${command}: ${answer}`)
    return answer
  }

  /** Trouble that continues until it is ended. */
  inBackground(work: Promise<void>): void {
    this.#background = work
    // Passed to the caller that waits for its end.
    work.catch(() => undefined)
  }

  backgroundEnded(): Promise<void> {
    return this.#background
  }

  /** A file in the setup's own folder. */
  async write(name: string, text: string): Promise<string> {
    const file = join(this.#folder, name)
    await writeFile(file, text)
    return file
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#others, ...this.workers].map((child) => child.stop(5_000)))
    await this.prometheus.stop()
    await this.redis.stop()
    await this.simulator.close()
    await rm(this.#folder, { recursive: true, force: true })
  }
}
