import type { Durability } from '@relay/shared/config/settings.js'
import { repeat } from '@relay/shared/process/repeat.js'
import type { RedisClient, RedisServer } from '@relay/shared/redis/connect.js'
import {
  isUnchanged,
  majority,
  masters,
  readReplicas,
  type Connections,
} from '@relay/shared/redis/replication.js'
import {
  levelReached,
  type LevelReached,
  type ServerFacts,
} from '@relay/shared/redis/durability-level.js'

/** Interval between reads of Redis' settings, ms. */
const LOOK_MS = 1_000
/** How long a write may wait for its replicas, ms; within the second that a 503 may take. */
const WAIT_MS = 250

export interface DurabilityGuardOptions {
  readonly client: RedisClient
  readonly wanted: Durability
  /** Called when the level or its problem changes. */
  readonly onChange: (reached: LevelReached) => void
}

/** Knows the durability that a 200 promises, and waits until a write has reached it. One per process. */
export class DurabilityGuard {
  readonly #options: DurabilityGuardOptions
  readonly #expected = new Map<string, number>()
  #servers: readonly ServerFacts[] = []
  #reached: LevelReached
  #stop: (() => void) | undefined
  #next: Promise<boolean> | undefined
  #running: Promise<boolean> = Promise.resolve(true)

  constructor(options: DurabilityGuardOptions) {
    this.#options = options
    this.#reached = levelReached(options.wanted, [])
  }

  /** Whether Redis has reported its settings. */
  get isKnown(): boolean {
    return this.#servers.length > 0
  }

  get reached(): LevelReached {
    return this.#reached
  }

  /** Whether posts must be refused. A missing `process` level is only reported. */
  get isMissing(): boolean {
    return this.#options.wanted !== 'process' && this.#reached.problem !== null
  }

  async start(): Promise<void> {
    this.#options.client.on('ready', () => void this.look())
    await this.look()
    this.#stop = repeat(LOOK_MS, () => this.look())
  }

  stop(): void {
    this.#stop?.()
  }

  /** Reads the settings now. Keeps the last ones if Redis does not answer: the store then refuses. */
  async look(): Promise<void> {
    const { client, wanted } = this.#options
    try {
      const servers = masters(client)
      const facts = await Promise.all(
        servers.map((server) => readServerFacts(server, this.#expected.get(nameOf(server)) ?? 0)),
      )
      facts.forEach(({ expectedReplicas }, i) => {
        const server = servers[i]
        if (server) this.#expected.set(nameOf(server), expectedReplicas)
      })
      this.#servers = facts
      this.#conclude(levelReached(wanted, facts))
    } catch {
      // Redis is down.
    }
  }

  /**
   * True once everything written over the connections of `before` is as durable as wanted. Writes that
   * come while replicas are waited for share the next wait, since it holds up the connection.
   */
  async durable(before: Connections): Promise<boolean> {
    if (this.#options.wanted !== 'replica') return !this.isMissing
    return (await this.#nextWait()) && isUnchanged(this.#options.client, before)
  }

  #nextWait(): Promise<boolean> {
    this.#next ??= this.#running.then(() => {
      this.#next = undefined
      this.#running = this.#wait()
      return this.#running
    })
    return this.#next
  }

  async #wait(): Promise<boolean> {
    const waits = masters(this.#options.client).map(async (server) => {
      const needed = majority(this.#expected.get(nameOf(server)) ?? 0)
      return (await server.wait(needed, WAIT_MS)) >= needed
    })
    const reached = await Promise.all(waits).then(
      (all) => all.every(Boolean),
      () => false,
    )
    // Not every post has to wait: the next read reports when replicas have caught up.
    if (!reached) this.#conclude(this.#behind())
    return reached
  }

  #behind(): LevelReached {
    const silent = this.#servers.map((server) => ({ ...server, replicas: 0 }))
    return levelReached(this.#options.wanted, silent)
  }

  #conclude(reached: LevelReached): void {
    const before = this.#reached
    this.#reached = reached
    if (before.level !== reached.level || before.problem !== reached.problem) {
      this.#options.onChange(reached)
    }
  }
}

type Server = ReturnType<typeof masters>[number]

function nameOf({ options: { host, port } }: Server): string {
  return `${host ?? ''}:${port ?? ''}`
}

/** Asks one server. Rejects when it does not answer. */
async function readServerFacts(
  server: RedisServer,
  expectedReplicas: number,
): Promise<ServerFacts> {
  const [persistence, replicas, fsync] = await Promise.all([
    server.info('persistence'),
    readReplicas(server),
    readFsync(server),
  ])
  return {
    appends: /^aof_enabled:1/m.test(persistence),
    fsync,
    replicas: replicas.keepUp,
    expectedReplicas: Math.max(expectedReplicas, replicas.known),
  }
}

async function readFsync(server: RedisServer): Promise<string | null> {
  try {
    const [, value] = await server.config('GET', 'appendfsync')
    return value ?? null
  } catch (error) {
    // Refused is an answer; silence is not.
    if (error instanceof Error && /^(ERR|NOPERM)/.test(error.message)) return null
    throw error
  }
}
