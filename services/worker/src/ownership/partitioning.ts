import type { WorkspaceMode } from '@relay/shared/config/workspace.js'
import { GenerationKeys } from '@relay/shared/queue/generation-keys.js'
import type { Partition } from '@relay/shared/queue/keys.js'
import type { Generation, Layout, LayoutStore } from '@relay/shared/queue/layout.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'

export interface PartitioningOptions {
  readonly client: RedisClient
  readonly prefix: string
  readonly appId: string
  readonly layouts: LayoutStore
  /** Redis' time, ms since 1970. */
  readonly redisNowMs: () => number
  /** Which generation may be served has changed. */
  readonly onChange: () => void
}

/** Between two looks at a generation that is being emptied, ms. */
const LOOK_EVERY_MS = 300

/**
 * The number of partitions of one workspace, as relay changes it by itself: the old generation is
 * closed, the new one opened, and served once the old one is empty. Every worker takes part; each
 * step can be repeated, so one that dies halfway is finished by another.
 */
export class Partitioning {
  readonly #o: PartitioningOptions
  #layout: Layout | null = null
  /** Redis has heard what is wanted: it may be away when this process starts. */
  #planned = false
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: PartitioningOptions) {
    this.#o = options
  }

  /** Says what partitions this worker was told to have, until Redis has heard it, and makes it so. */
  plan(): Promise<void> {
    this.#planned = false
    return this.refresh()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  /** Whether a partition may be served: not before all older generations are empty. */
  mayServe({ generation }: Partition): boolean {
    if (this.#layout === null) return false
    if (generation > this.#layout.generation) {
      // News that has not come yet. Until then nobody knows whether older ones are empty.
      this.#lookAgain()
      return false
    }
    const [oldest] = this.#layout.draining
    return oldest === undefined || generation <= oldest.generation
  }

  /** Whether what is in a partition was accepted in shadow. */
  modeOf({ generation }: Partition): WorkspaceMode {
    const layout = this.#layout
    if (layout === null || layout.generation === generation) return layout?.mode ?? 'live'
    return layout.draining.find((old) => old.generation === generation)?.mode ?? 'live'
  }

  /** Looks again: another worker, or the api, changed it. */
  async refresh(): Promise<void> {
    clearTimeout(this.#timer)
    const { layouts, appId } = this.#o
    try {
      const layout = await (this.#planned ? layouts.get(appId) : layouts.plan(appId))
      // A change under way is this worker's own or another's: what is wanted is said again after it.
      this.#planned ||= layout.next === null
      this.#adopt(await this.#advance(layout))
    } catch {
      // Redis is away: look again.
      this.#lookAgain()
    }
  }

  async #advance(layout: Layout): Promise<Layout> {
    const { layouts, appId } = this.#o
    if (layout.next !== null) {
      await this.#keysOf(layout).close()
      return this.#advance(await layouts.flip(appId, layout.generation))
    }
    const [oldest] = layout.draining
    if (oldest !== undefined && (await this.#isDrained(oldest))) {
      await this.#keysOf(oldest).forget()
      return this.#advance(await layouts.drained(appId, oldest.generation))
    }
    return layout
  }

  #isDrained(generation: Generation): Promise<boolean> {
    return this.#keysOf(generation).isDrained(this.#o.redisNowMs())
  }

  #adopt(layout: Layout): void {
    this.#layout = layout
    if (layout.draining.length > 0 || !this.#planned) this.#lookAgain()
    this.#o.onChange()
  }

  #lookAgain(): void {
    if (this.#stopped) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.refresh(), LOOK_EVERY_MS)
  }

  #keysOf(generation: Generation): GenerationKeys {
    const { client, prefix, appId } = this.#o
    return new GenerationKeys(client, prefix, appId, generation)
  }
}
