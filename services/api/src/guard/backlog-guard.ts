import type { Deployment } from '@relay/shared/queue/deployment.js'
import { readBacklog, workspacesWithData, type LaneBacklog } from '@relay/shared/queue/backlog.js'
import type { Post } from '@relay/shared/queue/post.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'

export interface BacklogGuardOptions {
  readonly client: RedisClient
  readonly prefix: string
  readonly deployment: Deployment
  /** App ids of the configured workspaces. */
  readonly appIds: () => readonly string[]
  /** Configured limit, bytes; null: derived from Redis' maxmemory. */
  readonly maxBacklogBytes: number | null
}

/** Between two looks, ms: while something waits, and at rest. */
const LOOK_BUSY_MS = 1_000
const LOOK_IDLE_MS = 2_000
/** Share of maxmemory that the backlog may fill. Above it a full Redis would refuse the workers, too. */
const BACKLOG_SHARE = 0.7
/** Share of maxmemory above which nothing more is taken in, whatever fills it. */
const MEMORY_SHARE = 0.85
const DEFAULT_LIMIT_BYTES = 1024 ** 3
/** Share of maxmemory that the keys of one producer may take in one workspace. */
const KEY_SHARE = 0.1
const DEFAULT_KEY_BYTES = 512 * 1024 ** 2
/** From this share of the limit on, chunks are compressed: memory is dear during an outage. */
const COMPRESS_FROM = 0.02

/** Knows what waits, and says when no more may be taken in. */
export class BacklogGuard {
  readonly #o: BacklogGuardOptions
  #lanes: readonly LaneBacklog[] = []
  #bytes = 0
  #addedBytes = 0
  #usedMemory = 0
  #maxMemory = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: BacklogGuardOptions) {
    this.#o = options
  }

  get lanes(): readonly LaneBacklog[] {
    return this.#lanes
  }

  get limitBytes(): number {
    const { maxBacklogBytes } = this.#o
    if (maxBacklogBytes !== null) return maxBacklogBytes
    return this.#maxMemory > 0 ? this.#maxMemory * BACKLOG_SHARE : DEFAULT_LIMIT_BYTES
  }

  /** What one producer's Idempotency-Keys may take in one workspace, bytes. */
  get keyBytes(): number {
    return this.#maxMemory > 0 ? this.#maxMemory * KEY_SHARE : DEFAULT_KEY_BYTES
  }

  async start(): Promise<void> {
    await this.look()
    const again = (): void => {
      const waits = this.#bytes + this.#addedBytes > 0
      this.#timer = setTimeout(
        () => void this.look().finally(again),
        waits ? LOOK_BUSY_MS : LOOK_IDLE_MS,
      )
    }
    again()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  /** Why a post cannot be taken in now; null when it can. Counts it in if so. */
  refusal(post: Post): 'backlog_full' | 'redis_full' | null {
    if (this.#maxMemory > 0 && this.#usedMemory > this.#maxMemory * MEMORY_SHARE)
      return 'redis_full'
    const bytes = post.elements.reduce((sum, { json }) => sum + json.length, 0)
    if (this.#bytes + this.#addedBytes + bytes > this.limitBytes) return 'backlog_full'
    this.#addedBytes += bytes
    return null
  }

  compress(): boolean {
    return this.#bytes + this.#addedBytes > this.limitBytes * COMPRESS_FROM
  }

  /** Looks now. Keeps what it knew when Redis does not answer. */
  async look(): Promise<void> {
    const { client, prefix, deployment, appIds } = this.#o
    const before = this.#addedBytes
    try {
      const all = await workspacesWithData(deployment, appIds())
      this.#lanes = await readBacklog(client, prefix, all)
      this.#bytes = this.#lanes.reduce((sum, { bytes }) => sum + bytes, 0)
      this.#addedBytes -= before
      await this.#lookAtMemory()
    } catch {
      // Redis is away: the store refuses on its own.
    }
  }

  async #lookAtMemory(): Promise<void> {
    const { client } = this.#o
    const nodes = 'nodes' in client ? client.nodes('master') : [client]
    const infos = await Promise.all(nodes.map((node) => node.info('memory')))
    const sum = (field: RegExp) =>
      infos.reduce((total, info) => total + Number(field.exec(info)?.[1] ?? 0), 0)
    this.#usedMemory = sum(/^used_memory:(\d+)/m)
    this.#maxMemory = sum(/^maxmemory:(\d+)/m)
  }
}
