import type { Config } from '@relay/shared/config/environment.js'
import type { Workspace } from '@relay/shared/config/workspace.js'
import type { WorkspaceDirectory } from '@relay/shared/config/workspace-directory.js'
import type { Logger } from '@relay/shared/observability/logger.js'
import type { Random } from '@relay/shared/random.js'
import type { Core } from '../../services/api/src/core.js'
import type { Worker } from '../../services/worker/src/worker.js'
import { SimSender, type MoEngage } from './moengage.js'
import { SimRedis } from './redis-client.js'
import type { SimRedisServer } from './redis-server.js'
import type { Relay } from './relay.js'
import { Actor, type World } from './world.js'

/** As `services/worker/src/main.ts`. */
const WORKER_TIMEOUT_MS = 2_000
/** SIGKILL follows SIGTERM after this long, ms. */
const KILLED_AFTER_MS = 15_000
/** A change of the workspaces file is seen within this time, ms. */
const SEEN_WITHIN_MS = 2_000

export interface SimWorker {
  readonly actor: Actor
  readonly worker: Worker
  readonly client: SimRedis
  readonly subscriber: SimRedis
  isStopping: boolean
}

export interface SimApi {
  readonly actor: Actor
  readonly client: SimRedis
  readonly core: Core
  readonly workspaces: WorkspaceDirectory
}

export interface SystemOptions {
  readonly world: World
  readonly relay: Relay
  readonly redis: SimRedisServer
  readonly vendor: MoEngage
  readonly environment: Readonly<Record<string, string>>
  /** A law that relay itself reports as broken: a post failed with 500, or an element is dead. */
  readonly onFailed: (error: unknown) => void
}

export const PREFIX = 'sim'
export const APP_ID = 'APP'

/** The processes of one relay: apis and workers that meet in one Redis. */
export class System {
  readonly config: Config
  readonly workspace: Workspace
  readonly workers: SimWorker[] = []
  readonly apis: SimApi[] = []
  readonly #options: SystemOptions
  readonly #files: Random
  readonly #directories: { readonly actor: Actor; readonly read: () => void }[] = []
  #isConfigured = true
  /** A new number of partitions counts for processes that start from then on. */
  partitions: number

  constructor(options: SystemOptions) {
    this.#options = options
    this.#files = options.world.stream('files')
    this.config = options.relay.parseEnvironment(
      {
        ...{ RELAY_PREFIX: PREFIX, RELAY_PRODUCERS: 'p:secret' },
        ...{ MOENGAGE_APP_ID: APP_ID, MOENGAGE_API_KEY: 'key' },
        ...{ MOENGAGE_BASE_URL: 'http://moengage', ...options.environment },
      },
      9465,
    )
    this.partitions = this.config.partitions
    if (this.config.ownWorkspace === null) throw new Error('the environment names no workspace')
    this.workspace = this.config.ownWorkspace
  }

  get isConfigured(): boolean {
    return this.#isConfigured
  }

  /** Workers that were not told to stop. */
  get serving(): readonly SimWorker[] {
    return this.workers.filter(({ actor, isStopping }) => actor.alive && !isStopping)
  }

  /** Ends a process' connection to Redis, which it replaces. */
  cut(actor: Actor): void {
    const process = [...this.workers, ...this.apis].find((one) => one.actor === actor)
    process?.client.connection?.close('cut')
  }

  startWorker(): void {
    const { world, relay, redis, vendor } = this.#options
    const actor = new Actor(world, `worker${this.workers.length + 1}`)
    const client = new SimRedis(world, redis, actor, WORKER_TIMEOUT_MS)
    const subscriber = new SimRedis(world, redis, actor, WORKER_TIMEOUT_MS)
    const worker = new relay.Worker({
      ...{ client, subscriber, clock: actor.clock, random: actor.random, log: this.#log(actor) },
      config: { ...this.config, partitions: this.partitions },
      workspaces: this.#directory(actor),
      newSender: () => new SimSender(world, actor, vendor),
      ...{ metrics: relay.metrics, reloaded: () => undefined },
      observer: {
        ...{ attempted: ignore, delivered: ignore, advertised: ignore, customerHeld: ignore },
        ...{ shadowed: ignore, possiblyDuplicated: ignore },
        deadLettered: (...dead) => {
          world.log(`${actor.name} dead-letters ${dead.join(' ')}`)
        },
      },
    })
    this.workers.push({ actor, worker, client, subscriber, isStopping: false })
    world.in(1, actor, () => {
      world.log(`${actor.name} starts`)
      void worker.start()
    })
  }

  /** SIGTERM, and SIGKILL where it does not end in time. */
  stopWorker(stopped: SimWorker): void {
    const { world } = this.#options
    const { actor, worker, client, subscriber } = stopped
    stopped.isStopping = true
    world.in(0, actor, () => {
      void worker.stop().then(() => {
        world.log(`${actor.name} has stopped`)
        client.disconnect()
        subscriber.disconnect()
        actor.alive = false
      })
    })
    world.in(KILLED_AFTER_MS, null, () => {
      if (actor.alive) actor.kill()
    })
  }

  startApi(): void {
    const { world, relay, redis, onFailed } = this.#options
    const actor = new Actor(world, `api${this.apis.length + 1}`)
    const client = new SimRedis(world, redis, actor, relay.ADD_TIMEOUT_MS)
    const workspaces = this.#directory(actor)
    const core = relay.openCore({
      ...{ client, clock: actor.clock, random: actor.random, config: this.config },
      ...{ workspaces, onDurability: ignore, traced: null, largeBodies: null },
      observer: {
        ...{ elements: ignore, refused: ignore, warned: ignore, answered: ignore },
        failed: onFailed,
      },
    })
    this.apis.push({ actor, client, core, workspaces })
    world.in(1, actor, () => void core.start())
  }

  /** Adds or removes the workspace; every process sees it within two seconds. */
  configure(isConfigured: boolean): void {
    const { world } = this.#options
    this.#isConfigured = isConfigured
    world.log(`the workspace is ${isConfigured ? 'put back' : 'removed'}`)
    for (const { actor, read } of this.#directories) {
      world.in(this.#files.next() * SEEN_WITHIN_MS, actor, read)
    }
  }

  /** A process sees the file as it is when it reads it. */
  #directory(actor: Actor): WorkspaceDirectory {
    const configured = () => (this.#isConfigured ? [this.workspace] : [])
    let seen = configured()
    let changed: () => void = ignore
    const read = () => {
      seen = configured()
      changed()
    }
    this.#directories.push({ actor, read })
    return {
      faults: [],
      all: () => seen,
      get: (appId) => seen.find((workspace) => workspace.appId === appId),
      watch: ({ onChange }) => {
        changed = onChange
      },
      close: ignore,
    }
  }

  #log(actor: Actor): Logger {
    const at = (level: string) => (message: string, fields?: object) => {
      this.#options.world.log(`${actor.name} ${level}: ${message} ${JSON.stringify(fields ?? {})}`)
    }
    return { error: at('error'), warn: at('warn'), info: at('info'), debug: ignore }
  }
}

function ignore(): void {
  return
}
