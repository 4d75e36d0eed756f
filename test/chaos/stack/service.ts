import { writeFile } from 'node:fs/promises'
import { startChild, type Child } from '@relay/tools/process/child.js'
import type { LogFile } from '@relay/tools/start/log-file.js'
import type { TcpProxy } from '../../support/proxy/tcp-proxy.js'
import { entryOf, urlOf } from '../../support/service.js'

export interface ServiceOptions {
  readonly name: string
  readonly role: 'api' | 'worker'
  /** Folder of the relay that runs: the checkout, or a broken variant. */
  readonly root: string
  /** Environment but for the number of partitions, which may change between two starts. */
  readonly env: Readonly<Record<string, string>>
  /** Of an api's intake. */
  readonly port: number
  readonly opsPort: number
  readonly redis: TcpProxy
  /** To MoEngage; an api has none. */
  readonly vendor: TcpProxy | null
  readonly workspacesFile: string
  readonly log: LogFile
  readonly partitions: () => number
  /** It ended unexpectedly. */
  readonly onDeath: (name: string, how: string) => void
}

const STOP_WITHIN_MS = 15_000
const WALL_CLOCK = new URL('./wall-clock.mjs', import.meta.url).href

/** One place for an api or worker process, with its own way to Redis and MoEngage. */
export class Service {
  readonly name: string
  readonly redis: TcpProxy
  readonly vendor: TcpProxy | null
  readonly workspacesFile: string
  /** Of an api's intake. */
  readonly url: string
  readonly opsUrl: string
  readonly #options: ServiceOptions
  #child: Child | null = null
  #starts = 0
  /** Starts and ends follow one another, though several faults may ask for them. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: ServiceOptions) {
    this.#options = options
    this.name = options.name
    this.redis = options.redis
    this.vendor = options.vendor
    this.workspacesFile = options.workspacesFile
    this.url = urlOf(options.port)
    this.opsUrl = urlOf(options.opsPort)
  }

  get running(): boolean {
    return this.#child !== null
  }

  get pid(): number | null {
    return this.#child?.pid ?? null
  }

  start(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#child !== null) return
      const { name, role, root, env, port, opsPort, log, onDeath, partitions } = this.#options
      this.#starts += 1
      log.add(`--- start ${this.#starts}`)
      const child = await startChild({
        name,
        entry: entryOf(role, root),
        env: {
          ...env,
          ...{ PORT: String(port), OPS_PORT: String(opsPort) },
          RELAY_PARTITIONS: String(partitions()),
          NODE_OPTIONS: `--import ${WALL_CLOCK}`,
          FAULTS_CLOCK_FILE: this.#clockFile,
        },
        onLine: (line) => log.add(line),
      })
      this.#child = child
      void child.exited.then(({ code, signal }) => {
        if (this.#child !== child) return
        this.#child = null
        const last = child.lastLines().slice(-3).join(' | ')
        onDeath(name, `${signal ?? `status ${code}`}: ${last}`)
      })
    })
  }

  /** Resolves once it says that it is ready; rejects when it does not in time. */
  async ready(timeoutMs: number): Promise<void> {
    await this.#child?.waitUntilReady(`${this.opsUrl}/readyz`, timeoutMs)
  }

  kill9(): Promise<void> {
    return this.#inTurn(async () => {
      const child = this.#take('kill -9')
      child?.kill('SIGKILL')
      await child?.exited
    })
  }

  /** SIGTERM; notes a death when it does not end with status 0 within 15 s. */
  stop(): Promise<void> {
    return this.#inTurn(async () => {
      const child = this.#take('SIGTERM')
      if (child === null) return
      // Before its first log line it does not hear the signal; a configuration that it refuses is no log line.
      const isStarting = !child.lastLines().some((line) => line.startsWith('{'))
      const { code, signal } = await child.stop(STOP_WITHIN_MS)
      if (code !== 0 && !(isStarting && signal === 'SIGTERM')) {
        this.#options.onDeath(this.name, `SIGTERM ended with ${signal ?? `status ${code}`}`)
      }
    })
  }

  pause(): void {
    this.#options.log.add('--- SIGSTOP')
    this.#child?.pause()
  }

  resume(): void {
    this.#options.log.add('--- SIGCONT')
    this.#child?.resume()
  }

  /** Sets its wall clock off by so many ms, within a moment; 0 sets it right. */
  async setClockOff(offsetMs: number): Promise<void> {
    this.#options.log.add(`--- clock off by ${offsetMs} ms`)
    await writeFile(this.#clockFile, String(offsetMs))
  }

  get #clockFile(): string {
    return `${this.workspacesFile}.clock`
  }

  #inTurn(act: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(act)
    this.#turn = done.catch(() => undefined)
    return done
  }

  #take(how: string): Child | null {
    this.#options.log.add(`--- ${how}`)
    const child = this.#child
    this.#child = null
    return child
  }
}
