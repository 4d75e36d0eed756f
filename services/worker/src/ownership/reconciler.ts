import type { Deployment } from '@relay/shared/queue/deployment.js'
import { readTags } from '@relay/shared/queue/layout.js'
import type { PartitionQueue } from '@relay/shared/queue/partition-queue.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'

export interface ReconcilerOptions {
  readonly client: RedisClient
  readonly prefix: string
  readonly deployment: Pick<Deployment, 'active' | 'mark'>
  readonly queueOf: (tag: string) => Pick<PartitionQueue, 'waiting'>
  /** App ids of the configured workspaces. */
  readonly appIds: () => readonly string[]
  /** Partitions that held chunks and were in no worker's view. */
  readonly onFound: (tags: readonly string[]) => void
}

/** Between two looks, ms. A look at 200 workspaces of 16 partitions takes Redis about 5 ms. */
const LOOK_EVERY_MS = 30_000

/**
 * Searches every partition of the layouts for chunks outside the active set, and marks the partitions.
 * There are none unless Redis lost a mark: in a Cluster whose servers failed over one by one, or after a
 * deletion of the set.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #looking: Promise<void> = Promise.resolve()

  constructor(options: ReconcilerOptions) {
    this.#options = options
  }

  /** Looks now, and every 30 s from then on. */
  look(): Promise<void> {
    clearTimeout(this.#timer)
    if (this.#stopped) return Promise.resolve()
    this.#looking = this.#look()
      .catch(() => undefined)
      .finally(() => {
        clearTimeout(this.#timer)
        if (!this.#stopped) this.#timer = setTimeout(() => void this.look(), LOOK_EVERY_MS)
      })
    return this.#looking
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#looking
  }

  async #look(): Promise<void> {
    const { client, prefix, deployment, appIds, onFound } = this.#options
    const filled = await this.#filled(await readTags(client, prefix, appIds()))
    if (filled.length === 0) return
    const active = new Set(await deployment.active())
    // A partition that was emptied and deactivated between the two reads is not missing.
    const missing = await this.#filled(filled.filter((tag) => !active.has(tag)))
    if (missing.length === 0) return
    await deployment.mark(missing)
    onFound(missing)
  }

  async #filled(tags: readonly string[]): Promise<string[]> {
    const waiting = await Promise.all(tags.map((tag) => this.#options.queueOf(tag).waiting()))
    return tags.filter((_, i) => waiting[i] !== 0)
  }
}
