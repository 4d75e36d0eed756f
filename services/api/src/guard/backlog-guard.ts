import type { Clock } from '@relay/shared/clock.js'
import { DeadLetterStore } from '@relay/shared/dead-letters/dead-letter-store.js'
import { repeat } from '@relay/shared/process/repeat.js'
import type { Deployment } from '@relay/shared/queue/deployment.js'
import {
  queuedBytes,
  readBacklog,
  workspacesWithData,
  type LaneBacklog,
} from '@relay/shared/queue/backlog.js'
import type { Post } from '@relay/shared/queue/post.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'
import { parseRequestId } from '@relay/shared/request-id.js'
import { backlogFull, redisFull, type IntakeProblem } from './intake-problem.js'

export interface BacklogGuardOptions {
  readonly client: RedisClient
  readonly prefix: string
  readonly deployment: Deployment
  /** App ids of the configured workspaces. */
  readonly appIds: () => readonly string[]
  /** Configured limit, bytes; null to derive it from Redis' maxmemory. */
  readonly maxBacklogBytes: number | null
  readonly clock: Clock
}

/** Interval between reads, ms: with a backlog, and without. */
const LOOK_BUSY_MS = 1_000
const LOOK_IDLE_MS = 2_000
/** Maximum share of maxmemory for the backlog. A full Redis would also refuse the workers. */
const BACKLOG_SHARE = 0.7
/** Share of maxmemory in use above which the intake accepts nothing. */
const MEMORY_SHARE = 0.85
const DEFAULT_LIMIT_BYTES = 1024 ** 3
/**
 * Maximum share of maxmemory for the keys of one producer in one workspace, and the share of its dead
 * letters there from which its posts are refused.
 */
const PRODUCER_SHARE = 0.1
/** The same over all workspaces. */
const PRODUCER_SHARE_OF_ALL = 0.4
const DEFAULT_PRODUCER_BYTES = 512 * 1024 ** 2
/** Share of the limit from which posts do not fit, or soon will not. */
const FULL_SHARE = 0.98
/** How long a refusal is reported, ms: as long as its Retry-After. */
const REFUSAL_MS = 30_000
/** Chunks are compressed from this share of the limit on, to save memory during an outage. */
const COMPRESS_FROM = 0.02

/** Tracks the backlog and decides when the intake is full. */
export class BacklogGuard {
  readonly #options: BacklogGuardOptions
  #lanes: readonly LaneBacklog[] = []
  #isCurrent = false
  #bytes = 0
  #addedBytes = 0
  /** The last post that did not fit. */
  #refused = { bytes: 0, untilMs: -Infinity }
  /** Of the fullest server, 0..1; 0 without maxmemory. */
  #memoryShare = 0
  #maxMemory = 0
  /** By app id, the tags of producers whose dead letters use their share; empty as a rule. */
  #fullOfLetters: ReadonlyMap<string, ReadonlySet<number>> = new Map()
  #stop: (() => void) | undefined

  constructor(options: BacklogGuardOptions) {
    this.#options = options
  }

  /** As last read. */
  get lanes(): readonly LaneBacklog[] {
    return this.#lanes
  }

  /** As just read; null: Redis did not answer. */
  get currentLanes(): readonly LaneBacklog[] | null {
    return this.#isCurrent ? this.#lanes : null
  }

  get limitBytes(): number {
    const { maxBacklogBytes } = this.#options
    if (maxBacklogBytes !== null) return maxBacklogBytes
    return this.#maxMemory > 0 ? this.#maxMemory * BACKLOG_SHARE : DEFAULT_LIMIT_BYTES
  }

