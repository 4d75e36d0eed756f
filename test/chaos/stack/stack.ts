import { cp, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startChild, type Child } from '@relay/tools/process/child.js'
import { call, type Answer } from '@relay/shared/process/http-call.js'
import { freePort, releasePort } from '@relay/tools/process/port.js'
import { startProxy, type TcpProxy, type Watch } from '../../support/proxy/tcp-proxy.js'
import { startRedis, type TestRedis } from '../../support/redis/test-redis.js'
import { entryOf } from '../../support/service.js'
import { LogFile } from '@relay/tools/start/log-file.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { nowMs } from '../clock.js'
import type { Journal } from '../producers/journal.js'
import { Service } from './service.js'
import {
  ADMIN_TOKEN,
  APP_ID,
  FIRST_API_KEY,
  OTHER_WORKSPACE,
  relayEnvironment,
  simulatorEnvironment,
  workspacesJson,
  type Conditions,
} from './settings.js'
import { Answers, Vendor } from './vendor.js'

const APIS = 2
/** Places for workers; not all run from the start. */
const WORKERS = 4
const READY_WITHIN_MS = 30_000
/** From reading a file to the notice of the exit that it causes, ms. */
const NOTICED_WITHIN_MS = 5_000
const RESTARTED_AFTER_MS = 1_000
const EX_CONFIG = 'status 78'
const ERASED_WITHIN_MS = 60_000

function placeOf(places: readonly Service[], index: number): Service {
  const place = places[index]
  if (place === undefined) throw new Error(`there is no place ${index}`)
  return place
}

export interface StackOptions {
  /** For logs and data. */
  readonly dir: string
  readonly seed: number
  /** Folder of the relay that runs. */
  readonly root: string
  readonly conditions: Conditions
}

/** All processes of one run, each real, each reachable only through its own proxies. */
export class Stack {
  readonly dir: string
  readonly prefix: string
  readonly conditions: Conditions
  readonly root: string
  readonly redis: TestRedis
  readonly vendor: Vendor
  /** What workers were answered. */
  readonly answers = new Answers()
  readonly apis: Service[] = []
  readonly workers: Service[] = []
  /** Unexpected ends, in words. */
  readonly deaths: string[] = []
  partitions: number
  apiKey = FIRST_API_KEY
  #written: Promise<void> = Promise.resolve()
  /** Until when a process that starts may have read a broken file. */
  #brokenUntilMs = -Infinity
  #closed = false
  /** Until when an api may not know the workspace. */
  #lackingUntilMs = -Infinity
  readonly #proxies: TcpProxy[] = []
  readonly #simulator: Child
  readonly #simulatorPort: number
  /** Claimed until the end of the run. */
  readonly #ports: number[]

  private constructor(
    { dir, seed, root, conditions }: StackOptions,
    redis: TestRedis,
    simulator: Child,
    simulatorPort: number,
  ) {
    this.dir = dir
    this.root = root
    this.conditions = conditions
    this.partitions = conditions.partitions
    this.prefix = `f${seed}`
    this.redis = redis
    this.#simulator = simulator
    this.#simulatorPort = simulatorPort
    this.#ports = [simulatorPort]
    this.vendor = new Vendor(simulatorPort)
  }

  static async start(options: StackOptions): Promise<Stack> {
    const { dir, seed, conditions } = options
    await mkdir(dir, { recursive: true })
    const redis = await startRedis({
      dir: join(dir, 'redis'),
      appendonly: conditions.appendonly,
      maxmemory: '256mb',
      extra: ['--enable-debug-command', 'local', '--auto-aof-rewrite-percentage', '0'],
    })
    const port = await freePort()
    const log = new LogFile(dir, 'simulator')
    const simulator = await startChild({
      name: 'simulator',
      entry: entryOf('simulator'),
      env: simulatorEnvironment(conditions, port, seed),
      onLine: (line) => log.add(line),
    })
    const stack = new Stack(options, redis, simulator, port)
    try {
      await stack.#startServices()
    } catch (error) {
      await stack.close()
      throw error
    }
    return stack
  }

  get services(): readonly Service[] {
    return [...this.apis, ...this.workers]
  }

  api(index: number): Service {
    return placeOf(this.apis, index)
  }

  worker(index: number): Service {
    return placeOf(this.workers, index)
  }

  /** The workers one of whose connections to MoEngage had this port. */
  sendersAt(port: number): readonly string[] {
    return this.workers.filter(({ vendor }) => vendor?.hadPort(port)).map(({ name }) => name)
  }

