import type { WorkspaceMode } from '@relay/shared/config/workspace.js'
import type { Partition } from '@relay/shared/queue/keys.js'
import type { Generation, Layout, LayoutStore, GenerationKeys } from '@relay/shared/queue/layout.js'

export interface PartitioningOptions {
  readonly appId: string
  readonly layouts: Pick<LayoutStore, 'get' | 'plan' | 'flip' | 'drained'>
  readonly keysOf: (
    generation: Generation,
  ) => Pick<GenerationKeys, 'close' | 'isDrained' | 'expire'>
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
  readonly #options: PartitioningOptions
  #layout: Layout | null = null
  /** Redis may have lost its last writes since the layout was read. */
  #isDoubtful = false
  /** The configured layout has been submitted to Redis, which may be unavailable at start. */
  #planned = false
  #plans = 0
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: PartitioningOptions) {
    this.#options = options
  }

  /** Submits the configured layout until Redis has confirmed it, and carries it out. */
  plan(): Promise<void> {
    this.#planned = false
    this.#plans += 1
    return this.refresh()
  }

  /** Redis restarted or failed over: nothing is served before the layout was read again, and submitted. */
  distrust(): Promise<void> {
    this.#isDoubtful = true
    return this.plan()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  /** Whether a partition may be served: not before all older generations are empty. */
  mayServe({ generation }: Partition): boolean {
    if (this.#layout === null || this.#isDoubtful) return false
    if (generation > this.#layout.generation) {
      // The message has not arrived yet. Until then it is unknown whether older generations are empty.
      this.#lookAgain()
      return false
    }
    const [oldest] = this.#layout.draining
    return oldest === undefined || generation <= oldest.generation
  }

  /** Mode in which the elements of a partition were accepted. */
  modeOf({ generation }: Partition): WorkspaceMode {
    const layout = this.#layout
    if (layout === null || layout.generation === generation) return layout?.mode ?? 'live'
    return layout.draining.find((old) => old.generation === generation)?.mode ?? 'live'
  }

  /** Looks again: another worker, or the api, changed it. */
  async refresh(): Promise<void> {
    clearTimeout(this.#timer)
    const { layouts, appId } = this.#options
    const plans = this.#plans
    try {
      const layout = await (this.#planned ? layouts.get(appId) : layouts.plan(appId))
      // The answer is older than what is to be submitted, and may be of a former run of Redis.
      if (plans !== this.#plans) return
      // A change in progress may be another worker's, so the layout is submitted again after it.
      this.#planned ||= layout.next === null
      const reached = await this.#advance(layout)
      if (plans !== this.#plans) return
      this.#isDoubtful = false
      this.#adopt(reached)
    } catch {
      // Redis is away: look again.
      this.#lookAgain()
    }
  }

  async #advance(layout: Layout): Promise<Layout> {
    const { layouts, appId } = this.#options
    if (layout.next !== null) {
      await this.#options.keysOf(layout).close()
      return this.#advance(await layouts.flip(appId, layout.generation))
    }
    const [oldest] = layout.draining
    if (oldest !== undefined && (await this.#isDrained(oldest))) {
      await this.#options.keysOf(oldest).expire()
      return this.#advance(await layouts.drained(appId, oldest.generation))
    }
    return layout
  }

  #isDrained(generation: Generation): Promise<boolean> {
    return this.#options.keysOf(generation).isDrained(this.#options.redisNowMs())
  }

  #adopt(layout: Layout): void {
    this.#layout = layout
    if (layout.draining.length > 0 || !this.#planned) this.#lookAgain()
    this.#options.onChange()
  }

  #lookAgain(): void {
    if (this.#stopped) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.refresh(), LOOK_EVERY_MS)
  }
}