  /** Maximum bytes of one producer's Idempotency-Keys, and of its dead letters, in one workspace. */
  get producerBytes(): number {
    if (this.#maxMemory === 0) return DEFAULT_PRODUCER_BYTES
    const workspaces = Math.max(1, this.#options.appIds().length)
    return this.#maxMemory * Math.min(PRODUCER_SHARE, PRODUCER_SHARE_OF_ALL / workspaces)
  }

  async start(): Promise<void> {
    await this.look()
    const everyMs = () => (this.#bytes + this.#addedBytes > 0 ? LOOK_BUSY_MS : LOOK_IDLE_MS)
    this.#stop = repeat(everyMs, () => this.look())
  }

  stop(): void {
    this.#stop?.()
  }

  /** Why a post cannot be accepted now; null if it can, and then it is counted. */
  refusal(post: Post): 'backlog_full' | 'redis_full' | null {
    if (this.#memoryShare > MEMORY_SHARE) return 'redis_full'
    const bytes = queuedBytes(post.elements)
    if (!this.#hasRoomFor(bytes)) {
      this.#refused = { bytes, untilMs: this.#options.clock.monotonicMs() + REFUSAL_MS }
      return 'backlog_full'
    }
    this.#addedBytes += bytes
    return null
  }

  /** What the intake lacks as last read; null: it accepts posts. */
  get problem(): IntakeProblem | null {
    if (this.#memoryShare > MEMORY_SHARE) return redisFull(this.#memoryShare)
    const bytes = this.#bytes + this.#addedBytes
    if (bytes > this.limitBytes * FULL_SHARE) return backlogFull(bytes, this.limitBytes)
    const { bytes: refused, untilMs } = this.#refused
    const isOver = this.#options.clock.monotonicMs() >= untilMs || this.#hasRoomFor(refused)
    return isOver ? null : backlogFull(bytes, this.limitBytes, refused)
  }

  #hasRoomFor(bytes: number): boolean {
    return this.#bytes + this.#addedBytes + bytes <= this.limitBytes
  }

  /** Whether the dead letters of the post's producer leave no room for more. Never asked for a replay. */
  hasTooManyLetters({ appId, requestId }: Pick<Post, 'appId' | 'requestId'>): boolean {
    const full = this.#fullOfLetters.get(appId)
    return full?.has(parseRequestId(requestId)?.producerTag ?? 0) ?? false
  }

  compress(): boolean {
    return this.#bytes + this.#addedBytes > this.limitBytes * COMPRESS_FROM
  }

  /** Reads the backlog now. If Redis does not answer, keeps the last values that bound the intake. */
  async look(): Promise<void> {
    const { client, prefix, deployment, appIds } = this.#options
    const before = this.#addedBytes
    try {
      const all = await workspacesWithData(deployment, appIds())
      const lanes = await readBacklog(client, prefix, all)
      this.#lanes = lanes
      this.#isCurrent = true
      this.#bytes = lanes.reduce((sum, { bytes }) => sum + bytes, 0)
      this.#addedBytes -= before
      await this.#lookAtMemory()
      await this.#lookAtLetters()
    } catch {
      // Redis is down: the store refuses.
      this.#isCurrent = false
    }
  }

  async #lookAtLetters(): Promise<void> {
    const { client, prefix, appIds } = this.#options
    const letters = new DeadLetterStore(client, prefix)
    const read = appIds().map(async (appId) => {
      const full = [...(await letters.bytes(appId))]
        .filter(([, bytes]) => bytes > this.producerBytes)
        .map(([tag]) => tag)
      return [appId, new Set(full)] as const
    })
    this.#fullOfLetters = new Map((await Promise.all(read)).filter(([, full]) => full.size > 0))
  }

  async #lookAtMemory(): Promise<void> {
    const { client } = this.#options
    const nodes = 'nodes' in client ? client.nodes('master') : [client]
    const infos = await Promise.all(nodes.map((node) => node.info('memory')))
    const number = (info: string, field: RegExp) => Number(field.exec(info)?.[1] ?? 0)
    const servers = infos.map((info) => ({
      used: number(info, /^used_memory:(\d+)/m),
      max: number(info, /^maxmemory:(\d+)/m),
    }))
    this.#maxMemory = servers.reduce((sum, { max }) => sum + max, 0)
    // Of a Cluster, the fullest: its partitions can then be neither filled nor drained.
    this.#memoryShare = Math.max(...servers.map(({ used, max }) => (max > 0 ? used / max : 0)))
  }
}