  /** Those that run when nothing is wrong. */
  get #running(): readonly Service[] {
    return this.services.slice(0, APIS + this.conditions.workers)
  }

  /** Writes every process's workspaces file: with the present key, by an atomic rename. */
  async writeWorkspaces(more: readonly object[] = []): Promise<void> {
    await this.#write('whole', (port) => workspacesJson(this.conditions, port, this.apiKey, more))
  }

  /** Whether an api may not know the workspace at present. */
  get mayLackWorkspace(): boolean {
    return nowMs() < this.#lackingUntilMs
  }

  /** Takes the workspace out of every process's file; another one is there. */
  async removeWorkspace(): Promise<void> {
    await this.#write('lacking', () => JSON.stringify({ workspaces: [OTHER_WORKSPACE] }))
  }

  /** Writes what no process can use; one that starts meanwhile ends with EX_CONFIG, rightly. */
  async breakWorkspaces(): Promise<void> {
    await this.#write('broken', () => '{"workspaces":[')
  }

  /** One write after the other, as faults overlap and all processes have to end with the same file. */
  #write(
    what: 'whole' | 'lacking' | 'broken',
    text: (vendorPort: number) => string,
  ): Promise<void> {
    const write = async () => {
      if (what === 'lacking') this.#lackingUntilMs = Infinity
      if (what === 'broken') this.#brokenUntilMs = Infinity
      for (const { workspacesFile, vendor } of this.services) {
        const next = `${workspacesFile}.next`
        await writeFile(next, text(vendor?.port ?? this.#simulatorPort), { mode: 0o600 })
        await rename(next, workspacesFile)
      }
      const noticedMs = nowMs() + NOTICED_WITHIN_MS
      if (what === 'whole') this.#lackingUntilMs = Math.min(this.#lackingUntilMs, noticedMs)
      if (what !== 'broken') this.#brokenUntilMs = Math.min(this.#brokenUntilMs, noticedMs)
    }
    this.#written = this.#written.then(write)
    return this.#written
  }

  /** Keeps a copy of all that Redis has. */
  async saveRedis(): Promise<void> {
    this.redis.pause()
    await rm(this.#savedRedis, { recursive: true, force: true })
    await cp(this.redis.dir, this.#savedRedis, { recursive: true })
    this.redis.resume()
  }

  /** Redis dies and comes back as it was when it was saved. */
  async restoreRedis(): Promise<void> {
    await this.redis.kill9()
    await rm(this.redis.dir, { recursive: true, force: true })
    await cp(this.#savedRedis, this.redis.dir, { recursive: true })
    await this.redis.restart()
  }

  get #savedRedis(): string {
    return join(this.dir, 'redis-saved')
  }

  /** One request to the operator API of the first api. */
  operate(path: string, body: object): Promise<Answer> {
    return call(`${this.api(0).opsUrl}/admin/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      timeoutMs: 5_000,
    })
  }

  /** Has a customer erased, and waits until relay says that it is done. */
  async forget(customer: string, { erasures }: Journal): Promise<void> {
    // Erased or not: what was posted before it may be gone.
    const erasure = { customer, askedAtMs: nowMs(), doneAtMs: Infinity }
    erasures.push(erasure)
    const isDone = async () => {
      const answer = await this.operate('forget', { app_id: APP_ID, customer_id: customer })
      return answer.status === 200 && !answer.body.includes('"pending"')
    }
    await waitFor(isDone, { what: 'the erasure', timeoutMs: ERASED_WITHIN_MS, everyMs: 200 })
    erasure.doneAtMs = nowMs()
  }

  /** Everything works again: processes run, connections flow, Redis takes writes. */
  async heal(): Promise<void> {
    this.redis.resume()
    for (const proxy of this.#proxies) proxy.heal()
    for (const service of this.services) service.resume()
    for (const service of this.#running) await service.start()
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.services.map((service) => service.kill9()))
    await Promise.all(this.#proxies.map((proxy) => proxy.stop()))
    this.#simulator.kill('SIGKILL')
    await this.#simulator.exited
    await this.redis.stop()
    for (const port of this.#ports) releasePort(port)
  }

  async #startServices(): Promise<void> {
    await this.vendor.waitUntilUp()
    for (let i = 0; i < APIS; i += 1) this.apis.push(await this.#place('api', i))
    for (let i = 0; i < WORKERS; i += 1) this.workers.push(await this.#place('worker', i))
    await this.writeWorkspaces()
    for (const service of this.#running) await service.start()
    await this.ready()
  }

  /** Until every process that runs when nothing is wrong is ready. */
  async ready(): Promise<void> {
    await Promise.all(this.#running.map((service) => service.ready(READY_WITHIN_MS)))
  }

  async #place(role: 'api' | 'worker', index: number): Promise<Service> {
    const name = `${role}-${index}`
    const redis = await this.#proxy(this.redis.port)
    const vendor =
      role === 'worker' ? await this.#proxy(this.#simulatorPort, this.answers.watch) : null
    const [port, opsPort] = [await this.#port(), await this.#port()]
    const workspacesFile = join(this.dir, `${name}.workspaces.json`)
    const service = new Service({
      ...{ name, role, root: this.root, port, opsPort, redis, vendor, workspacesFile },
      env: relayEnvironment(this.conditions, this.prefix, redis.port, workspacesFile),
      log: new LogFile(this.dir, name),
      partitions: () => this.partitions,
      onDeath: (who, how) => {
        if (!(nowMs() < this.#brokenUntilMs && how.startsWith(EX_CONFIG)))
          this.deaths.push(`${who} ${how}`)
        // An orchestrator starts again what refused a broken configuration.
        else if (!this.#closed) setTimeout(() => void service.start(), RESTARTED_AFTER_MS).unref()
      },
    })
    return service
  }

  async #port(): Promise<number> {
    const port = await freePort()
    this.#ports.push(port)
    return port
  }

  async #proxy(port: number, watch?: Watch): Promise<TcpProxy> {
    const proxy = await startProxy({ port }, watch)
    this.#proxies.push(proxy)
    return proxy
  }
}
